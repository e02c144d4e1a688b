"""The failures that a rule plays, as a real service would report them."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from caxton_adapters.providers.scripted.scenario import FailureName
from caxton_core.conversation.model import (
    AnswerCut,
    AnswerEmpty,
    AnswerMalformed,
    ContentFiltered,
    ContextTooLong,
    KeyMissing,
    ModelFailure,
    ModelNotFound,
    NameNotResolved,
    NotAuthenticated,
    NotPermitted,
    Phase,
    QuotaExhausted,
    RateLimited,
    RequestRefused,
    ServiceFault,
    TimedOut,
    TlsFailed,
    Unreachable,
)
from caxton_core.primitives import Duration, ProviderName

WHY = "the scenario says so"
_BAD_REQUEST = 400
_UNAVAILABLE = 503

_Made: TypeAlias = Callable[[ProviderName, float | None], ModelFailure]
_FAILURES: Mapping[FailureName, _Made] = {
    FailureName.UNREACHABLE: lambda name, _: Unreachable(name.value, WHY),
    FailureName.NAME_NOT_RESOLVED: lambda name, _: NameNotResolved(name.value),
    FailureName.TLS_FAILED: lambda name, _: TlsFailed(name.value, WHY),
    FailureName.NOT_AUTHENTICATED: lambda _, __: NotAuthenticated(WHY),
    FailureName.NOT_PERMITTED: lambda _, __: NotPermitted(WHY),
    FailureName.MODEL_NOT_FOUND: lambda _, __: ModelNotFound("scripted", WHY),
    FailureName.RATE_LIMITED: lambda _, wait: RateLimited(WHY, wait),
    FailureName.QUOTA_EXHAUSTED: lambda _, __: QuotaExhausted(WHY),
    FailureName.CONTEXT_TOO_LONG: lambda _, __: ContextTooLong(WHY),
    FailureName.CONTENT_FILTERED: lambda _, __: ContentFiltered(WHY),
    FailureName.REQUEST_REFUSED: lambda _, __: RequestRefused(_BAD_REQUEST, WHY),
    FailureName.SERVICE_FAULT: lambda _, wait: ServiceFault(_UNAVAILABLE, WHY, wait),
    FailureName.TIMED_OUT: lambda _, __: TimedOut(Phase.FIRST_BYTE, 0.0),
    FailureName.ANSWER_CUT: lambda _, __: AnswerCut(WHY),
    FailureName.ANSWER_MALFORMED: lambda _, __: AnswerMalformed(WHY),
    FailureName.ANSWER_EMPTY: lambda _, __: AnswerEmpty(),
    FailureName.KEY_MISSING: lambda name, _: KeyMissing(name, (WHY,)),
}


def played(name: FailureName, provider: ProviderName, wait: Duration | None) -> ModelFailure:
    """The failure of this name."""
    return _FAILURES[name](provider, None if wait is None else wait.value)


def without_rule(said: str) -> RequestRefused:
    """What is answered to a text that the scenario does not know."""
    return RequestRefused(_BAD_REQUEST, f"no rule of the scenario fits {said[:80]!r}")
