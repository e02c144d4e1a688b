"""A provider as the last real calls met it; nobody is asked for the sake of this."""

from collections.abc import Callable, Mapping
from typing import Final, final

from attrs import frozen

from caxton_adapters.health.circuits import word
from caxton_adapters.health.component import Component, Fact, Part, Status
from caxton_core.conversation.model import (
    KeyMissing,
    ModelFailure,
    NotAuthenticated,
    NotPermitted,
    QuotaExhausted,
)
from caxton_core.resilience.breaker import Breaker, Closed, Outcome, outcome_of

_OPERATORS: Final = (KeyMissing, NotAuthenticated, NotPermitted, QuotaExhausted)
"""What only the operator can mend, though the service itself is well."""


@final
@frozen
class ProviderCondition:
    """Why the last call failed, if it did, and the breakers by model (empty: the default one)."""

    failure: ModelFailure | None = None
    breakers: Mapping[str, Breaker] = {}


def provider(
    name: str, condition: Callable[[], ProviderCondition], say: Callable[[ModelFailure], str]
) -> Part:
    """Whether a provider answers and accepts our key; one that does not leaves the server ready."""
    title = f"provider {name}"

    def look() -> Component:
        now = condition()
        circuits = {model or "default": word(each) for model, each in now.breakers.items()}
        facts: Mapping[str, Fact] = {"circuits": circuits} if circuits else {}
        reason = _reason(now, say)
        return Component(title, Status.WARN if reason else Status.WELL, reason, facts)

    return look


def _reason(now: ProviderCondition, say: Callable[[ModelFailure], str]) -> str:
    reasons = [
        f"calls of {model or 'the default model'} are held back (circuit {word(each)})"
        for model, each in now.breakers.items()
        if not isinstance(each, Closed)
    ]
    if now.failure is not None and _tells_of_the_service(now.failure):
        reasons.append(say(now.failure))
    return "; ".join(reasons)


def _tells_of_the_service(failure: ModelFailure) -> bool:
    return isinstance(failure, _OPERATORS) or outcome_of(failure) is Outcome.FAULT
