"""What a model's tokens cost, exactly: whole numbers of 10**-15 dollars a token."""

from datetime import UTC, date, datetime, time
from typing import TypeAlias, final

from attrs import frozen

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
    """A model's rates, of which the last that is in force counts, or else the first."""

    periods: tuple[tuple[Validity, Rates], ...]
    context_length: int | None = None


def cost(prices: PriceList, usage: Usage, now: datetime) -> Usd:
    """What the tokens cost, to the nearest billionth of a dollar."""
    rates = _in_force(prices, now)
    prompt, completion = usage.prompt_tokens, usage.completion_tokens
    cached = min(usage.cached_tokens, prompt) if rates.cached is not None else 0
    reasoning = min(usage.reasoning_tokens, completion) if rates.reasoning is not None else 0
    femtodollars = (
        _part(rates.prompt, prompt - cached, prompt)
        + _part(rates.cached, cached, prompt)
        + _part(rates.completion, completion - reasoning, prompt)
        + _part(rates.reasoning, reasoning, prompt)
        + rates.request
    )
    return Usd((femtodollars + PER_BILLIONTH // 2) // PER_BILLIONTH)


def _part(rate: Rate | None, tokens: int, prompt_tokens: int) -> int:
    return 0 if rate is None else rate.of(prompt_tokens) * tokens


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
