"""Nothing is ever granted beyond a limit, whatever is reserved, settled and when."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from returns.result import Failure, Success

from caxton_core.limits import (
    DAY,
    MINUTE,
    Balance,
    Budget,
    Limit,
    Reservation,
    Spending,
    Unit,
    Usage,
    added,
    aged,
    balances,
    budget_of,
    counted,
    daily,
    reserve,
    settle,
    spent_before,
    tally_of,
)
from caxton_core.primitives import TokenCount, Usd

moments = st.lists(st.tuples(st.integers(0, 400), st.integers(1, 9)), max_size=60)


@given(moments)
def test_a_tally_never_forgets_early_and_forgets_within_one_slot(
    events: Sequence[tuple[int, int]],
) -> None:
    tally = tally_of(60.0)
    seen: list[tuple[int, int]] = []
    for at, amount in sorted(events):
        seen.append((at, amount))
        tally = aged(counted(tally, amount, float(at)), float(at))
        inside = sum(n for then, n in seen if then > at - 60)
        nearly = sum(n for then, n in seen if then >= at - 63)
        assert inside <= tally.total <= nearly


@given(st.data(), moments)
def test_the_order_of_counting_does_not_matter(
    data: st.DataObject, events: Sequence[tuple[int, int]]
) -> None:
    shuffled = data.draw(st.permutations(list(events)))
    first = second = tally_of(60.0)
    for at, amount in events:
        first = counted(first, amount, float(at))
    for at, amount in shuffled:
        second = counted(second, amount, float(at))
    assert first == second


LIMITS = (
    Limit(Unit.REQUESTS, 6, MINUTE),
    Limit(Unit.TOKENS, 100, MINUTE),
    Limit(Unit.MONEY, 1_000, DAY),
)


class AnyInterleaving(RuleBasedStateMachine):
    """Reservations, settlements and clock steps in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0
        self.budget = budget_of(*LIMITS)
        self.held: list[Reservation] = []
        self.spent: list[tuple[float, Spending]] = []

    @rule(
        tokens=st.integers(0, 120),
        money=st.integers(0, 1_200),
    )
    def reserve(self, tokens: int, money: int) -> None:
        match reserve(self.budget, Spending(1, tokens, money), self.now):
            case Success((budget, reservation)):
                self.budget = budget
                self.held.append(reservation)
            case Failure(no_room):
                assert no_room.limit in LIMITS

    @precondition(lambda self: self.held)
    @rule(which=st.integers(0), share=st.floats(0, 1))
    def settle(self, which: int, share: float) -> None:
        held = self.held.pop(which % len(self.held))
        room = held.room
        spent = Spending(room.requests, int(room.tokens * share), int(room.money * share))
        self.budget = settle(self.budget, held, spent)
        self.spent.append((held.at, spent))

    @rule(seconds=st.one_of(st.floats(0, 90), st.just(DAY)))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @invariant()
    def no_limit_is_exceeded(self) -> None:
        for limit in LIMITS:
            lately = sum(_of(limit, s) for at, s in self.spent if at > self.now - limit.per)
            held = sum(_of(limit, reservation.room) for reservation in self.held)
            assert lately + held <= limit.amount


def _of(limit: Limit, spending: Spending) -> int:
    return {
        Unit.REQUESTS: spending.requests,
        Unit.TOKENS: spending.tokens,
        Unit.MONEY: spending.money,
    }[limit.unit]


TestAnyInterleaving = AnyInterleaving.TestCase


def _spent(budget: Budget, spending: Spending, now: float) -> Budget:
    granted = reserve(budget, spending, now)
    assert isinstance(granted, Success)
    budget, reservation = granted.unwrap()
    return settle(budget, reservation, spending)


@given(st.integers(0, 59), st.integers(1, 100))
def test_after_the_wait_that_is_told_there_is_room(at: int, tokens: int) -> None:
    budget = _spent(budget_of(LIMITS[1]), Spending(tokens=100), float(at))
    refused = reserve(budget, Spending(tokens=tokens), 60.0)
    assert isinstance(refused, Failure)
    wait = refused.failure().retry_after
    assert wait is not None
    assert 0 < wait <= MINUTE + MINUTE / 20
    assert isinstance(reserve(budget, Spending(tokens=tokens), 60.0 + wait), Success)


def test_what_is_larger_than_the_limit_never_fits() -> None:
    refused = reserve(budget_of(LIMITS[1]), Spending(tokens=101), 0.0)
    assert isinstance(refused, Failure)
    assert refused.failure().retry_after is None


def test_a_reservation_in_flight_counts_however_long_it_takes() -> None:
    granted = reserve(budget_of(LIMITS[1]), Spending(tokens=100), 0.0)
    assert isinstance(granted, Success)
    budget, _ = granted.unwrap()
    refused = reserve(budget, Spending(tokens=1), 10_000.0)
    assert isinstance(refused, Failure)
    assert refused.failure().retry_after == 3.0


def test_a_refused_reservation_takes_room_under_no_limit() -> None:
    budget = budget_of(*LIMITS)
    assert isinstance(reserve(budget, Spending(1, 100, 1_001), 0.0), Failure)
    assert isinstance(reserve(budget, Spending(6, 100, 1_000), 0.0), Success)


def test_an_overrun_is_paid_before_anything_is_granted() -> None:
    granted = reserve(budget_of(LIMITS[1]), Spending(tokens=10), 0.0)
    assert isinstance(granted, Success)
    budget, reservation = granted.unwrap()
    budget = settle(budget, reservation, Spending(tokens=150))
    assert isinstance(reserve(budget, Spending(tokens=0), 1.0), Failure)
    assert isinstance(reserve(budget, Spending(tokens=100), 64.0), Success)


def test_settling_twice_is_a_defect() -> None:
    granted = reserve(budget_of(LIMITS[0]), Spending(requests=1), 0.0)
    assert isinstance(granted, Success)
    budget, reservation = granted.unwrap()
    budget = settle(budget, reservation, Spending())
    with pytest.raises(ValueError, match="settled once"):
        settle(budget, reservation, Spending())


def test_an_agents_budget_counts_tokens_and_money_of_a_day() -> None:
    budget = daily(TokenCount(1_000), Usd(5 * 10**9))
    assert [str(limit) for limit in budget.limits] == ["1,000 tokens a day", "$5 a day"]
    told = [(each.limit.amount, each.left) for each in balances(budget, 0.0)]
    assert told == [(1_000, 1_000), (5 * 10**9, 5 * 10**9)]
    assert balances(daily(None, None), 0.0) == ()


@given(st.integers(1, 2_000), st.none() | st.integers(1, 2_000))
def test_other_limits_change_nothing_of_what_was_spent(held: int, other: int | None) -> None:
    before = _spent(daily(TokenCount(5_000), None), Spending(1, 1_000, 7), 0.0)
    granted = reserve(before, Spending(1, held, 5), 1.0)
    assert isinstance(granted, Success)
    budget, reservation = granted.unwrap()
    after = daily(None if other is None else TokenCount(other), Usd(10), budget)
    if other is not None:
        assert balances(after, 1.0)[0] == Balance(after.limits[0], 1_000, held)
        assert balances(after, 1.0)[0].left == max(0, other - 1_000 - held)
    settled = settle(after, reservation, Spending(1, 1, 1))
    assert balances(settled, 1.0)[-1] == Balance(after.limits[1], 8, 0)
    assert balances(settled, 2 * DAY)[-1].left == 10


@given(spent=st.integers(0, 10**6), ago=st.floats(0, 2 * DAY))
def test_what_was_spent_before_counts_for_a_day(spent: int, ago: float) -> None:
    budget = spent_before(daily(TokenCount(10**6), None), Spending(tokens=spent), at=-ago)
    (balance,) = balances(budget, 0.0)
    assert balance.spent in ({spent} if ago <= DAY else {spent, 0})
    (later,) = balances(budget, 2 * DAY)
    assert later.spent == 0


def test_usages_add_up_and_keep_the_price_that_is_known() -> None:
    total = added(Usage(1, 2, 3, 4, Usd(5)), Usage(10, 20, 30, 40))
    assert total == Usage(11, 22, 33, 44, Usd(5))
    assert added(total, total).cost == Usd(10)
    assert total.tokens == 33
