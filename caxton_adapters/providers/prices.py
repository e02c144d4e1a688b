"""What a model's tokens cost, exactly: whole numbers of 10**-15 dollars a token."""

from datetime import UTC, date, datetime, time
from typing import TypeAlias, final

from attrs import field, frozen

from caxton_core.limits import Usage
from caxton_core.primitives import Usd

PER_BILLIONTH = 10**6
REQUESTS_PER_PRICE = 1_000


@final
@frozen
class Rate:
    """Femtodollars a token; a tier replaces the base for all tokens of a longer prompt."""

    base: int
    tiers: tuple[tuple[int, int], ...] = ()

    def of(self, prompt_tokens: int) -> int:
        """The rate for a prompt of this length."""
        rate = self.base
        for start, dearer in self.tiers:
            if prompt_tokens > start:
                rate = dearer
        return rate

    @property
    def highest(self) -> int:
        """The rate for the worst prompt."""
        return max(self.base, max((dearer for _, dearer in self.tiers), default=0))


@final
@frozen
class Rates:
    """What each kind of token costs; None where the price list is silent about the kind.

    Cached tokens without a rate cost what prompt tokens cost, reasoning what completions cost.
    """

    prompt: Rate | None = None
    completion: Rate | None = None
    cached: Rate | None = None
    reasoning: Rate | None = None
    request: int = 0


@final
@frozen
class Always:
    """In force at any time."""


@final
@frozen
class Since:
    """In force from a day on (UTC)."""

    day: date


@final
@frozen
class Daily:
    """In force between two times of each day (UTC); the second may be the next day's."""

    start: time
    end: time


Validity: TypeAlias = Always | Since | Daily


@final
@frozen
class PriceList:
    """A model's rates, of which the last that is in force counts, or else the first.

    `dearest` is what a prompt token, a completion token and a request cost at the worst time.
    """

    periods: tuple[tuple[Validity, Rates], ...]
    context_length: int | None = None
    dearest: tuple[int, int, int] = field(init=False)

    @dearest.default
    def _worst(self) -> tuple[int, int, int]:
        rates = [rates for _, rates in self.periods]
        return (
            max(_highest(each.prompt, each.cached) for each in rates),
            max(_highest(each.completion, each.reasoning) for each in rates),
            max(each.request for each in rates),
        )


def _highest(*rates: Rate | None) -> int:
    return max((rate.highest for rate in rates if rate is not None), default=0)


def cost(prices: PriceList, usage: Usage, now: datetime) -> Usd:
    """What the tokens cost, to the nearest billionth of a dollar."""
    periods = prices.periods
    rates = periods[0][1] if len(periods) == 1 else _in_force(prices, now)
    prompt, completion = usage.prompt_tokens, usage.completion_tokens
    femtodollars = rates.request
    if rates.cached is not None and usage.cached_tokens:
        cached = min(usage.cached_tokens, prompt)
        femtodollars += rates.cached.of(usage.prompt_tokens) * cached
        prompt -= cached
    if rates.reasoning is not None and usage.reasoning_tokens:
        reasoning = min(usage.reasoning_tokens, completion)
        femtodollars += rates.reasoning.of(usage.prompt_tokens) * reasoning
        completion -= reasoning
    if rates.prompt is not None:
        femtodollars += rates.prompt.of(usage.prompt_tokens) * prompt
    if rates.completion is not None:
        femtodollars += rates.completion.of(usage.prompt_tokens) * completion
    return Usd((femtodollars + PER_BILLIONTH // 2) // PER_BILLIONTH)


def most(prices: PriceList, prompt: int, completion: int) -> int:
    """The most that so many tokens can cost at any time, in billionths of a dollar."""
    of_prompt, of_completion, of_request = prices.dearest
    femtodollars = of_prompt * prompt + of_completion * completion + of_request
    return -(-femtodollars // PER_BILLIONTH)


def _in_force(prices: PriceList, now: datetime) -> Rates:
    for validity, rates in reversed(prices.periods):
        if _holds(validity, now):
            return rates
    return prices.periods[0][1]


def _holds(validity: Validity, now: datetime) -> bool:
    match validity:
        case Always():
            return True
        case Since(day):
            return now.astimezone(UTC).date() >= day
        case Daily(start, end):
            moment = now.astimezone(UTC).time()
            if end < start:
                return moment >= start or moment < end
            return start <= moment < end
