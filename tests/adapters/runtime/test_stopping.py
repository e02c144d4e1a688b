"""Nobody's answer is cut off unless it is done by force: one rule for stop, restart and delete."""

from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import final

import anyio
import pytest
from attrs import define, field
from returns.result import Failure, Result, Success

from caxton_adapters.configs.in_memory import InMemoryConfigs
from caxton_adapters.providers.scripted.model import Scripted
from caxton_adapters.providers.scripted.scenario import read_scenario
from caxton_adapters.runtime.isolation.choice import Hosts
from caxton_adapters.runtime.refusals import NotRunning, TurnsInFlight
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
from caxton_core.conversation.outcome import AgentGone, Answered, NotAnswered
from caxton_core.conversation.turn import DeadlinePassed
from caxton_core.ports import Answer
from caxton_core.primitives import AgentId, AgentName, CapabilityName, ModelName, ProviderName
from caxton_core.storage import NotStored
from tests.adapters.runtime.test_runtime import (
    GREETER,
    SCENARIO,
    OneModel,
    deploy,
    process_of,
    send,
)
from tests.fakes import in_memory
from tests.waiting import until

STOPPING = Failure(NotRunning(AgentName("greeter"), "stopping"))


def scripted() -> Scripted:
    scenario = read_scenario(SCENARIO)
    assert isinstance(scenario, Success), scenario
    return Scripted(ProviderName("scripted"), scenario.unwrap())


@final
@define
class Held:
    """A model that answers once it is let."""

    let: anyio.Event = field(factory=anyio.Event)
    asked: int = 0
    _model: Scripted = field(factory=scripted)

    async def complete(self, request: ModelRequest) -> Answer:
        self.asked += 1
        await self.let.wait()
        return await self._model.complete(request)

    def stream(self, request: ModelRequest) -> AsyncIterator[TextDelta | Answer]:
        return self._model.stream(request)

    def capabilities(
        self, model: ModelName | None = None
    ) -> Awaitable[Result[ModelCapabilities, ModelFailure]]:
        return self._model.capabilities(model)

    def health(self) -> Awaitable[Result[Healthy, ModelFailure]]:
        return self._model.health()


@asynccontextmanager
async def busy(
    model: Held, isolation: Isolation = Isolation.TASK
) -> AsyncIterator[tuple[Runtime, Ticket, Ticket]]:
    """A runtime whose agent answers one message while another one waits."""
    world = in_memory(OneModel(model))
    hosts = Hosts(default=isolation)
    with anyio.fail_after(30):
        async with running(world, configs=InMemoryConfigs(), hosts=hosts) as runtime:
            await deploy(runtime, GREETER + "[resources]\nmax_concurrent_turns = 1\n")
            first = await runtime.accept("greeter", Incoming("first"))
            second = await runtime.accept("greeter", Incoming("second"))
            assert isinstance(first, Success)
            assert isinstance(second, Success)
            await until(lambda: model.asked > 0)
            yield runtime, first.unwrap(), second.unwrap()


def state(runtime: Runtime) -> StateName:
    return runtime.agents()[0].state


async def test_an_agent_is_stopped_when_it_has_answered_what_it_was_given() -> None:
    model = Held()
    async with busy(model) as (runtime, first, second), anyio.create_task_group() as tasks:
        tasks.start_soon(runtime.stop, "greeter")
        await until(lambda: runtime.offering(CapabilityName("greeting")) == ())
        assert await runtime.accept("greeter", Incoming("third")) == STOPPING
        assert state(runtime) is StateName.RUNNING
        model.let.set()
        assert isinstance(await first.done(), Answered)
        assert isinstance(await second.done(), Answered)
        await until(lambda: state(runtime) is StateName.STOPPED)


async def test_by_force_an_agent_is_stopped_at_once() -> None:
    async with busy(Held()) as (runtime, first, second), anyio.create_task_group() as tasks:
        tasks.start_soon(runtime.stop, "greeter")
        await until(lambda: runtime.offering(CapabilityName("greeting")) == ())
        assert isinstance(await runtime.stop("greeter", force=True), Success)
        assert state(runtime) is StateName.STOPPED
        for ticket in (first, second):
            assert await ticket.done() == NotAnswered(AgentGone("it was stopped"))


async def test_whoever_starts_an_agent_takes_back_that_it_is_to_stop() -> None:
    model = Held()
    async with busy(model) as (runtime, _, second):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(runtime.stop, "greeter")
            await until(lambda: runtime.offering(CapabilityName("greeting")) == ())
            await runtime.start("greeter")
            model.let.set()
        assert isinstance(await second.done(), Answered)
        assert state(runtime) is StateName.RUNNING
        assert (await send(runtime, Incoming("third"))).text == "you said: third"


async def test_who_does_not_wait_for_the_end_takes_it_back() -> None:
    model = Held()
    async with busy(model) as (runtime, _, second):
        with anyio.move_on_after(0.05):
            await runtime.stop("greeter")
        model.let.set()
        assert isinstance(await second.done(), Answered)
        assert (await send(runtime, Incoming("third"))).text == "you said: third"


@pytest.mark.parametrize("isolation", [Isolation.TASK, Isolation.PROCESS])
async def test_a_restarted_agent_takes_messages_and_cuts_nobody_off(isolation: Isolation) -> None:
    model = Held()
    async with busy(model, isolation) as (runtime, first, second):
        assert isinstance(await runtime.restart("greeter"), Success)
        third = await runtime.accept("greeter", Incoming("third"))
        assert isinstance(third, Success)
        model.let.set()
        for ticket in (first, second, third.unwrap()):
            assert isinstance(await ticket.done(), Answered)


async def test_a_restarted_agent_has_another_process() -> None:
    model = Held()
    model.let.set()
    async with busy(model, Isolation.PROCESS) as (runtime, _, second):
        await second.done()
        before = process_of(runtime)
        await runtime.restart("greeter")
        await send(runtime, Incoming("Hello"))
        assert process_of(runtime) != before


async def test_a_restart_by_force_cuts_off_what_is_at_work() -> None:
    model = Held()
    async with busy(model) as (runtime, first, _):
        await runtime.restart("greeter", force=True)
        assert await first.done() == NotAnswered(AgentGone("it was stopped"))
        model.let.set()
        assert (await send(runtime, Incoming("third"))).text == "you said: third"


async def test_an_agent_at_work_is_not_deleted_and_goes_on() -> None:
    model = Held()
    async with busy(model) as (runtime, first, _):
        kept = await runtime.delete("greeter")
        assert kept == Failure(TurnsInFlight(AgentName("greeter"), 2))
        model.let.set()
        assert isinstance(await first.done(), Answered)


async def test_who_cannot_be_deleted_leaves_no_message_without_an_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def fails(_: AgentId) -> Result[int, NotStored]:
        return Failure(NotStored("the disk answers with an error"))

    async with busy(Held()) as (runtime, first, _):
        messages, journal = runtime.world.messages, runtime.world.journal
        monkeypatch.setattr(messages, "forget_agent", fails)
        assert isinstance(await runtime.delete("greeter", force=True), Failure)
        await first.done()
        await anyio.wait_all_tasks_blocked()
        assert await journal.unfinished() == Success([])


async def test_a_message_whose_time_is_over_when_its_turn_comes_asks_no_model() -> None:
    model = Held()
    async with busy(model) as (_, first, second):
        second.deadline = 0.0
        model.let.set()
        assert isinstance(await first.done(), Answered)
        assert await second.done() == NotAnswered(DeadlinePassed())
    assert model.asked == 1
