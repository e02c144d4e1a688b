"""Changes of an agent that meet a full disk, or one another: made whole, or not at all."""

from collections.abc import Awaitable, Callable, Sequence

import anyio
import pytest
from attrs import define, field
from returns.result import Failure, Result, Success

from caxton_adapters.configs.in_memory import InMemoryConfigs
from caxton_adapters.runtime.refusals import UnknownAgent
from caxton_adapters.runtime.runtime import Runtime
from caxton_adapters.runtime.ticket import Incoming
from caxton_core.agent.record import AgentRecord, StateName
from caxton_core.agent.sections import Isolation
from caxton_core.conversation.outcome import MessageState, NotAnswered
from caxton_core.conversation.turn import Cancelled
from caxton_core.primitives import AgentId, CapabilityName
from caxton_core.storage import NotStored
from tests.adapters.runtime.test_runtime import GREETER, deploy, opened, send
from tests.fakes import Heard
from tests.waiting import until

FULL = NotStored("database or disk is full")


@define
class Disk:
    """A store whose disk may be full, and which may take its time."""

    full: bool = False
    pace: anyio.Event = field(factory=anyio.Event)
    waiting: int = 0
    _records: InMemoryConfigs = field(factory=InMemoryConfigs)

    async def save(self, record: AgentRecord) -> Result[None, NotStored]:
        return Failure(FULL) if self.full else await self._records.save(record)

    async def remove(self, agent: AgentId) -> Result[None, NotStored]:
        self.waiting += 1
        await self.pace.wait()
        return Failure(FULL) if self.full else await self._records.remove(agent)

    async def stored(self) -> Sequence[AgentRecord]:
        return await self._records.stored()


def a_full_disk() -> Disk:
    disk = Disk(full=True)
    disk.pace.set()
    return disk


async def state_of(disk: Disk) -> StateName:
    return (await disk.stored())[0].state


async def test_an_agent_that_cannot_be_stored_is_not_deployed() -> None:
    disk = a_full_disk()
    async with opened(Isolation.TASK, configs=disk) as runtime:
        assert await runtime.deploy(GREETER) == Failure(FULL)
        assert runtime.agents() == ()
        disk.full = False
        await deploy(runtime)


@pytest.mark.parametrize(
    "change",
    [
        lambda runtime: runtime.stop("greeter"),
        lambda runtime: runtime.delete("greeter"),
        lambda runtime: runtime.replace("greeter", GREETER.replace("greet.", "greet all.")),
    ],
    ids=["stop", "delete", "replace"],
)
async def test_a_change_that_cannot_be_stored_is_not_made(
    change: Callable[[Runtime], Awaitable[object]],
) -> None:
    disk = a_full_disk()
    disk.full = False
    async with opened(Isolation.TASK, configs=disk) as runtime:
        await deploy(runtime)
        disk.full = True
        assert await change(runtime) == Failure(FULL)
        assert (await send(runtime, Incoming("Hello"))).text == "you said: Hello"
        assert [agent.text for agent in runtime.agents()] == [GREETER]
    assert await state_of(disk) is StateName.RUNNING


async def test_an_agent_that_cannot_be_stored_as_running_stays_stopped() -> None:
    disk = Disk()
    async with opened(Isolation.TASK, configs=disk) as runtime:
        await deploy(runtime)
        await runtime.stop("greeter")
        disk.full = True
        assert await runtime.start("greeter") == Failure(FULL)
        assert [agent.state for agent in runtime.agents()] == [StateName.STOPPED]


async def test_an_agent_that_fails_beside_a_full_disk_fails_alone() -> None:
    disk = Disk()
    async with opened(Isolation.TASK, configs=disk) as runtime:
        await deploy(runtime)
        await deploy(runtime, GREETER.replace("greeter", "neighbour"))
        disk.full = True
        desk = runtime.supervisor.residents()[0].desk
        assert desk is not None
        for _ in range(20):
            desk.process_died(1, "killed")
        await until(lambda: runtime.agents()[0].state is StateName.FAILED)
        answer = await send(runtime, Incoming("Hello"), "neighbour")
        assert answer.text == "you said: Hello"


async def test_who_comes_after_a_deletion_finds_no_agent() -> None:
    disk = Disk()
    found: list[object] = []
    async with opened(Isolation.TASK, configs=disk) as runtime:
        await deploy(runtime)

        async def ask(change: Callable[[], Awaitable[object]]) -> None:
            found.append(await change())

        async with anyio.create_task_group() as asking:
            asking.start_soon(ask, lambda: runtime.delete("greeter"))
            await until(lambda: disk.waiting == 1)
            asking.start_soon(ask, lambda: runtime.delete("greeter"))
            asking.start_soon(ask, lambda: runtime.replace("greeter", GREETER))
            await anyio.wait_all_tasks_blocked()
            disk.pace.set()
        gone = Failure(UnknownAgent("greeter"))
        assert found == [Success(GREETER), gone, gone]
        assert list(await disk.stored()) == []


async def test_each_of_several_who_replace_an_agent_is_told_what_he_replaced() -> None:
    replaced: list[tuple[str | None, str]] = []
    async with opened(Isolation.TASK) as runtime:
        await deploy(runtime)

        async def replace(number: int) -> None:
            done = await runtime.replace("greeter", f"{GREETER}\n# {number}")
            assert isinstance(done, Success)
            replaced.append((done.unwrap().replaced, done.unwrap().text))

        async with anyio.create_task_group() as asking:
            for number in range(5):
                asking.start_soon(replace, number)
        assert {before for before, _ in replaced[1:]} == {after for _, after in replaced[:-1]}
        assert replaced[0][0] == GREETER
        assert runtime.agents()[0].text == replaced[-1][1]
        assert runtime.agents()[0].replaced is None


async def test_a_message_is_cancelled_also_while_its_agent_stops() -> None:
    heard = Heard()
    async with opened(Isolation.TASK, events=heard) as runtime:
        await deploy(runtime)
        ticket = (await runtime.accept("greeter", Incoming("wait"))).unwrap()  # type: ignore[union-attr] # deployed
        async with anyio.create_task_group() as asking:
            asking.start_soon(runtime.stop, "greeter")
            await until(lambda: runtime.offering(CapabilityName("greeting")) == ())
            assert ticket.state is MessageState.RUNNING
            runtime.cancel(ticket)
            with anyio.fail_after(20):
                assert await ticket.done() == NotAnswered(Cancelled())
        assert runtime.agents()[0].state is StateName.STOPPED
