"""A server that starts knows what the ones before it spent that day: no crash loop pays twice."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from attrs import define, evolve, field
from returns.result import Success

from caxton_adapters.clock import SystemClock
from caxton_adapters.configs.in_memory import InMemoryConfigs
from caxton_adapters.journal.in_memory import InMemoryJournal
from caxton_adapters.runtime.isolation.choice import Hosts
from caxton_adapters.runtime.runtime import Runtime, running
from caxton_core.agent.sections import Isolation
from caxton_core.conversation.model import Completion, FinishReason
from caxton_core.conversation.outcome import Answered, NotAnswered
from caxton_core.conversation.turn import BudgetReached, ModelAnswered
from caxton_core.events import MessageAccepted, Observed
from caxton_core.limits import Usage
from caxton_core.primitives import ConversationId, MessageId, Usd
from tests.adapters.runtime.test_daily_budget import CENT, Service, file, send, shown
from tests.fakes import in_memory


@define
class Later:
    """A clock that stands so much after the one of the machine."""

    passed: timedelta = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.passed

    def monotonic(self) -> float:
        return SystemClock().monotonic()


@define
class Servers:
    """One server after the other on the same stores, with an agent that may spend so much a day."""

    service: Service
    budget: str
    configs: InMemoryConfigs = field(factory=InMemoryConfigs)
    journal: InMemoryJournal = field(factory=InMemoryJournal)

    @asynccontextmanager
    async def next(self, passed: timedelta = timedelta()) -> AsyncIterator[Runtime]:
        world = in_memory(self.service, clock=Later(passed), journal=self.journal)
        hosts = Hosts(default=Isolation.TASK)
        async with running(
            evolve(world, lasting=True), configs=self.configs, hosts=hosts
        ) as runtime:
            if not runtime.agents():
                assert isinstance(await runtime.deploy(file(self.budget)), Success)
            assert isinstance(await runtime.recover(), Success)
            yield runtime


async def test_what_earlier_servers_spent_that_day_stays_spent() -> None:
    servers = Servers(Service(Usage(100, 20)), "tokens_per_day = 250")
    outcomes = []
    for _ in range(3):
        async with servers.next() as runtime:
            outcomes.append(await send(runtime))
    assert [type(outcome) for outcome in outcomes] == [Answered, Answered, NotAnswered]
    assert isinstance(outcomes[2], NotAnswered)
    assert isinstance(outcomes[2].why, BudgetReached)
    assert len(servers.service.asked) == 2


async def test_money_that_was_spent_stays_spent() -> None:
    service = Service(Usage(10, 5, cost=Usd(2 * CENT)), price=Usd(40 * CENT))
    servers = Servers(service, "cost_per_day = 1.0")
    async with servers.next() as runtime:
        await send(runtime)
    async with servers.next() as runtime:
        (balance,) = shown(runtime).balances
    assert balance.spent == 2 * CENT


async def test_what_was_spent_longer_ago_than_a_day_is_forgotten() -> None:
    servers = Servers(Service(Usage(100, 20)), "tokens_per_day = 250")
    async with servers.next() as runtime:
        await send(runtime)
    for hours, spent in ((23, 120), (25, 0), (-1, 120)):  # the last one's clock was put back
        async with servers.next(timedelta(hours=hours)) as runtime:
            (balance,) = shown(runtime).balances
        assert balance.spent == spent


async def test_what_a_turn_spent_that_goes_on_counts_too() -> None:
    servers = Servers(Service(Usage(100, 20), waits=60.0), "tokens_per_day = 500")
    async with servers.next() as runtime:
        agent, now = runtime.agents()[0].id, datetime.now(UTC)
    message = MessageId("msg-1")
    answer = Completion("Hi", FinishReason.TOOL_CALLS, Usage(100, 20), "some-model")
    accepted = MessageAccepted(agent, now, message, ConversationId("c"), "Hello")
    await servers.journal.append(accepted, Observed(agent, now, message, ModelAnswered(answer)))
    async with servers.next() as runtime:
        (balance,) = shown(runtime).balances
    assert balance.spent == 120


async def test_an_agent_that_is_stopped_has_spent_it_when_it_runs_again() -> None:
    servers = Servers(Service(Usage(100, 20)), "tokens_per_day = 250")
    async with servers.next() as runtime:
        await send(runtime)
        assert isinstance(await runtime.stop("greeter"), Success)
    async with servers.next() as runtime:
        assert isinstance(await runtime.start("greeter"), Success)
        (balance,) = shown(runtime).balances
    assert balance.spent == 120
