"""A server that starts with thousands of unfinished messages has time for others meanwhile."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import anyio
from anyio.lowlevel import checkpoint
from attrs import define, evolve, field
from returns.result import Result, Success

from caxton_adapters.configs.in_memory import InMemoryConfigs
from caxton_adapters.journal.in_memory import InMemoryJournal
from caxton_adapters.runtime.isolation.choice import Hosts
from caxton_adapters.runtime.recovery import ENDED_AT_ONCE
from caxton_adapters.runtime.runtime import Runtime, running
from caxton_adapters.runtime.world import RESUMED_AT_ONCE
from caxton_core.agent.sections import Isolation
from caxton_core.conversation.outcome import MessageState
from caxton_core.events import MessageAccepted, TurnEvent
from caxton_core.journal import MessageQuery, StoredMessage, Unfinished
from caxton_core.primitives import AgentId, ConversationId, MessageId
from caxton_core.storage import NotRead, NotStored
from caxton_core.tools.tool import Caller
from tests.adapters.runtime.test_daily_budget import GREETER, Service
from tests.fakes import in_memory

MANY = 3 * ENDED_AT_ONCE
FEW = 10 * RESUMED_AT_ONCE


@define
class Watched:
    """A journal that counts how often it is written to."""

    kept: InMemoryJournal = field(factory=InMemoryJournal)
    appends: int = 0

    async def append(self, *events: TurnEvent) -> Result[None, NotStored]:
        self.appends += 1
        return await self.kept.append(*events)

    async def unfinished(self) -> Result[Sequence[Unfinished], NotRead]:
        return await self.kept.unfinished()

    async def find(self, message: MessageId) -> Result[StoredMessage | None, NotRead]:
        return await self.kept.find(message)

    async def keyed(self, agent: AgentId, key: str) -> Result[StoredMessage | None, NotRead]:
        return await self.kept.keyed(agent, key)


@define
class Crowded:
    """What agents remember, with the most who asked at the same time."""

    asking: int = 0
    most: int = 0

    async def recalled(self, caller: Caller, text: str) -> tuple[str, ...]:  # noqa: ARG002 - a port
        self.asking += 1
        self.most = max(self.most, self.asking)
        await checkpoint()
        self.asking -= 1
        return ()

    async def keep(self, caller: Caller, asked: str, answer: str) -> None:
        """Nothing is kept."""

    async def forget_agent(self, agent: AgentId) -> Result[int, NotStored]:  # noqa: ARG002 - a port
        return Success(0)


@define
class Servers:
    """One server after the other on the same stores."""

    configs: InMemoryConfigs = field(factory=InMemoryConfigs)
    journal: Watched = field(factory=Watched)
    memory: Crowded = field(factory=Crowded)

    @asynccontextmanager
    async def next(self) -> AsyncIterator[Runtime]:
        plain = in_memory(Service(), journal=self.journal.kept)
        world = evolve(plain, journal=self.journal, memory=self.memory, lasting=True)
        hosts = Hosts(default=Isolation.TASK)
        async with running(world, configs=self.configs, hosts=hosts) as runtime:
            if not runtime.agents():
                assert isinstance(await runtime.deploy(GREETER), Success)
            yield runtime

    async def leave_unfinished(self, runtime: Runtime, messages: int) -> None:
        """Record messages as a server does that dies before it answers them."""
        agent, now = runtime.agents()[0].id, datetime.now(UTC)
        for number in range(messages):
            message, place = MessageId(f"msg-{number}"), ConversationId(f"c-{number}")
            await self.journal.kept.append(MessageAccepted(agent, now, message, place, "Hello"))


async def test_turns_go_on_a_few_at_a_time_and_all_of_them() -> None:
    servers = Servers()
    async with servers.next() as runtime:
        await servers.leave_unfinished(runtime, FEW)
    async with servers.next() as runtime:
        recovered = await runtime.recover()
        assert recovered == Success(FEW)
        with anyio.fail_after(20):
            assert await runtime.drain(20) == 0
    query = MessageQuery(states=(MessageState.ANSWERED,), limit=FEW + 1)
    answered = (await servers.journal.kept.listed(query)).value_or(())
    assert len(answered) == FEW
    assert servers.memory.most == RESUMED_AT_ONCE


async def test_what_cannot_go_on_is_given_up_in_a_few_transactions() -> None:
    servers = Servers()
    async with servers.next() as runtime:
        assert isinstance(await runtime.stop("greeter"), Success)
        await servers.leave_unfinished(runtime, MANY)
    async with servers.next() as runtime:
        before = servers.journal.appends
        assert await runtime.recover() == Success(MANY)
        assert servers.journal.appends - before == MANY // ENDED_AT_ONCE
    query = MessageQuery(states=(MessageState.FAILED,), limit=MANY + 1)
    assert len((await servers.journal.kept.listed(query)).value_or(())) == MANY
