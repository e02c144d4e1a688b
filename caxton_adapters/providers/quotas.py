"""A provider's own limits: requests and tokens a minute, money a day.

Before a call the most that it can take is reserved, after it what it took is settled.
"""

from typing import final

from returns.result import Failure

from caxton_adapters.providers.prices import PriceList, most
from caxton_adapters.providers.settings import ProviderSettings
from caxton_core.conversation.model import LimitReached, ModelRequest, QuotaExhausted
from caxton_core.conversation.spending import (
    answer_tokens,
    bounded,
    most_prompt_tokens,
    prompt_tokens,
)
from caxton_core.limits import (
    DAY,
    MINUTE,
    Budget,
    Limit,
    NoRoom,
    Reservation,
    Spending,
    Unit,
    budget_of,
    reserve,
    settle,
)


def limits_of(settings: ProviderSettings) -> tuple[Limit, ...]:
    """The limits that an operator set on a provider."""
    limits = []
    if settings.requests_per_minute is not None:
        limits.append(Limit(Unit.REQUESTS, settings.requests_per_minute, MINUTE))
    if settings.tokens_per_minute is not None:
        limits.append(Limit(Unit.TOKENS, settings.tokens_per_minute, MINUTE))
    if settings.cost_per_day is not None:
        limits.append(Limit(Unit.MONEY, int(settings.cost_per_day * 10**9), DAY))
    return tuple(limits)


@final
class Quotas:
    """What is spent and reserved under a provider's limits."""

    def __init__(self, limits: tuple[Limit, ...]) -> None:
        self._budget: Budget = budget_of(*limits)
        units = {limit.unit for limit in limits}
        self._bounds_answers = bool(units & {Unit.TOKENS, Unit.MONEY})
        self.needs_price = Unit.MONEY in units

    def bounded(self, request: ModelRequest) -> ModelRequest:
        """The request with an end to its answer, where a limit needs one."""
        return bounded(request) if self._bounds_answers else request

    def enter(
        self, request: ModelRequest, prices: PriceList | None, now: float
    ) -> Reservation | LimitReached | QuotaExhausted:
        """Room for a bounded request, to be given back with `leave`."""
        if self.needs_price and prices is None:
            return QuotaExhausted("the model has no known price, so no limit can be kept")
        room = _most(request, prices) if self._bounds_answers else Spending(requests=1)
        granted = reserve(self._budget, room, now)
        if isinstance(granted, Failure):
            return _refusal(granted.failure())
        self._budget, reservation = granted.unwrap()
        return reservation

    def leave(self, reservation: Reservation, spent: Spending) -> None:
        """Tell what the call took."""
        self._budget = settle(self._budget, reservation, spent)


def _most(request: ModelRequest, prices: PriceList | None) -> Spending:
    answer = answer_tokens(request)
    money = 0 if prices is None else most(prices, most_prompt_tokens(request), answer)
    return Spending(1, prompt_tokens(request) + answer, money)


def _refusal(no_room: NoRoom) -> LimitReached | QuotaExhausted:
    if no_room.retry_after is None:
        return QuotaExhausted(f"one request may take more than the limit of {no_room.limit}")
    return LimitReached(str(no_room.limit), no_room.retry_after)
