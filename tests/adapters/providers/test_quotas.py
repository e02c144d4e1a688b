"""An operator's limits on a provider hold for everything that is sent to it."""

from decimal import Decimal

import anyio
import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Failure, Success

from caxton_adapters.providers.prices import Always, PriceList, Rate, Rates, cost
from caxton_adapters.providers.pricing import Pricing
from caxton_adapters.providers.quotas import Quotas, limits_of
from caxton_adapters.providers.settings import ProviderSettings
from caxton_core.conversation.message import UserMessage
from caxton_core.conversation.model import LimitReached, QuotaExhausted, Sampling
from caxton_core.conversation.spending import LONGEST_ANSWER
from caxton_core.limits import DAY, MINUTE, Limit, Reservation, Unit, Usage
from caxton_core.primitives import Duration, TokenCount
from tests.acceptance.criteria import criterion
from tests.adapters.providers.guarded import HELLO, NAME, StoppedClock, World

OK = '[[rules]]\nanswer = "ok"\nusage = { prompt_tokens = 10, completion_tokens = 5 }'
PRICES = PriceList(((Always(), Rates(Rate(2 * 10**12), Rate(10**13))),))  # $2 and $10 a 1,000


async def expensive(_base_url: str, _model: str) -> PriceList | None:
    return PRICES


async def unknown(_base_url: str, _model: str) -> PriceList | None:
    return None


def bounded(tokens: int) -> Sampling:
    return Sampling(max_tokens=TokenCount(tokens))


def test_the_settings_become_limits() -> None:
    settings = ProviderSettings(
        name=NAME, requests_per_minute=60, tokens_per_minute=9_000, cost_per_day=Decimal("2.5")
    )
    told = [str(limit) for limit in limits_of(settings)]
    assert told == ["60 requests a minute", "9,000 tokens a minute", "$2.5 a day"]


@criterion("STORY-042.5")
async def test_requests_beyond_the_limit_wait_for_the_next_minute() -> None:
    world = World(OK, Limit(Unit.REQUESTS, 3, MINUTE))
    for _ in range(3):
        assert isinstance(await world.ask(), Success)
    refused = await world.ask()
    assert isinstance(refused, Failure)
    reached = refused.failure()
    assert isinstance(reached, LimitReached)
    assert reached.limit == "3 requests a minute"
    world.clock.seconds += reached.retry_after
    assert isinstance(await world.ask(), Success)


async def test_a_refusal_of_ours_is_neither_retried_nor_held_against_the_service() -> None:
    world = World(OK, Limit(Unit.REQUESTS, 1, MINUTE))
    for _ in range(30):
        await world.ask()
    assert world.clock.slept == []
    assert world.breakers.not_closed() == ()


async def test_what_was_reserved_and_not_spent_is_given_back() -> None:
    world = World(OK, Limit(Unit.TOKENS, 2_000, MINUTE))
    request = evolve(HELLO, sampling=bounded(1_500))
    for _ in range(30):  # 15 tokens each; a reservation is a hundred times that
        assert isinstance(await world.ask(request), Success)


async def test_an_answer_without_an_end_gets_one_where_tokens_are_limited() -> None:
    world = World(OK, Limit(Unit.TOKENS, 10_000, MINUTE))
    assert world.quotas is not None
    assert world.quotas.bounded(HELLO).sampling.max_tokens == LONGEST_ANSWER
    own = evolve(HELLO, sampling=bounded(7))
    assert world.quotas.bounded(own) is own


async def test_what_can_never_fit_is_said_so() -> None:
    world = World(OK, Limit(Unit.TOKENS, 1_000, MINUTE))
    refused = await world.ask()
    assert isinstance(refused, Failure)
    assert isinstance(refused.failure(), QuotaExhausted)


@criterion("STORY-042.5")
async def test_money_is_limited_by_what_answers_cost() -> None:
    world = World(OK, Limit(Unit.MONEY, 10**9, DAY), pricing=Pricing("https://x", expensive))
    request = evolve(HELLO, sampling=bounded(10))
    answers = [await world.ask(request) for _ in range(20)]
    paid = [one.unwrap().usage.cost for one in answers if isinstance(one, Success)]
    assert sum(price.value for price in paid if price is not None) <= 10**9
    assert 10 <= len(paid) < 20


async def test_without_a_price_a_limit_of_money_cannot_be_kept() -> None:
    world = World(OK, Limit(Unit.MONEY, 10**9, DAY), pricing=Pricing("https://x", unknown))
    refused = await world.ask()
    assert isinstance(refused, Failure)
    assert "no known price" in str(refused.failure())


@pytest.mark.parametrize("stream", [False, True])
async def test_a_cancelled_call_counts_as_if_it_had_been_answered(*, stream: bool) -> None:
    slow = '[streaming]\ndelay = "1h"\n'
    world = World(slow + OK, Limit(Unit.TOKENS, 1_000, MINUTE))
    request = evolve(HELLO, sampling=bounded(900), timeout=Duration(7200.0))
    with anyio.move_on_after(0.01):
        await world.ask(request, stream=stream)
    refused = await world.ask(request)
    assert isinstance(refused, Failure)
    assert isinstance(refused.failure(), LimitReached)


@pytest.mark.parametrize(("fail", "counts"), [("unreachable", False), ("answer_cut", True)])
async def test_a_failed_call_counts_if_the_service_may_have_worked(
    fail: str, *, counts: bool
) -> None:
    script = f'[[rules]]\nfail = "{fail}"\ntimes = 1\n' + OK
    world = World(script, Limit(Unit.TOKENS, 1_000, MINUTE), retries=0)
    request = evolve(HELLO, sampling=bounded(900))
    assert isinstance(await world.ask(request), Failure)
    assert isinstance(await world.ask(request), Failure if counts else Success)


@given(st.text(max_size=300), st.integers(1, 500), st.data())
def test_money_reserved_is_never_less_than_what_can_be_spent(
    text: str, answer: int, data: st.DataObject
) -> None:
    quotas = Quotas((Limit(Unit.MONEY, 10**15, DAY),))
    request = evolve(HELLO, messages=(UserMessage(text),), sampling=bounded(answer))
    granted = quotas.enter(request, PRICES, 0.0)
    assert isinstance(granted, Reservation)
    size = len(text.encode("utf-8", "replace"))
    spent = Usage(data.draw(st.integers(0, size)), data.draw(st.integers(0, answer)))
    assert cost(PRICES, spent, StoppedClock([]).now()).value <= granted.room.money
