"""One circuit breaker for each model of a provider.

Calls that succeed while a breaker is closed are the usual thing, so they are only counted; the
breaker itself hears of them with the next failure, or when the second changes.
"""

from typing import final

from attrs import define

from caxton_core.conversation.model import CircuitOpen
from caxton_core.primitives import ProviderName
from caxton_core.resilience.breaker import (
    Breaker,
    Closed,
    HalfOpen,
    Open,
    Outcome,
    Permit,
    Refused,
    admit,
    answered,
    observed,
)

_ANSWERED = Outcome.ANSWERED  # reading a member of an Enum class is slow before Python 3.12


@final
@define
class _Guarded:
    """A model's breaker, and the good calls that it has not heard of yet."""

    breaker: Breaker
    permit: Permit
    good: int = 0
    since: float = 0.0

    def told(self) -> Breaker:
        """The breaker after the good calls."""
        if self.good and isinstance(self.breaker, Closed):
            self.breaker = answered(self.breaker, self.good, self.since)
        self.good = 0
        return self.breaker


@final
class Breakers:
    """The breakers of a provider's models, by the model's name (empty: its default model)."""

    def __init__(self, provider: ProviderName) -> None:
        self._provider = provider
        self._guarded: dict[str, _Guarded] = {}

    def enter(self, model: str, now: float) -> Permit | CircuitOpen:
        """Leave to call the model, to be given back with `leave`."""
        guarded = self._guarded.get(model)
        if guarded is None:
            guarded = self._guarded[model] = _Guarded(Closed(), Permit(0))
        if isinstance(guarded.breaker, Closed):
            return guarded.permit
        admitted = admit(guarded.breaker, now)
        if isinstance(admitted, Refused):
            return CircuitOpen(self._provider, admitted.retry_after)
        guarded.breaker, guarded.permit = admitted
        return guarded.permit

    def leave(self, model: str, permit: Permit, outcome: Outcome, now: float) -> None:
        """Tell what came of the call."""
        guarded = self._guarded[model]
        closed = isinstance(guarded.breaker, Closed)
        if closed and outcome is _ANSWERED and permit is guarded.permit:
            if now - guarded.since >= 1.0:
                guarded.told()
                guarded.since = now
            guarded.good += 1
            return
        guarded.breaker = observed(guarded.told(), permit, outcome, now)
        guarded.permit = Permit(guarded.breaker.epoch)

    def by_model(self) -> dict[str, Breaker]:
        """The breaker of every model that was called, for health pages and metrics."""
        return {model: guarded.breaker for model, guarded in self._guarded.items()}

    def not_closed(self) -> tuple[tuple[str, Open | HalfOpen], ...]:
        """The models that are left alone now, for health pages and metrics."""
        return tuple(
            (model, guarded.breaker)
            for model, guarded in self._guarded.items()
            if not isinstance(guarded.breaker, Closed)
        )
