"""When a failed call is tried again, and after how long.

Only what a repetition can help is repeated, after a random wait (full jitter), and a service that
is down gets little more than its usual load: retries have a budget of their own.
"""

from typing import final

from attrs import frozen

from caxton_core.conversation.model import (
    ModelFailure,
    NameNotResolved,
    Phase,
    RateLimited,
    RequestRefused,
    ServiceFault,
    TimedOut,
    Unreachable,
)
from caxton_core.limits import Tally, aged, counted, tally_of

WINDOW = 10.0
FEWEST_RETRIES = 30
REQUESTS_PER_RETRY = 10
_REQUEST_TIMEOUT = 408
_CONFLICT = 409


@final
@frozen
class RetryPolicy:
    """How often and how slowly; times are in seconds."""

    most: int = 3
    base: float = 0.5
    cap: float = 20.0


@final
@frozen
class RetryBudget:
    """What was asked and what was asked again in the last seconds."""

    requests: Tally = tally_of(WINDOW)
    retries: Tally = tally_of(WINDOW)


def asked(budget: RetryBudget, times: int, now: float) -> RetryBudget:
    """The budget after so many requests that are not retries."""
    return RetryBudget(counted(aged(budget.requests, now), times, now), budget.retries)


def asked_again(budget: RetryBudget, now: float) -> RetryBudget | None:
    """The budget after a retry, or None if it leaves none: one in ten requests, at least 3/s."""
    requests, retries = aged(budget.requests, now), aged(budget.retries, now)
    if retries.total >= max(FEWEST_RETRIES, requests.total // REQUESTS_PER_RETRY):
        return None
    return RetryBudget(requests, counted(retries, 1, now))


def is_transient(failure: ModelFailure) -> bool:
    """Whether the same request may fare better: no connection, 408, 409, 429 or 5xx."""
    if isinstance(failure, TimedOut):
        return failure.phase is Phase.CONNECT
    if isinstance(failure, RequestRefused):
        return failure.status in (_REQUEST_TIMEOUT, _CONFLICT)
    return isinstance(failure, Unreachable | NameNotResolved | RateLimited | ServiceFault)


def wait_before(
    policy: RetryPolicy, failure: ModelFailure, *, retried: int, left: float, jitter: float
) -> float | None:
    """Seconds until the next try, or None for no more.

    `left` is the time until the deadline, `jitter` is random in [0, 1).
    A wait that the service asks for is kept, or is too long.
    """
    if retried >= policy.most or not is_transient(failure):
        return None
    wait = jitter * min(policy.cap, policy.base * 2.0**retried)
    told = failure.retry_after if isinstance(failure, RateLimited | ServiceFault) else None
    wait = wait if told is None else max(told, 0.0)
    return wait if wait < left else None
