"""One circuit breaker for each model of a provider."""

from typing import final

from returns.result import Failure, Result, Success

from caxton_core.conversation.model import CircuitOpen
from caxton_core.primitives import ProviderName
from caxton_core.resilience.breaker import (
    Breaker,
    Closed,
    HalfOpen,
    Open,
    Outcome,
    Permit,
    admit,
    observed,
)


@final
class Breakers:
    """The breakers of a provider's models, by the model's name (empty: its default model)."""

    def __init__(self, provider: ProviderName) -> None:
        self._provider = provider
        self._breakers: dict[str, Breaker] = {}

    def enter(self, model: str, now: float) -> Result[Permit, CircuitOpen]:
        """Leave to call the model, to be given back with `leave`."""
        admitted = admit(self._breakers.get(model, _FRESH), now)
        if isinstance(admitted, Failure):
            return Failure(CircuitOpen(self._provider, admitted.failure().retry_after))
        self._breakers[model], permit = admitted.unwrap()
        return Success(permit)

    def leave(self, model: str, permit: Permit, outcome: Outcome, now: float) -> None:
        """Tell what came of the call."""
        self._breakers[model] = observed(self._breakers[model], permit, outcome, now)

    def not_closed(self) -> tuple[tuple[str, Open | HalfOpen], ...]:
        """The models that are left alone now, for health pages and metrics."""
        return tuple(
            (model, breaker)
            for model, breaker in self._breakers.items()
            if not isinstance(breaker, Closed)
        )


_FRESH = Closed()
