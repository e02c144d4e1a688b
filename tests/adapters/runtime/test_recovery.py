"""A runtime goes on where an earlier one ended: nothing is lost, nothing is done twice."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar, final

import anyio
import pytest
from attrs import define, evolve, field
from returns.result import Failure, Result, Success

from caxton_adapters.configs.in_memory import InMemoryConfigs
from caxton_adapters.journal.in_memory import InMemoryJournal
from caxton_adapters.providers.scripted.model import Scripted
from caxton_adapters.providers.scripted.scenario import read_scenario
from caxton_adapters.runtime.isolation.choice import Hosts
from caxton_adapters.runtime.recovery import MOST_ATTEMPTS
from caxton_adapters.runtime.runtime import Runtime, running
from caxton_adapters.runtime.ticket import Incoming, Ticket
from caxton_core.agent.record import StateName
from caxton_core.agent.sections import Isolation
from caxton_core.conversation.model import (
    Healthy,
    ModelCapabilities,
    ModelFailure,
    ModelRequest,
    TextDelta,
)
from caxton_core.conversation.outcome import (
    AgentGone,
    Answered,
    DeadLettered,
    MessageState,
    NotAnswered,
    OutcomeUnknown,
    Suspended,
)
from caxton_core.conversation.turn import Cancelled
from caxton_core.events import CallAnswered, TurnResumed
from caxton_core.ports import Answer, Model
from caxton_core.primitives import ConversationId, JsonObject, ModelName, ProviderName, ToolName
from caxton_core.tools.tool import Caller, Tool, ToolCall, ToolResult, ToolSucceeded
from tests.adapters.runtime.test_runtime import OneModel
from tests.fakes import Heard, in_memory
from tests.waiting import until

T = TypeVar("T")

WRITER = """\
name = "writer"
system_prompt = "You write."
tools = ["files.*"]
[permissions]
allow = ["files.*"]
"""
SCENARIO = """\
[[rules]]
contains = "write"
calls = [{tool = "files.write", arguments = {path = "a"}}]
then = "written: {{result}}"

[[rules]]
contains = "read"
calls = [{tool = "files.read", arguments = {path = "a"}}]
then = "read: {{result}}"

[[rules]]
contains = "both"
calls = [
  {tool = "files.quick", arguments = {path = "a"}},
  {tool = "files.write", arguments = {path = "b"}},
]
then = "both: {{result}}"

[[rules]]
regex = "(?s)(.*)"
answer = "you said: {{request}}"
"""


@final
@define
class SlowFiles:
    """Tools that take their time while `open` is not set; remembers who called what."""

    called: list[Caller] = field(factory=list)
    open: anyio.Event = field(factory=anyio.Event)

    def offered(self) -> Sequence[Tool]:
        nothing = JsonObject.of({"type": "object"})
        return (
            Tool(ToolName("files.write"), "Writes.", nothing),
            Tool(ToolName("files.quick"), "Writes at once.", nothing),
            Tool(ToolName("files.read"), "Reads.", nothing, idempotent=True),
        )

    async def call(self, call: ToolCall, caller: Caller) -> ToolResult:
        self.called.append(caller)
        if call.name.value != "files.quick":
            await self.open.wait()
        return ToolSucceeded(call.id, "done so")


@final
@define
class Silent:
    """A model that is asked and says nothing, after so many answers of a scenario."""

    answers: int = 0
    requests: list[ModelRequest] = field(factory=list)

    async def complete(self, request: ModelRequest) -> Answer:
        self.requests.append(request)
        if len(self.requests) <= self.answers:
            return await scripted().complete(request)
        await anyio.sleep_forever()
        raise AssertionError

    def stream(self, request: ModelRequest) -> AsyncIterator[TextDelta | Answer]:
        return scripted().stream(request)

    async def capabilities(
        self, model: ModelName | None = None
    ) -> Result[ModelCapabilities, ModelFailure]:
        return await scripted().capabilities(model)

    async def health(self) -> Result[Healthy, ModelFailure]:
        return await scripted().health()


def scripted() -> Scripted:
    scenario = read_scenario(SCENARIO)
    assert isinstance(scenario, Success), scenario
    return Scripted(ProviderName("scripted"), scenario.unwrap())


@final
@define
class Servers:
    """One server after the other on the same stores."""

    configs: InMemoryConfigs = field(factory=InMemoryConfigs)
    journal: InMemoryJournal = field(factory=InMemoryJournal)
    heard: Heard = field(factory=Heard)

    @asynccontextmanager
    async def next(
        self, tools: SlowFiles | None = None, model: Model | None = None
    ) -> AsyncIterator[Runtime]:
        world = in_memory(
            OneModel(model or scripted()),
            tools=tools or SlowFiles(),
            events=self.heard,
            journal=self.journal,
        )
        lasting = evolve(world, lasting=True)
        hosts = Hosts(default=Isolation.TASK)
        async with running(lasting, configs=self.configs, hosts=hosts) as runtime:
            if not runtime.agents():
                assert isinstance(await runtime.deploy(WRITER), Success)
            assert isinstance(await runtime.recover(), Success)
            yield runtime

    def of(self, kind: type[T]) -> list[T]:
        return [event for event in self.heard.events if isinstance(event, kind)]


async def accepted(runtime: Runtime, text: str, **more: str) -> Ticket:
    conversation = ConversationId(more.get("conversation", "c"))
    ticket = await runtime.accept("writer", Incoming(text, conversation, more.get("key")))
    assert isinstance(ticket, Success), ticket
    return ticket.unwrap()


async def again(runtime: Runtime, ticket: Ticket) -> Ticket:
    found = await runtime.message(ticket.message.value)
    assert isinstance(found, Success), found
    with anyio.fail_after(20):
        await found.unwrap().done()
    return found.unwrap()


@pytest.fixture
def servers() -> Servers:
    return Servers()


async def test_a_message_that_was_accepted_is_answered_by_the_next_server(servers: Servers) -> None:
    async with servers.next(model=Silent()) as runtime:
        ticket = await accepted(runtime, "Hello")
        waiting = await accepted(runtime, "Hello again")
        await until(lambda: ticket.state is MessageState.RUNNING)
    assert ticket.outcome == waiting.outcome == NotAnswered(Suspended())
    async with servers.next() as runtime:
        first, second = await again(runtime, ticket), await again(runtime, waiting)
    assert isinstance(first.outcome, Answered)
    assert isinstance(second.outcome, Answered)
    assert (first.outcome.text, second.outcome.text) == (
        "you said: Hello",
        "you said: Hello again",
    )
    assert [event.attempt for event in servers.of(TurnResumed)] == [1, 1]


async def test_the_conversation_goes_on_in_the_next_server(servers: Servers) -> None:
    heard = Silent()
    async with servers.next() as runtime:
        await (await accepted(runtime, "I am Ada")).done()
    async with servers.next(model=heard) as runtime:
        await accepted(runtime, "Who am I?")
        await until(lambda: bool(heard.requests))
    texts = [getattr(message, "text", "") for message in heard.requests[0].messages]
    assert texts == ["You write.", "I am Ada", "you said: I am Ada", "Who am I?"]


async def test_a_tool_whose_result_is_recorded_is_not_called_again(servers: Servers) -> None:
    tools, silent = SlowFiles(), Silent(answers=1)
    tools.open.set()
    async with servers.next(tools, silent) as runtime:
        ticket = await accepted(runtime, "write")
        await until(lambda: len(silent.requests) == 2)
    async with servers.next(tools) as runtime:
        ended = await again(runtime, ticket)
    assert isinstance(ended.outcome, Answered)
    assert ended.outcome.text == "written: done so"
    assert len(tools.called) == 1
    assert len(silent.requests) == 2


async def test_an_idempotent_call_without_result_is_made_again_under_its_key(
    servers: Servers,
) -> None:
    tools = SlowFiles()
    async with servers.next(tools) as runtime:
        ticket = await accepted(runtime, "read")
        await until(lambda: len(tools.called) == 1)
    tools.open.set()
    async with servers.next(tools) as runtime:
        ended = await again(runtime, ticket)
    assert isinstance(ended.outcome, Answered)
    first, second = tools.called
    assert first == second


async def test_a_call_that_may_have_been_made_is_never_made_twice(servers: Servers) -> None:
    tools = SlowFiles()
    async with servers.next(tools) as runtime:
        ticket = await accepted(runtime, "write")
        await until(lambda: len(tools.called) == 1)
    tools.open.set()
    async with servers.next(tools) as runtime:
        ended = await again(runtime, ticket)
        assert isinstance(ended.outcome, NotAnswered)
        unknown = ended.outcome.why
        assert isinstance(unknown, OutcomeUnknown)
        assert len(tools.called) == 1
        (call,) = unknown.calls
        told = (ToolSucceeded(call.id, "a person looked"),)
        reopened = await runtime.reopen(ticket.message.value, told)
        assert isinstance(reopened, Success), reopened
        outcome = await reopened.unwrap().done()
    assert isinstance(outcome, Answered)
    assert outcome.text == "written: a person looked"
    assert len(tools.called) == 1


async def test_a_person_can_have_an_unknown_call_made_again(servers: Servers) -> None:
    tools = SlowFiles()
    async with servers.next(tools) as runtime:
        ticket = await accepted(runtime, "write")
        await until(lambda: len(tools.called) == 1)
    tools.open.set()
    async with servers.next(tools) as runtime:
        await again(runtime, ticket)
        reopened = await runtime.reopen(ticket.message.value)
        assert isinstance(reopened, Success), reopened
        outcome = await reopened.unwrap().done()
    assert isinstance(outcome, Answered)
    assert len(tools.called) == 2


async def test_a_turn_that_was_cut_off_in_a_call_does_not_make_it_again_unasked(
    servers: Servers,
) -> None:
    tools = SlowFiles()
    async with servers.next(tools) as runtime:
        ticket = await accepted(runtime, "write")
        await until(lambda: len(tools.called) == 1)
        runtime.cancel(ticket)
        await ticket.done()
        tools.open.set()
        told = await runtime.reopen(ticket.message.value)
        assert isinstance(told, Success), told
        outcome = (await again(runtime, ticket)).outcome
        assert isinstance(outcome, NotAnswered)
        assert isinstance(outcome.why, OutcomeUnknown)
        results = tuple(ToolSucceeded(call.id, "a person looked") for call in outcome.why.calls)
        reopened = await runtime.reopen(ticket.message.value, results)
        assert isinstance(reopened, Success), reopened
        assert isinstance(await reopened.unwrap().done(), Answered)
    assert len(tools.called) == 1


async def test_what_tools_did_is_known_when_the_turn_had_no_room_for_more(
    servers: Servers,
) -> None:
    tools = SlowFiles()
    tools.open.set()
    small = WRITER.replace("[permissions]", "[budget]\ntokens_per_turn = 60\n[permissions]")
    async with servers.next(tools) as runtime:
        assert isinstance(await runtime.replace("writer", small), Success)
        ticket = await accepted(runtime, "write")
        assert isinstance((await again(runtime, ticket)).outcome, NotAnswered)
        assert isinstance(await runtime.replace("writer", WRITER), Success)
        reopened = await runtime.reopen(ticket.message.value)
        assert isinstance(reopened, Success), reopened
        assert isinstance(await reopened.unwrap().done(), Answered)
    assert len(tools.called) == 1


async def test_of_several_calls_only_those_without_a_result_are_open(servers: Servers) -> None:
    tools = SlowFiles()
    async with servers.next(tools) as runtime:
        ticket = await accepted(runtime, "both")
        await until(lambda: len(tools.called) == 2)
        await until(lambda: bool(servers.of(CallAnswered)))
    async with servers.next(tools) as runtime:
        ended = await again(runtime, ticket)
    assert isinstance(ended.outcome, NotAnswered)
    assert isinstance(ended.outcome.why, OutcomeUnknown)
    assert [call.name.value for call in ended.outcome.why.calls] == ["files.write"]


async def test_a_key_leads_to_the_first_answer_also_after_a_restart(servers: Servers) -> None:
    async with servers.next() as runtime:
        first = await (await accepted(runtime, "Hello", key="k")).done()
    async with servers.next() as runtime:
        ticket = await accepted(runtime, "Hello", key="k")
        assert ticket.outcome == first
        other = await runtime.accept("writer", Incoming("Bye", ConversationId("c"), "k"))
        assert isinstance(other, Failure)


async def test_a_message_under_which_servers_die_is_put_aside(servers: Servers) -> None:
    async with servers.next(model=Silent()) as runtime:
        ticket = await accepted(runtime, "Hello")
    for _ in range(MOST_ATTEMPTS):
        silent = Silent()
        async with servers.next(model=silent):
            await until(lambda: bool(silent.requests))  # noqa: B023 - called within the round
    async with servers.next() as runtime:
        ended = await again(runtime, ticket)
        assert ended.outcome == NotAnswered(DeadLettered(MOST_ATTEMPTS))
        assert ended.state is MessageState.DEAD_LETTERED
        reopened = await runtime.reopen(ticket.message.value)
        assert isinstance(reopened, Success), reopened
        assert isinstance(await reopened.unwrap().done(), Answered)


async def test_what_was_cancelled_stays_cancelled(servers: Servers) -> None:
    async with servers.next(model=Silent()) as runtime:
        ticket = await accepted(runtime, "Hello")
        runtime.cancel(ticket)
        await ticket.done()
    async with servers.next() as runtime:
        assert (await again(runtime, ticket)).outcome == NotAnswered(Cancelled())


async def test_who_is_stopped_does_not_go_on(servers: Servers) -> None:
    async with servers.next(model=Silent()) as runtime:
        ticket = await accepted(runtime, "Hello")
    (record,) = await servers.configs.stored()
    await servers.configs.save(evolve(record, state=StateName.STOPPED))
    async with servers.next() as runtime:
        ended = await again(runtime, ticket)
    assert ended.outcome == NotAnswered(AgentGone("it is stopped"))


async def test_tools_at_work_may_tell_their_results_before_the_server_ends(
    servers: Servers,
) -> None:
    tools = SlowFiles()
    async with servers.next(tools) as runtime:
        ticket = await accepted(runtime, "write")
        await until(lambda: len(tools.called) == 1)
        async with anyio.create_task_group() as ending:
            ending.start_soon(runtime.supervisor.close)
            await until(lambda: ticket.suspended)
            tools.open.set()
    assert ticket.outcome == NotAnswered(Suspended())
    async with servers.next(tools) as runtime:
        ended = await again(runtime, ticket)
    assert isinstance(ended.outcome, Answered)
    assert ended.outcome.text == "written: done so"
    assert len(tools.called) == 1
