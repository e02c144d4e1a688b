"""Where the disk takes nothing: new work is refused, and what is at work waits for the disk."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import final

import anyio
import pytest
from attrs import define, evolve, field
from returns.result import Failure, Result, Success

from caxton_adapters.configs.in_memory import InMemoryConfigs
from caxton_adapters.journal.in_memory import InMemoryJournal
from caxton_adapters.providers.scripted.model import Scripted
from caxton_adapters.providers.scripted.scenario import read_scenario
from caxton_adapters.runtime.isolation.choice import Hosts
from caxton_adapters.runtime.runtime import Runtime, running
from caxton_adapters.runtime.ticket import Incoming
from caxton_core.agent.sections import Isolation
from caxton_core.conversation.outcome import Answered
from caxton_core.events import MessageAccepted, MessageEnded, TurnEvent
from caxton_core.journal import StoredMessage, Unfinished
from caxton_core.primitives import AgentId, ConversationId, MessageId, ProviderName
from caxton_core.storage import NotRead, NotStored
from tests.adapters.runtime.test_runtime import GREETER, SCENARIO, OneModel
from tests.fakes import in_memory
from tests.waiting import until

FULL = NotStored("the disk is full")
ONE = ConversationId("one")


@final
@define
class Disk:
    """A journal that takes nothing of some kinds while it is `full` of them."""

    kept: InMemoryJournal = field(factory=InMemoryJournal)
    full: tuple[type[TurnEvent], ...] = ()
    slow: bool = False
    refused: int = 0

    async def append(self, *events: TurnEvent) -> Result[None, NotStored]:
        if self.slow:
            await anyio.sleep(0.05)
        if any(isinstance(event, self.full) for event in events):
            self.refused += 1
            return Failure(FULL)
        return await self.kept.append(*events)

    async def unfinished(self) -> Result[Sequence[Unfinished], NotRead]:
        return await self.kept.unfinished()

    async def find(self, message: MessageId) -> Result[StoredMessage | None, NotRead]:
        return await self.kept.find(message)

    async def keyed(self, agent: AgentId, key: str) -> Result[StoredMessage | None, NotRead]:
        return await self.kept.keyed(agent, key)


@asynccontextmanager
async def opened(disk: Disk) -> AsyncIterator[Runtime]:
    scenario = read_scenario(SCENARIO)
    assert isinstance(scenario, Success)
    model = OneModel(Scripted(ProviderName("scripted"), scenario.unwrap()))
    world = evolve(in_memory(model, journal=disk.kept), journal=disk)
    hosts = Hosts(default=Isolation.TASK)
    async with running(world, configs=InMemoryConfigs(), hosts=hosts) as runtime:
        assert isinstance(await runtime.deploy(GREETER), Success)
        yield runtime


@pytest.mark.parametrize("slow", [False, True])
async def test_what_cannot_be_recorded_is_not_accepted_and_leaves_nothing(*, slow: bool) -> None:
    disk = Disk(full=(MessageAccepted,), slow=slow)
    async with opened(disk) as runtime:
        for _ in range(2):  # the key of a refused message stays free
            refused = await runtime.accept("greeter", Incoming("Hello", ONE, "key"))
            assert refused == Failure(FULL)
        assert runtime.in_flight == 0
        disk.full = ()
        accepted = await runtime.accept("greeter", Incoming("Hello", ONE, "key"))
        assert isinstance(accepted, Success)
        assert isinstance(await accepted.unwrap().done(), Answered)
        place = accepted.unwrap().place
        since = accepted.unwrap().accepted
        past = await runtime.world.pasts.of(place, at_most=9, now=0.0, today=since, idle=60.0)
        assert len(past.unwrap().messages) == 2  # type: ignore[union-attr] # it is in memory


async def test_a_refused_message_takes_nothing_from_a_conversation_that_is_not_lasting() -> None:
    disk = Disk()
    async with opened(disk) as runtime:
        fleeting = f"{GREETER}\n[conversation]\npersist = false\n"
        assert isinstance(await runtime.replace("greeter", fleeting), Success)
        first = await runtime.accept("greeter", Incoming("Hello", ONE))
        assert isinstance(first, Success)
        assert isinstance(await first.unwrap().done(), Answered)
        disk.full = (MessageAccepted,)
        assert await runtime.accept("greeter", Incoming("Hello", ONE)) == Failure(FULL)
        place, since, now = first.unwrap().place, first.unwrap().accepted, 0.0
        past = await runtime.world.pasts.of(
            place, at_most=9, now=now, today=since, idle=60.0, lasting=False
        )
        assert len(past.unwrap().messages) == 2  # type: ignore[union-attr] # it is in memory


async def test_who_waits_behind_another_is_refused_too() -> None:
    disk = Disk(slow=True)
    async with opened(disk) as runtime:
        disk.full = (MessageEnded,)
        first = await runtime.accept("greeter", Incoming("Hello", ONE))
        assert isinstance(first, Success)
        disk.full = (MessageEnded, MessageAccepted)
        assert await runtime.accept("greeter", Incoming("Hello again", ONE)) == Failure(FULL)
        disk.full = ()
        with anyio.fail_after(20):
            assert isinstance(await first.unwrap().done(), Answered)
        assert runtime.in_flight == 0


async def test_an_answer_waits_until_the_disk_takes_it() -> None:
    disk = Disk(full=(MessageEnded,))
    async with opened(disk) as runtime:
        accepted = await runtime.accept("greeter", Incoming("Hello"))
        assert isinstance(accepted, Success)
        await until(lambda: disk.refused > 1)
        assert accepted.unwrap().outcome is None
        disk.full = ()
        with anyio.fail_after(20):
            assert isinstance(await accepted.unwrap().done(), Answered)
