"""Agents that run: what they answer, in which order, and what happens when they are disturbed."""

import os
import signal
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import anyio
import pytest
from attrs import frozen
from returns.result import Failure, Result, Success

from caxton_adapters.configs.in_memory import InMemoryConfigs
from caxton_adapters.providers.scripted.model import Scripted
from caxton_adapters.providers.scripted.scenario import read_scenario
from caxton_adapters.runtime.intake import DEFAULT_LIMITS, RuntimeLimits
from caxton_adapters.runtime.isolation.choice import Hosts
from caxton_adapters.runtime.refusals import (
    Draining,
    KeyReused,
    MailboxFull,
    NameTaken,
    NotRunning,
    Overloaded,
    TurnsInFlight,
)
from caxton_adapters.runtime.runtime import Runtime, running
from caxton_adapters.runtime.ticket import Delivery, Incoming
from caxton_core.agent.record import StateName
from caxton_core.agent.sections import Isolation
from caxton_core.conversation.message import UserMessage
from caxton_core.conversation.model import (
    Healthy,
    ModelCapabilities,
    ModelFailure,
    ModelRequest,
    ProviderUnknown,
    TextDelta,
)
from caxton_core.conversation.outcome import (
    AgentCrashed,
    AgentGone,
    Answered,
    MessageState,
    NotAnswered,
)
from caxton_core.conversation.past import ConversationKey
from caxton_core.conversation.turn import Cancelled, DeadlinePassed
from caxton_core.events import AgentFailed, ProcessEnded, ProcessStarted
from caxton_core.ports import Answer, Configs, Events, Model
from caxton_core.primitives import ConversationId, ModelName, ProviderName, Usd
from tests.acceptance.criteria import criterion
from tests.fakes import Heard, in_memory
from tests.waiting import PATIENCE, until

SCENARIO = """
[[rules]]
regex = "(?s)(.*)"
answer = "you said: {{request}}"
"""
GREETER = 'name = "greeter"\nsystem_prompt = "You greet."\ncapabilities = ["greeting"]\n'


@frozen
class Tardy:
    """A model that takes its time with one message, and is quick with all others."""

    model: Model

    async def complete(self, request: ModelRequest) -> Answer:
        if request.messages[-1] == UserMessage("wait"):
            await anyio.sleep(60)
        return await self.model.complete(request)

    def stream(self, request: ModelRequest) -> AsyncIterator[TextDelta | Answer]:
        return self.model.stream(request)

    def capabilities(
        self, model: ModelName | None = None
    ) -> Awaitable[Result[ModelCapabilities, ModelFailure]]:
        return self.model.capabilities(model)

    def health(self) -> Awaitable[Result[Healthy, ModelFailure]]:
        return self.model.health()


@frozen
class OneModel:
    model: Model

    def find(self, _: ProviderName | None) -> Result[Model, ProviderUnknown]:
        return Success(self.model)

    async def quote(self, _: ProviderName | None, __: ModelRequest) -> Usd | None:
        return None


@asynccontextmanager
async def opened(
    isolation: Isolation = Isolation.PROCESS,
    configs: Configs | None = None,
    events: Events | None = None,
    limits: RuntimeLimits = DEFAULT_LIMITS,
) -> AsyncIterator[Runtime]:
    scenario = read_scenario(SCENARIO)
    assert isinstance(scenario, Success), scenario
    model = Tardy(Scripted(ProviderName("scripted"), scenario.unwrap()))
    world = in_memory(OneModel(model), events=events)
    hosts = Hosts(default=isolation)
    configs = configs or InMemoryConfigs()
    async with running(world, configs=configs, hosts=hosts, limits=limits) as runtime:
        yield runtime


@pytest.fixture(params=[Isolation.TASK, Isolation.PROCESS])
async def runtime(request: pytest.FixtureRequest) -> AsyncIterator[Runtime]:
    async with opened(request.param) as runtime:
        yield runtime


async def deploy(runtime: Runtime, text: str = GREETER) -> None:
    deployed = await runtime.deploy(text)
    assert isinstance(deployed, Success), deployed


async def send(runtime: Runtime, incoming: Incoming, ref: str = "greeter") -> Answered:
    accepted = await runtime.accept(ref, incoming)
    assert isinstance(accepted, Success), accepted
    with anyio.fail_after(20):
        outcome = await accepted.unwrap().done()
    assert isinstance(outcome, Answered), outcome
    return outcome


def process_of(runtime: Runtime, ref: str = "greeter") -> int:
    pid = runtime.agent(ref).unwrap().use.pid  # type: ignore[union-attr] # deployed above
    assert pid is not None
    return pid


async def test_an_agent_answers(runtime: Runtime) -> None:
    await deploy(runtime)
    assert (await send(runtime, Incoming("Hello"))).text == "you said: Hello"


async def test_an_answer_is_streamed_piece_by_piece(runtime: Runtime) -> None:
    await deploy(runtime)
    accepted = await runtime.accept("greeter", Incoming("Hello", delivery=Delivery.STREAMED))
    assert isinstance(accepted, Success)
    pieces = [piece async for piece in accepted.unwrap().deltas()]
    assert len(pieces) > 1
    assert "".join(pieces) == "you said: Hello"


async def test_a_name_is_taken_once(runtime: Runtime) -> None:
    await deploy(runtime)
    again = await runtime.deploy(GREETER)
    assert isinstance(again, Failure)
    assert isinstance(again.failure(), NameTaken)


@criterion("STORY-005.4")
async def test_a_conversation_goes_on_from_what_was_said(runtime: Runtime) -> None:
    await deploy(runtime)
    conversation = ConversationId("c")
    await send(runtime, Incoming("One", conversation))
    await send(runtime, Incoming("Two", conversation))
    place = ConversationKey(conversation, runtime.supervisor.residents()[0].agent.id)
    read = await runtime.world.pasts.store.past(
        place, at_most=None, since=datetime(2026, 1, 1, tzinfo=UTC)
    )
    history = read.unwrap().messages  # type: ignore[union-attr] # it is in memory
    assert [message.text for message in history if hasattr(message, "text")] == [
        "One",
        "you said: One",
        "Two",
        "you said: Two",
    ]


async def test_a_cancelled_message_ends_at_once_and_frees_its_place(runtime: Runtime) -> None:
    await deploy(runtime)
    conversation = ConversationId("c")
    accepted = await runtime.accept("greeter", Incoming("wait", conversation))
    assert isinstance(accepted, Success)
    ticket = accepted.unwrap()
    await until(lambda: ticket.state is MessageState.RUNNING)
    with anyio.fail_after(PATIENCE):
        runtime.cancel(ticket)
        assert await ticket.done() == NotAnswered(Cancelled())
    assert ticket.state is MessageState.CANCELLED
    assert (await send(runtime, Incoming("Hello", conversation))).text == "you said: Hello"


async def test_a_message_that_waits_is_cancelled_before_its_turn(runtime: Runtime) -> None:
    await deploy(runtime)
    conversation = ConversationId("c")
    first = (await runtime.accept("greeter", Incoming("wait", conversation))).unwrap()  # type: ignore[union-attr] # a failure fails the test
    second = (await runtime.accept("greeter", Incoming("Hello", conversation))).unwrap()  # type: ignore[union-attr] # as above
    runtime.cancel(second)
    await second.done()
    assert second.state is MessageState.CANCELLED
    assert first.state is not MessageState.CANCELLED
    runtime.cancel(first)
    await first.done()


async def test_a_turn_ends_at_its_deadline(runtime: Runtime) -> None:
    await deploy(runtime, GREETER + '[resources]\nturn_timeout = "100ms"\n')
    accepted = await runtime.accept("greeter", Incoming("wait"))
    assert isinstance(accepted, Success)
    with anyio.fail_after(PATIENCE):
        assert await accepted.unwrap().done() == NotAnswered(DeadlinePassed())


async def test_messages_at_work_are_bounded_in_number_and_in_text() -> None:
    limits = RuntimeLimits(messages_in_flight=3, characters_in_flight=10)
    async with opened(Isolation.TASK, limits=limits) as runtime:
        await deploy(runtime)
        for _ in range(2):
            assert isinstance(await runtime.accept("greeter", Incoming("wait")), Success)
        refused = await runtime.accept("greeter", Incoming("wait"))
        assert isinstance(refused, Failure)
        assert refused.failure() == Overloaded(10, "characters", 1.0)
        assert isinstance(await runtime.accept("greeter", Incoming("hi")), Success)
        too_many = await runtime.accept("greeter", Incoming(""))
        assert isinstance(too_many, Failure)
        assert too_many.failure() == Overloaded(3, "messages", 1.0)


async def test_a_full_mailbox_refuses_and_says_when_to_come_back(runtime: Runtime) -> None:
    limits = "[resources]\nmailbox = 1\nmax_concurrent_turns = 1\n"
    await deploy(runtime, GREETER + limits)
    for _ in range(2):
        assert isinstance(await runtime.accept("greeter", Incoming("wait")), Success)
    refused = await runtime.accept("greeter", Incoming("wait"))
    assert isinstance(refused, Failure)
    full = refused.failure()
    assert isinstance(full, MailboxFull)
    assert full.retry_after >= 1
    await runtime.delete("greeter", force=True)


async def test_a_repeated_key_is_the_same_message_and_another_text_is_refused(
    runtime: Runtime,
) -> None:
    await deploy(runtime)
    first = await runtime.accept("greeter", Incoming("Hello", key="k"))
    assert await runtime.accept("greeter", Incoming("Hello", key="k")) == first
    other = await runtime.accept("greeter", Incoming("Bye", key="k"))
    assert isinstance(other, Failure)
    assert other.failure() == KeyReused("k")


async def test_a_stopped_agent_takes_no_messages_until_it_is_started(runtime: Runtime) -> None:
    await deploy(runtime)
    await runtime.stop("greeter")
    refused = await runtime.accept("greeter", Incoming("Hello"))
    assert isinstance(refused, Failure)
    assert isinstance(refused.failure(), NotRunning)
    await runtime.start("greeter")
    assert (await send(runtime, Incoming("Hello"))).text == "you said: Hello"


async def test_an_agent_at_work_is_deleted_only_by_force(runtime: Runtime) -> None:
    await deploy(runtime)
    accepted = await runtime.accept("greeter", Incoming("wait"))
    assert isinstance(accepted, Success)
    kept = await runtime.delete("greeter")
    assert isinstance(kept, Failure)
    assert isinstance(kept.failure(), TurnsInFlight)
    await runtime.delete("greeter", force=True)
    outcome = await accepted.unwrap().done()
    assert isinstance(outcome, NotAnswered)
    assert isinstance(outcome.why, AgentGone)
    assert isinstance(runtime.agent("greeter"), Failure)


async def test_a_replaced_file_counts_from_the_next_message_on(runtime: Runtime) -> None:
    await deploy(runtime)
    before = runtime.agent("greeter")
    replaced = await runtime.replace("greeter", GREETER + 'user_prompt_template = "<{{request}}>"')
    assert isinstance(replaced, Success)
    assert isinstance(before, Success)
    assert replaced.unwrap().id == before.unwrap().id
    assert (await send(runtime, Incoming("Hello"))).text == "you said: <Hello>"


async def test_a_replaced_file_limits_the_mailbox_at_once(runtime: Runtime) -> None:
    await deploy(runtime)
    small = "[resources]\nmailbox = 1\nmax_concurrent_turns = 1\n"
    assert isinstance(await runtime.replace("greeter", GREETER + small), Success)
    for _ in range(2):
        assert isinstance(await runtime.accept("greeter", Incoming("wait")), Success)
    refused = await runtime.accept("greeter", Incoming("wait"))
    assert isinstance(refused, Failure)
    assert isinstance(refused.failure(), MailboxFull)
    await runtime.delete("greeter", force=True)


async def test_draining_refuses_new_work_and_waits_for_the_old(runtime: Runtime) -> None:
    await deploy(runtime)
    accepted = await runtime.accept("greeter", Incoming("Hello"))
    assert isinstance(accepted, Success)
    assert await runtime.drain(10) == 0
    assert accepted.unwrap().state is MessageState.ANSWERED
    refused = await runtime.accept("greeter", Incoming("Hello"))
    assert isinstance(refused, Failure)
    assert refused.failure() == Draining()


@criterion("STORY-046.6")
async def test_what_ran_runs_again_and_what_was_stopped_stays_stopped() -> None:
    configs = InMemoryConfigs()
    async with opened(configs=configs) as runtime:
        await deploy(runtime)
        await deploy(runtime, GREETER.replace("greeter", "sleeper"))
        await runtime.stop("sleeper")
    async with opened(configs=configs) as runtime:
        states = {view.name.value: view.state for view in runtime.agents()}
        assert states == {"greeter": StateName.RUNNING, "sleeper": StateName.STOPPED}
        assert (await send(runtime, Incoming("Hello"))).text == "you said: Hello"


@criterion("STORY-005.2", "STORY-005.6")
async def test_a_message_survives_the_death_of_its_agents_process() -> None:
    async with opened() as runtime:
        await deploy(runtime)
        await send(runtime, Incoming("Hello"))
        accepted = await runtime.accept("greeter", Incoming("wait"))
        assert isinstance(accepted, Success)
        ticket = accepted.unwrap()
        await until(lambda: ticket.state is MessageState.RUNNING)
        os.kill(process_of(runtime), signal.SIGKILL)
        await until(lambda: runtime.agent("greeter").unwrap().restarts == 1)  # type: ignore[union-attr] # deployed above
        assert (await send(runtime, Incoming("Hello again"))).text == "you said: Hello again"
        runtime.cancel(ticket)
        assert (await ticket.done()) == NotAnswered(Cancelled())


async def test_an_agent_that_dies_too_often_fails_and_can_be_restarted() -> None:
    heard = Heard()
    async with opened(events=heard) as runtime:
        await deploy(runtime)
        for deaths in range(1, 7):
            await send(runtime, Incoming("Hello"))
            os.kill(process_of(runtime), signal.SIGKILL)
            await until(lambda: ended(heard) == deaths)  # noqa: B023 - called within the round
        await until(lambda: runtime.agent("greeter").unwrap().state is StateName.FAILED)  # type: ignore[union-attr] # deployed above
        refused = await runtime.accept("greeter", Incoming("Hello"))
        assert isinstance(refused, Failure)
        assert "SIGKILL" in str(refused.failure())
        assert isinstance(await runtime.restart("greeter"), Success)
        assert (await send(runtime, Incoming("Hello"))).text == "you said: Hello"
    assert any(isinstance(event, AgentFailed) for event in heard.events)


async def test_a_message_that_breaks_its_agent_every_time_fails_alone() -> None:
    memory = '[resources]\nmax_memory = "16MB"\n'
    async with opened() as runtime:
        await deploy(runtime, GREETER + memory)
        accepted = await runtime.accept("greeter", Incoming("x" * 40_000_000))
        assert isinstance(accepted, Success)
        with anyio.fail_after(20):
            outcome = await accepted.unwrap().done()
        assert outcome == NotAnswered(AgentCrashed("it reached its memory limit"))
        assert (await send(runtime, Incoming("Hello"))).text == "you said: Hello"


@criterion("STORY-005.1")
async def test_each_agent_has_a_process_of_its_own_and_its_story_is_told() -> None:
    heard = Heard()
    async with opened(events=heard) as runtime:
        await deploy(runtime)
        await deploy(runtime, GREETER.replace("greeter", "other"))
        await send(runtime, Incoming("Hello"))
        await send(runtime, Incoming("Hello"), "other")
        assert process_of(runtime) != process_of(runtime, "other")
        started = {event.pid for event in heard.events if isinstance(event, ProcessStarted)}
        assert started == {process_of(runtime), process_of(runtime, "other")}


def ended(heard: Heard) -> int:
    return sum(isinstance(event, ProcessEnded) for event in heard.events)


async def test_when_an_agent_was_last_at_work_is_known_also_after_it_stopped(
    runtime: Runtime,
) -> None:
    await deploy(runtime)
    await send(runtime, Incoming("Hello"))
    before = runtime.agents()[0].last_activity
    assert before is not None
    await runtime.stop("greeter")
    assert runtime.agents()[0].last_activity == before
    await runtime.start("greeter")
    assert runtime.agents()[0].last_activity == before
