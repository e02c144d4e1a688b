"""A breaker opens on a service that mostly fails, and closes only on one that answers again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caxton_core.conversation.model import (
    AnswerCut,
    CircuitOpen,
    LimitReached,
    ModelFailure,
    ModelNotFound,
    NotAuthenticated,
    Phase,
    QuotaExhausted,
    RateLimited,
    RequestRefused,
    ServiceFault,
    TimedOut,
    Unreachable,
)
from caxton_core.primitives import ProviderName
from caxton_core.resilience.breaker import (
    FEWEST_CALLS,
    LONGEST_PAUSE,
    PROBES,
    SHORTEST_PAUSE,
    Breaker,
    Closed,
    HalfOpen,
    Open,
    Outcome,
    Refused,
    admit,
    observed,
    outcome_of,
)


def after(breaker: Breaker, *outcomes: Outcome, now: float = 0.0) -> Breaker:
    """The breaker after calls one by one, of which it admits each."""
    for outcome in outcomes:
        admitted = admit(breaker, now)
        assert not isinstance(admitted, Refused)
        breaker = observed(*admitted, outcome, now)
    return breaker


def opened(times: int = 1) -> Open:
    """A breaker that has opened so often in a row, last at the moment 0."""
    breaker = after(Closed(), *[Outcome.FAULT] * FEWEST_CALLS)
    for _ in range(times - 1):
        assert isinstance(breaker, Open)
        breaker = after(breaker, Outcome.FAULT, now=breaker.until)
    assert isinstance(breaker, Open)
    return breaker


@given(st.lists(st.sampled_from([Outcome.ANSWERED, Outcome.FAULT]), max_size=40))
def test_it_opens_exactly_when_half_of_enough_calls_fail(outcomes: list[Outcome]) -> None:
    breaker: Breaker = Closed()
    for calls in range(1, len(outcomes) + 1):
        breaker = after(breaker, outcomes[calls - 1])
        faults = outcomes[:calls].count(Outcome.FAULT)
        fails = outcomes[calls - 1] is Outcome.FAULT and 2 * faults >= calls >= FEWEST_CALLS
        assert isinstance(breaker, Open) == fails
        if fails:
            return


def test_old_faults_are_forgotten() -> None:
    breaker = after(Closed(), *[Outcome.FAULT] * (FEWEST_CALLS - 1))
    assert isinstance(after(breaker, Outcome.FAULT, now=40.0), Closed)


def test_refusals_of_ours_count_for_nothing() -> None:
    breaker = after(Closed(), *[Outcome.REFUSED, Outcome.ABANDONED] * 50)
    assert breaker == Closed()


def test_an_open_breaker_refuses_until_its_pause_is_over() -> None:
    breaker = opened()
    assert admit(breaker, 12.0) == Refused(SHORTEST_PAUSE - 12.0)
    assert not isinstance(admit(breaker, SHORTEST_PAUSE), Refused)


def test_only_a_few_probes_pass_at_once() -> None:
    breaker: Breaker = opened()
    for _ in range(PROBES):
        admitted = admit(breaker, SHORTEST_PAUSE)
        assert not isinstance(admitted, Refused)
        breaker, _ = admitted
    assert isinstance(admit(breaker, SHORTEST_PAUSE), Refused)


def test_good_probes_close_it() -> None:
    breaker = after(opened(), *[Outcome.ANSWERED] * PROBES, now=SHORTEST_PAUSE)
    assert isinstance(breaker, Closed)
    assert breaker.calls.total == 0


def test_a_bad_probe_opens_it_for_twice_as_long_up_to_a_limit() -> None:
    pauses = [opened(times).pause for times in range(1, 7)]
    assert pauses == [30.0, 60.0, 120.0, 240.0, LONGEST_PAUSE, LONGEST_PAUSE]


def test_an_abandoned_probe_makes_room_for_another() -> None:
    breaker = after(opened(), *[Outcome.ABANDONED] * 20, now=SHORTEST_PAUSE)
    assert isinstance(breaker, HalfOpen)
    assert breaker.probing == 0


def test_a_call_from_before_says_nothing_about_a_later_state() -> None:
    admitted = admit(Closed(), 0.0)
    assert not isinstance(admitted, Refused)
    _, permit = admitted
    assert observed(opened(), permit, Outcome.ANSWERED, 5.0) == opened()
    half = after(opened(), Outcome.ABANDONED, now=SHORTEST_PAUSE)
    assert observed(half, permit, Outcome.FAULT, SHORTEST_PAUSE) == half


@given(
    st.lists(
        st.tuples(st.sampled_from(Outcome), st.floats(0, 60), st.booleans()),
        max_size=80,
    )
)
def test_it_never_gets_stuck(steps: list[tuple[Outcome, float, bool]]) -> None:
    breaker: Breaker = Closed()
    now = 0.0
    for outcome, wait, _ in steps:
        now += wait
        admitted = admit(breaker, now)
        if not isinstance(admitted, Refused):
            breaker = observed(*admitted, outcome, now)
    later = now + LONGEST_PAUSE
    assert isinstance(after(breaker, *[Outcome.ANSWERED] * PROBES, now=later), Closed)


@pytest.mark.parametrize(
    ("failure", "outcome"),
    [
        (Unreachable("x", "refused"), Outcome.FAULT),
        (TimedOut(Phase.IDLE, 1.0), Outcome.FAULT),
        (RateLimited("slow down"), Outcome.FAULT),
        (ServiceFault(503, "down"), Outcome.FAULT),
        (ServiceFault(408, "slow"), Outcome.FAULT),
        (ServiceFault(409, "conflict"), Outcome.REFUSED),
        (AnswerCut("half"), Outcome.FAULT),
        (RequestRefused(400, "bad"), Outcome.REFUSED),
        (NotAuthenticated("key"), Outcome.REFUSED),
        (ModelNotFound("m", "none"), Outcome.REFUSED),
        (QuotaExhausted("paid out"), Outcome.REFUSED),
        (LimitReached("60 requests a minute", 1.0), Outcome.ABANDONED),
        (CircuitOpen(ProviderName("p"), 1.0), Outcome.ABANDONED),
    ],
)
def test_faults_of_the_service_count_and_refusals_do_not(
    failure: ModelFailure, outcome: Outcome
) -> None:
    assert outcome_of(failure) is outcome
