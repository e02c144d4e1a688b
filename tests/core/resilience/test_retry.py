"""What is tried again, how long is waited, and how much an outage may cost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caxton_core.conversation.model import (
    AnswerMalformed,
    ContextTooLong,
    ModelFailure,
    NameNotResolved,
    NotAuthenticated,
    Phase,
    QuotaExhausted,
    RateLimited,
    RequestRefused,
    ServiceFault,
    TimedOut,
    TlsFailed,
    Unreachable,
)
from caxton_core.resilience.retry import (
    FEWEST_RETRIES,
    RetryBudget,
    RetryPolicy,
    asked,
    asked_again,
    is_transient,
    wait_before,
)

DOWN = ServiceFault(503, "down")
shares = st.floats(0, 1, exclude_max=True)


@pytest.mark.parametrize(
    "failure",
    [
        Unreachable("x", "refused"),
        NameNotResolved("x"),
        TimedOut(Phase.CONNECT, 5.0),
        RateLimited("slow down"),
        RequestRefused(408, "slow"),
        ServiceFault(409, "conflict"),
        ServiceFault(500, "oops"),
        ServiceFault(529, "overloaded"),
    ],
)
def test_what_a_repetition_can_help_is_repeated(failure: ModelFailure) -> None:
    assert is_transient(failure)


@pytest.mark.parametrize(
    "failure",
    [
        TlsFailed("x", "expired"),
        TimedOut(Phase.FIRST_BYTE, 30.0),
        TimedOut(Phase.TOTAL, 60.0),
        NotAuthenticated("key"),
        QuotaExhausted("paid out"),
        RequestRefused(400, "bad"),
        ContextTooLong("long"),
        AnswerMalformed("garbage"),
    ],
)
def test_everything_else_is_not(failure: ModelFailure) -> None:
    assert not is_transient(failure)
    assert wait_before(RetryPolicy(), failure, retried=0, left=60.0, jitter=0.5) is None


@given(st.integers(0, 10), shares, st.floats(0.0, 100.0))
def test_waits_are_random_below_a_growing_bound_and_end_before_the_deadline(
    retried: int, jitter: float, left: float
) -> None:
    policy = RetryPolicy(most=10)
    wait = wait_before(policy, DOWN, retried=retried, left=left, jitter=jitter)
    bound = min(20.0, 0.5 * 2**retried)
    if wait is None:
        assert retried == 10 or jitter * bound >= left
    else:
        assert wait == jitter * bound < left


@given(st.floats(0, 120), shares)
def test_the_service_may_say_how_long(told: float, jitter: float) -> None:
    limited = RateLimited("slow down", told)
    wait = wait_before(RetryPolicy(), limited, retried=0, left=60.0, jitter=jitter)
    assert wait == (told if told < 60.0 else None)


def test_after_three_retries_it_is_over() -> None:
    waits = [
        wait_before(RetryPolicy(), DOWN, retried=n, left=60.0, jitter=0.5) is None for n in range(5)
    ]
    assert waits == [False, False, False, True, True]


@given(
    st.lists(st.tuples(st.booleans(), st.floats(0, 0.5)), max_size=300),
    st.integers(0, 2000),
)
def test_retries_stay_within_a_tenth_of_the_requests_or_three_a_second(
    steps: list[tuple[bool, float]], at_first: int
) -> None:
    budget = asked(RetryBudget(), at_first, 0.0)
    now = 0.0
    retries: list[float] = []
    for again, wait in steps:
        now += wait
        granted = asked_again(budget, now) if again else asked(budget, 1, now)
        if granted is not None:
            budget = granted
            retries += [now] if again else []
    lately = [at for at in retries if at > now - 10.0]
    assert len(lately) <= max(FEWEST_RETRIES, (at_first + len(steps)) // 10)


def test_an_outage_costs_little_more_than_the_usual_load() -> None:
    budget: RetryBudget | None = RetryBudget()
    granted = 0
    for second in range(1000):
        now = second / 100
        assert budget is not None
        budget = asked(budget, 1, now)
        again = asked_again(budget, now)
        if again is not None:
            budget, granted = again, granted + 1
    assert 30 <= granted <= 100
