"""What an agent may spend in a day is never exceeded, whatever happens to its calls."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from attrs import define, field
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from returns.result import Failure, Result, Success

from caxton_adapters.configs.in_memory import InMemoryConfigs
from caxton_adapters.runtime.isolation.choice import Hosts
from caxton_adapters.runtime.runtime import Runtime, running
from caxton_adapters.runtime.ticket import Incoming
from caxton_adapters.runtime.views import AgentView
from caxton_core.agent.sections import Isolation
from caxton_core.conversation.model import (
    AnswerCut,
    Completion,
    FinishReason,
    Healthy,
    ModelCapabilities,
    ModelFailure,
    ModelRequest,
    ProviderUnknown,
    QuotaExhausted,
    TextDelta,
)
from caxton_core.conversation.outcome import Answered, NotAnswered, Outcome
from caxton_core.conversation.spending import LONGEST_ANSWER
from caxton_core.conversation.turn import BudgetReached, ModelFailed
from caxton_core.limits import Usage
from caxton_core.ports import Answer, Model
from caxton_core.primitives import ModelName, ProviderName, Usd
from tests.fakes import in_memory
from tests.waiting import PATIENCE, until

GREETER = 'name = "greeter"\nsystem_prompt = "You greet."\n[llm]\nmax_tokens = 100\n'
CENT = 10**7


@define(eq=False)
class Service:
    """A model that counts what it was asked, and the prices of its calls."""

    usage: Usage = Usage(10, 5)
    price: Usd | None = None
    fails: ModelFailure | None = None
    waits: float = 0.0
    asked: list[ModelRequest] = field(factory=list)

    async def complete(self, request: ModelRequest) -> Answer:
        self.asked.append(request)
        await anyio.sleep(self.waits)
        if self.fails is not None:
            return Failure(self.fails)
        return Success(Completion("Hi", FinishReason.STOP, self.usage, "some-model"))

    async def stream(self, request: ModelRequest) -> AsyncIterator[TextDelta | Answer]:
        yield await self.complete(request)

    async def capabilities(
        self, model: ModelName | None = None
    ) -> Result[ModelCapabilities, ModelFailure]:
        return Failure(QuotaExhausted(str(model)))

    async def health(self) -> Result[Healthy, ModelFailure]:
        return Success(Healthy())

    def find(self, _: ProviderName | None) -> Result[Model, ProviderUnknown]:
        return Success(self)

    async def quote(self, _: ProviderName | None, request: ModelRequest) -> Usd | None:
        assert request.sampling.max_tokens is not None
        return self.price


@asynccontextmanager
async def opened(service: Service, *written: str) -> AsyncIterator[Runtime]:
    world = in_memory(service)
    hosts = Hosts(default=Isolation.TASK)
    async with running(world, configs=InMemoryConfigs(), hosts=hosts) as runtime:
        assert isinstance(await runtime.deploy(file(*written)), Success)
        yield runtime


def file(*written: str) -> str:
    return "\n".join((GREETER, "[budget]", *written))


async def send(runtime: Runtime) -> Outcome:
    accepted = await runtime.accept("greeter", Incoming("Hello"))
    assert isinstance(accepted, Success)
    with anyio.fail_after(20):
        return await accepted.unwrap().done()


def shown(runtime: Runtime) -> AgentView:
    found = runtime.agent("greeter")
    assert isinstance(found, Success)
    return found.unwrap()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(1, 1_000), st.integers(0, 110), st.integers(1, 30))
def test_many_messages_at_once_never_spend_more_than_a_day_allows(
    limit: int, tokens: int, messages: int
) -> None:
    async def spent() -> int:
        service = Service(Usage(0, tokens), waits=0.001)
        async with opened(service, f"tokens_per_day = {limit}") as runtime:
            async with anyio.create_task_group() as together:
                for _ in range(messages):
                    together.start_soon(send, runtime)
            (balance,) = shown(runtime).balances
            assert balance.reserved == 0
            return balance.spent

    assert anyio.run(spent) <= limit


async def test_a_spent_budget_says_which_and_when_there_is_room_again() -> None:
    service = Service(Usage(100, 20))
    async with opened(service, "tokens_per_day = 250") as runtime:
        outcomes = [await send(runtime) for _ in range(3)]
    assert [type(outcome) for outcome in outcomes] == [Answered, Answered, NotAnswered]
    assert isinstance(outcomes[2], NotAnswered)
    reached = outcomes[2].why
    assert isinstance(reached, BudgetReached)
    assert (reached.budget, reached.limit) == ("budget.tokens_per_day", "250 tokens a day")
    assert reached.retry_after is not None
    assert 80_000 < reached.retry_after <= 1.05 * 86_400
    assert len(service.asked) == 2


async def test_an_answer_without_an_end_gets_one_only_where_a_budget_needs_it() -> None:
    for written, most in (("tokens_per_day = 9000", LONGEST_ANSWER), ("", None)):
        service = Service()
        async with opened(service, written) as runtime:
            text = file(written).replace("max_tokens = 100", "")
            assert isinstance(await runtime.replace("greeter", text), Success)
            await send(runtime)
        assert service.asked[0].sampling.max_tokens == most


async def test_money_is_reserved_at_its_quote_and_settled_at_its_cost() -> None:
    service = Service(Usage(10, 5, cost=Usd(2 * CENT)), price=Usd(40 * CENT))
    async with opened(service, "cost_per_day = 1.0") as runtime:
        outcomes = [await send(runtime) for _ in range(40)]
        (balance,) = shown(runtime).balances
    answered = sum(isinstance(outcome, Answered) for outcome in outcomes)
    assert answered == 31  # 30 cost 60 cents; after the next one 40 do not fit any more
    assert (balance.spent, balance.left) == (62 * CENT, 38 * CENT)


async def test_without_a_price_a_budget_of_money_cannot_be_kept() -> None:
    service = Service()
    async with opened(service, "cost_per_day = 1.0") as runtime:
        outcome = await send(runtime)
    assert isinstance(outcome, NotAnswered)
    assert isinstance(outcome.why, ModelFailed)
    assert "no known price" in str(outcome.why.failure)
    assert service.asked == []


async def test_a_call_larger_than_the_budget_is_told_that_waiting_does_not_help() -> None:
    async with opened(Service(), "tokens_per_day = 50") as runtime:
        outcome = await send(runtime)
    assert isinstance(outcome, NotAnswered)
    assert outcome.why == BudgetReached("budget.tokens_per_day", "50 tokens a day", None)


async def test_a_call_that_failed_after_its_work_counts_as_if_it_had_been_answered() -> None:
    for failure, counts in ((AnswerCut("in the middle"), True), (QuotaExhausted("none"), False)):
        async with opened(Service(fails=failure), "tokens_per_day = 250") as runtime:
            await send(runtime)
            (balance,) = shown(runtime).balances
        assert (balance.spent > 100) is counts
        assert balance.reserved == 0


async def test_a_cancelled_call_counts_as_if_it_had_been_answered() -> None:
    service = Service(waits=60.0)
    async with opened(service, "tokens_per_day = 1000") as runtime:
        ticket = (await runtime.accept("greeter", Incoming("Hello"))).unwrap()  # type: ignore[union-attr] # runs
        with anyio.fail_after(PATIENCE):
            await until(lambda: bool(service.asked))
            assert shown(runtime).balances[0].reserved > 100
            runtime.cancel(ticket)
            await ticket.done()
        (balance,) = shown(runtime).balances
    assert balance.spent > 100
    assert balance.reserved == 0


async def test_what_was_spent_stays_spent_when_the_file_is_replaced_or_the_agent_restarted() -> (
    None
):
    async with opened(Service(), "tokens_per_day = 1000") as runtime:
        await send(runtime)
        await runtime.replace("greeter", file("tokens_per_day = 500", "cost_per_day = 2.0"))
        await runtime.restart("greeter")
        tokens, money = shown(runtime).balances
        assert (tokens.spent, tokens.left) == (15, 485)
        assert (money.spent, money.left) == (0, 2 * 10**9)
        await runtime.replace("greeter", file())
        assert shown(runtime).balances == ()
        await runtime.replace("greeter", file("tokens_per_day = 100"))
        assert shown(runtime).balances[0].spent == 15
