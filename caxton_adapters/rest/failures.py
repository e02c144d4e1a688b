"""Why a turn gave no answer, in the terms of HTTP: statuses, codes and sentences."""

from typing import Final

from caxton_adapters.rest.problem import Refused, retry_after
from caxton_core.conversation.model import (
    AnswerCut,
    AnswerEmpty,
    AnswerMalformed,
    CircuitOpen,
    ContentFiltered,
    ContextTooLong,
    KeyMissing,
    LimitReached,
    ModelFailure,
    ModelNotFound,
    NameNotResolved,
    NotAuthenticated,
    NotPermitted,
    ProviderUnknown,
    QuotaExhausted,
    RateLimited,
    RequestRefused,
    ServiceFault,
    TimedOut,
    TlsFailed,
    Unreachable,
)
from caxton_core.conversation.outcome import (
    AgentCrashed,
    AgentGone,
    DeadLettered,
    OutcomeUnknown,
    Suspended,
    TurnFailure,
)
from caxton_core.conversation.turn import (
    BudgetReached,
    Cancelled,
    DeadlinePassed,
    ModelFailed,
    OutOfOrder,
    TokensSpent,
    TooManyToolRounds,
)
from caxton_core.storage import NotRead, NotStored

_UNPROCESSABLE: Final = 422
_LATER: Final = 429
_OURS: Final = 500
_BAD_GATEWAY: Final = 502
_UNAVAILABLE: Final = 503
_GATEWAY_TIMEOUT: Final = 504
_STARTS_IN: Final = 5.0


def of_turn(failure: TurnFailure) -> Refused:  # noqa: C901, PLR0912 - one case each
    """What is answered to the message whose turn failed."""
    match failure:
        case ModelFailed(reason):
            return of_model(reason)
        case DeadlinePassed():
            return Refused(_GATEWAY_TIMEOUT, "CX4020", "The turn's time was over.")
        case Cancelled():
            return Refused(409, "CX4021", "The message was cancelled.")
        case TooManyToolRounds(limit):
            detail = f"The model went on calling tools after {limit} rounds."
            return Refused(_OURS, "CX4022", detail)
        case TokensSpent(limit):
            detail = f"The turn's budget of {limit.value} tokens leaves no room for an answer."
            return Refused(_UNPROCESSABLE, "CX4023", detail)
        case BudgetReached():
            return _over_budget(failure)
        case OutOfOrder(observed, awaited):
            detail = f"A defect: the turn waited for {awaited} and was told {observed}."
            return Refused(_OURS, "CX4024", detail)
        case AgentCrashed(why):
            detail = _because("The agent broke down on this message", why)
            return Refused(_OURS, "CX4025", detail)
        case AgentGone(why):
            detail = _because("The agent left before it answered", why)
            return Refused(_UNAVAILABLE, "CX4026", detail, headers=(retry_after(1),))
        case OutcomeUnknown(calls):
            made = ", ".join(f"{call.name.value} ({call.id})" for call in calls)
            detail = f"The turn was cut off in these calls, and nobody knows what came of: {made}."
            return Refused(409, "CX4030", detail)
        case DeadLettered(attempts):
            detail = f"The server ended {attempts} times while it worked on this message."
            return Refused(_OURS, "CX4031", detail)
        case Suspended():
            detail = "The server is stopping; it keeps the message and answers it after its start."
            return Refused(_UNAVAILABLE, "CX4032", detail, headers=(retry_after(_STARTS_IN),))
        case NotStored(why):
            return not_stored(why)
        case NotRead(why):
            return not_read(why)


def not_stored(why: str) -> Refused:
    """What is answered where the disk takes nothing."""
    detail = f"The server cannot store the change, so nothing was changed: {why}."
    return Refused(_UNAVAILABLE, "CX4028", detail, headers=(retry_after(_STARTS_IN),))


def not_read(why: str) -> Refused:
    """What is answered where the database cannot be read."""
    detail = f"The server cannot read what it has stored: {why}."
    return Refused(_UNAVAILABLE, "CX4029", detail, headers=(retry_after(_STARTS_IN),))


def _over_budget(reached: BudgetReached) -> Refused:
    if reached.retry_after is None:
        detail = f"One call may take more than {reached.budget} allows: {reached.limit}."
        return Refused(_UNPROCESSABLE, "CX4027", detail)
    detail = f"The agent has spent its {reached.budget}: {reached.limit}."
    return _later("CX4009", detail, reached.retry_after)


def of_model(failure: ModelFailure) -> Refused:  # noqa: C901, PLR0912 - one case each
    """What is answered where the provider gave no answer."""
    match failure:
        case Unreachable(where, why):
            return _bad("CX5001", f"The provider at {where} cannot be reached", why)
        case NameNotResolved(host):
            return _bad("CX5002", f"The provider's host name {host} is unknown")
        case TlsFailed(where, why):
            return _bad("CX5003", f"No safe connection to {where}", why)
        case NotAuthenticated(why):
            return _bad("CX5004", "The provider does not accept the server's key", why)
        case NotPermitted(why):
            return _bad("CX5005", "The provider does not permit this", why)
        case ModelNotFound(model, why):
            says = f"The provider has no model {model}" if model else "No model is named"
            return _bad("CX5006", says, why)
        case RateLimited(why, seconds):
            return _later("CX5007", _because("The provider is asked too often", why), seconds)
        case QuotaExhausted(why):
            return _bad("CX5008", "The account at the provider has no credit left", why)
        case ContextTooLong(why):
            return _unfit("CX5009", "The conversation does not fit into the model's context", why)
        case ContentFiltered(why):
            return _unfit("CX5010", "The provider refuses the content", why)
        case RequestRefused(status, why):
            return _bad("CX5011", f"The provider refuses the request ({status})", why)
        case ServiceFault(status, why, seconds):
            return _bad("CX5012", f"The provider failed ({status})", why, seconds)
        case TimedOut(phase, after):
            detail = f"The provider was too slow: nothing within {after:g} s ({phase.value})."
            return Refused(_GATEWAY_TIMEOUT, "CX5013", detail)
        case AnswerCut(why):
            return _bad("CX5014", "The provider's answer ended in the middle", why)
        case AnswerMalformed(why):
            return _bad("CX5015", "The provider's answer cannot be read", why)
        case AnswerEmpty():
            return _bad("CX5016", "The provider's answer is empty")
        case KeyMissing(provider, places):
            detail = f"The provider {provider} needs a key; none was found in {', '.join(places)}."
            return Refused(_UNAVAILABLE, "CX5017", detail)
        case ProviderUnknown(name, known):
            return Refused(_UNAVAILABLE, "CX5018", _no_provider(name, known))
        case CircuitOpen(provider, seconds):
            detail = f"The provider {provider} failed too often and is left alone for a while."
            return Refused(_UNAVAILABLE, "CX5019", detail, headers=(retry_after(seconds),))
        case LimitReached(limit, seconds):
            detail = f"The server's own limit on the provider is reached: {limit}."
            return _later("CX5020", detail, seconds)


def _bad(code: str, what: str, why: str = "", seconds: float | None = None) -> Refused:
    headers = () if seconds is None else (retry_after(seconds),)
    return Refused(_BAD_GATEWAY, code, _because(what, why), headers=headers)


def _unfit(code: str, what: str, why: str) -> Refused:
    return Refused(_UNPROCESSABLE, code, _because(what, why))


def _because(what: str, why: str) -> str:
    """One sentence, also where the provider gave no reason or ended its own with a full stop."""
    reason = why.strip().rstrip(".")
    return f"{what}: {reason}." if reason else f"{what}."


def _no_provider(name: object, known: tuple[object, ...]) -> str:
    offered = ", ".join(map(str, known)) or "none"
    asked = "No default provider is configured" if name is None else f"No provider is called {name}"
    return f"{asked}; configured: {offered}."


def _later(code: str, detail: str, seconds: float | None) -> Refused:
    headers = () if seconds is None else (retry_after(seconds),)
    return Refused(_LATER, code, detail, headers=headers)
