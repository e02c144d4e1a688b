"""A circuit breaker as a value: a service that mostly fails is left alone for a while.

`admit` asks whether a call may be made and gives a permit; `observed` tells what came of it.
A permit that was given before the breaker changed its state says nothing about the new one.
"""

from enum import Enum
from typing import TypeAlias, final

from attrs import frozen

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
from caxton_core.limits import Tally, aged, counted, tally_of

WINDOW = 30.0
FEWEST_CALLS = 10
PROBES = 3
SHORTEST_PAUSE = 30.0
LONGEST_PAUSE = 300.0
PROBE_AGAIN = 1.0
_REQUEST_TIMEOUT = 408
_SERVER_ERROR = 500


@final
class Outcome(Enum):
    """What a call says about the service: it answered, it refused us, it failed, or nothing."""

    ANSWERED = "answered"
    REFUSED = "refused"
    FAULT = "fault"
    ABANDONED = "abandoned"


@final
@frozen
class Closed:
    """Calls pass; those of the last half minute are counted."""

    epoch: int = 0
    calls: Tally = tally_of(WINDOW)
    faults: Tally = tally_of(WINDOW)


@final
@frozen
class Open:
    """No call passes until then; `pause` is how long this opening lasts, in seconds."""

    epoch: int
    until: float
    pause: float


@final
@frozen
class HalfOpen:
    """A few calls pass to see whether the service is back."""

    epoch: int
    pause: float
    probing: int = 0
    good: int = 0


Breaker: TypeAlias = Closed | Open | HalfOpen


@final
@frozen
class Permit:
    """Leave to make one call, given in one stretch of the breaker's life."""

    epoch: int


@final
@frozen
class Refused:
    """No call now; ask again after so many seconds."""

    retry_after: float


def admit(breaker: Breaker, now: float) -> tuple[Breaker, Permit] | Refused:
    """Whether a call may be made now, in monotonic seconds."""
    match breaker:
        case Closed(epoch):
            return breaker, Permit(epoch)
        case Open(epoch, until, pause):
            if now < until:
                return Refused(until - now)
            return HalfOpen(epoch, pause, probing=1), Permit(epoch)
        case HalfOpen(epoch, pause, probing, good):
            if probing + good >= PROBES:
                return Refused(PROBE_AGAIN)
            return HalfOpen(epoch, pause, probing + 1, good), Permit(epoch)


def observed(breaker: Breaker, permit: Permit, outcome: Outcome, now: float) -> Breaker:
    """The breaker after a call that it admitted."""
    if permit.epoch != breaker.epoch:
        return breaker
    match breaker:
        case Closed():
            return _counted(breaker, outcome, now)
        case HalfOpen():
            return _probed(breaker, outcome, now)
        case Open():
            return breaker


def answered(closed: Closed, times: int, at: float) -> Closed:
    """A closed breaker after so many good calls."""
    calls = counted(aged(closed.calls, at), times, at)
    return Closed(closed.epoch, calls, closed.faults)


def _counted(closed: Closed, outcome: Outcome, now: float) -> Closed | Open:
    match outcome:
        case Outcome.ABANDONED | Outcome.REFUSED:
            return closed
        case Outcome.ANSWERED:
            return answered(closed, 1, now)
        case Outcome.FAULT:
            calls = counted(aged(closed.calls, now), 1, now)
            faults = counted(aged(closed.faults, now), 1, now)
            if calls.total >= FEWEST_CALLS and 2 * faults.total >= calls.total:
                return Open(closed.epoch + 1, now + SHORTEST_PAUSE, SHORTEST_PAUSE)
            return Closed(closed.epoch, calls, faults)


def _probed(half: HalfOpen, outcome: Outcome, now: float) -> Breaker:
    match outcome:
        case Outcome.ABANDONED:
            return HalfOpen(half.epoch, half.pause, half.probing - 1, half.good)
        case Outcome.ANSWERED | Outcome.REFUSED:
            if half.good + 1 >= PROBES:
                return Closed(half.epoch + 1)
            return HalfOpen(half.epoch, half.pause, half.probing - 1, half.good + 1)
        case Outcome.FAULT:
            pause = min(LONGEST_PAUSE, 2 * half.pause)
            return Open(half.epoch + 1, now + pause, pause)


def outcome_of(failure: ModelFailure) -> Outcome:
    """What a failed call says about the service; what we refuse ourselves says nothing."""
    match failure:
        case (
            Unreachable()
            | NameNotResolved()
            | TlsFailed()
            | RateLimited()
            | TimedOut()
            | AnswerCut()
            | AnswerMalformed()
            | AnswerEmpty()
        ):
            return Outcome.FAULT
        case RequestRefused(status) | ServiceFault(status):
            fault = status == _REQUEST_TIMEOUT or status >= _SERVER_ERROR
            return Outcome.FAULT if fault else Outcome.REFUSED
        case (
            NotAuthenticated()
            | NotPermitted()
            | ModelNotFound()
            | QuotaExhausted()
            | ContextTooLong()
            | ContentFiltered()
        ):
            return Outcome.REFUSED
        case KeyMissing() | ProviderUnknown() | CircuitOpen() | LimitReached():
            return Outcome.ABANDONED
