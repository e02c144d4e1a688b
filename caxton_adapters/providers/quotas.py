"""A provider's own limits: requests and tokens a minute, money a day.

Before a call the most that it can take is reserved, after it what it took is settled. A limit of
tokens or money needs an end to the answer, so a request without one is given `LONGEST_ANSWER`.
"""

from typing import final

from attrs import evolve
from returns.result import Failure

from caxton_adapters.providers.prices import PriceList, most
from caxton_adapters.providers.settings import ProviderSettings
from caxton_core.conversation.model import (
    AnswerCut,
    AnswerEmpty,
    AnswerMalformed,
    LimitReached,
    ModelFailure,
    ModelRequest,
    Phase,
    QuotaExhausted,
    Sampling,
    TimedOut,
)
from caxton_core.conversation.window import BYTES_PER_TOKEN, estimated_tokens
from caxton_core.limits import (
    DAY,
    MINUTE,
    Budget,
    Limit,
    NoRoom,
    Reservation,
    Spending,
    Unit,
    Usage,
    budget_of,
    reserve,
    settle,
)
from caxton_core.primitives import TokenCount

LONGEST_ANSWER = 4_096


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
        self._seen = self._bounded = Sampling()
        units = {limit.unit for limit in limits}
        self._bounds_answers = bool(units & {Unit.TOKENS, Unit.MONEY})
        self.needs_price = Unit.MONEY in units

    def bounded(self, request: ModelRequest) -> ModelRequest:
        """The request with an end to its answer, where a limit needs one."""
        if not self._bounds_answers or request.sampling.max_tokens is not None:
            return request
        if request.sampling is not self._seen:
            self._seen = request.sampling
            self._bounded = evolve(request.sampling, max_tokens=TokenCount(LONGEST_ANSWER))
        return ModelRequest(
            request.messages,
            request.model,
            request.tools,
            self._bounded,
            request.response_format,
            request.timeout,
        )

    def enter(
        self, request: ModelRequest, prices: PriceList | None, now: float
    ) -> Reservation | LimitReached | QuotaExhausted:
        """Room for a bounded request, to be given back with `leave`."""
        if self.needs_price and prices is None:
            return QuotaExhausted("the model has no known price, so no limit can be kept")
        room = self._most(request, prices) if self._bounds_answers else Spending(requests=1)
        granted = reserve(self._budget, room, now)
        if isinstance(granted, Failure):
            return _refusal(granted.failure())
        self._budget, reservation = granted.unwrap()
        return reservation

    def leave(self, reservation: Reservation, spent: Spending) -> None:
        """Tell what the call took."""
        self._budget = settle(self._budget, reservation, spent)

    def _most(self, request: ModelRequest, prices: PriceList | None) -> Spending:
        """The most that a request can take: every byte may be a token of its own where money is."""
        bound = request.sampling.max_tokens
        answer = LONGEST_ANSWER if bound is None else bound.value
        estimate = 0
        for message in request.messages:
            estimate += estimated_tokens(message)
        if request.tools:
            estimate += _tool_bytes(request) // BYTES_PER_TOKEN
        money = 0 if prices is None else most(prices, estimate * BYTES_PER_TOKEN, answer)
        return Spending(1, estimate + answer, money)


def spent_by(usage: Usage, reservation: Reservation) -> Spending:
    """What an answered call took; everything that was reserved where the service does not say."""
    room = reservation.room
    if not usage.tokens:
        return room
    return Spending(1, usage.tokens, room.money if usage.cost is None else usage.cost.value)


def spent_in_vain(failure: ModelFailure, reservation: Reservation) -> Spending:
    """What a failed call took: all that was reserved if the service may have begun its work."""
    if isinstance(failure, TimedOut):
        began = failure.phase is not Phase.CONNECT
    else:
        began = isinstance(failure, AnswerCut | AnswerMalformed | AnswerEmpty)
    return reservation.room if began else Spending(requests=1)


def _tool_bytes(request: ModelRequest) -> int:
    return sum(
        len(tool.description) + len(tool.parameters.value) + len(tool.name.value)
        for tool in request.tools
    )


def _refusal(no_room: NoRoom) -> LimitReached | QuotaExhausted:
    if no_room.retry_after is None:
        return QuotaExhausted(f"one request may take more than the limit of {no_room.limit}")
    return LimitReached(str(no_room.limit), no_room.retry_after)
