"""What may be spent and what was spent: tokens, requests and money.

A limit is kept by reserving the most that something can take before it is done, and by settling
what it took afterwards. Time is in monotonic seconds and comes as an argument.
"""

from enum import Enum
from typing import final

from attrs import frozen
from returns.result import Failure, Result, Success

from caxton_core.primitives import TokenCount, Usd


@final
@frozen
class Usage:
    """Tokens that a service counted, and their price where it is known.

    `cached_tokens` and `reasoning_tokens` are parts of the other two, not additions to them.
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    cost: Usd | None = None

    @property
    def tokens(self) -> int:
        """Everything that counts towards a budget."""
        return self.prompt_tokens + self.completion_tokens


def added(first: Usage, second: Usage) -> Usage:
    """Both together; a price that is known is kept where the other is not."""
    return Usage(
        first.prompt_tokens + second.prompt_tokens,
        first.completion_tokens + second.completion_tokens,
        first.cached_tokens + second.cached_tokens,
        first.reasoning_tokens + second.reasoning_tokens,
        _sum(first.cost, second.cost),
    )


def _sum(first: Usd | None, second: Usd | None) -> Usd | None:
    if first is None or second is None:
        return first or second
    return Usd(first.value + second.value)


SLOTS = 20
DAY = 86_400.0
MINUTE = 60.0
NO_LIMIT = 2**62
"""More than anybody can spend."""


@final
@frozen
class Tally:
    """What happened in the last `SLOTS` slots of time, each `width` seconds long.

    What happened is forgotten by whole slots and never early: the total of any stretch of
    `SLOTS * width` seconds is at most the total that the tally shows at its end. The slot that was
    counted in last stands beside the `older` ones, so that counting on is cheap.
    """

    width: float
    total: int = 0
    older: tuple[tuple[int, int], ...] = ()
    last: int = 0
    amount: int = 0

    @property
    def slots(self) -> tuple[tuple[int, int], ...]:
        """The number and the amount of every slot in which something happened."""
        return (*self.older, (self.last, self.amount)) if self.amount else self.older


def tally_of(seconds: float) -> Tally:
    """An empty tally of the last so many seconds."""
    return Tally(seconds / SLOTS)


def aged(tally: Tally, now: float) -> Tally:
    """The tally without what is too old to count; time that goes back changes nothing."""
    oldest = now // tally.width - SLOTS
    if (tally.older[0][0] if tally.older else tally.last) >= oldest:
        return tally
    kept = [slot for slot in tally.slots if slot[0] >= oldest]
    return _tally(tally.width, kept)


def counted(tally: Tally, amount: int, at: float) -> Tally:
    """The tally with an amount more, which may belong to an earlier moment."""
    width, total, older, last, so_far = (
        tally.width,
        tally.total,
        tally.older,
        tally.last,
        tally.amount,
    )
    number = int(at // width)
    if number == last:
        return Tally(width, total + amount, older, last, so_far + amount)
    if number > last:
        return Tally(width, total + amount, tally.slots, number, amount)
    amounts = dict(tally.slots)
    amounts[number] = amounts.get(number, 0) + amount
    return _tally(width, sorted(amounts.items()))


def _tally(width: float, slots: list[tuple[int, int]]) -> Tally:
    if not slots:
        return Tally(width)
    *older, (last, amount) = slots
    return Tally(width, sum(each for _, each in slots), tuple(older), last, amount)


@final
class Unit(Enum):
    """What a limit counts; money is counted in billionths of a dollar."""

    REQUESTS = "requests"
    TOKENS = "tokens"
    MONEY = "billionths of a dollar"


# Reading a member of an Enum class takes a tenth of a microsecond before Python 3.12.
_REQUESTS, _TOKENS = Unit.REQUESTS, Unit.TOKENS


@final
@frozen
class Limit:
    """At most `amount` in any stretch of `per` seconds."""

    unit: Unit
    amount: int
    per: float

    def __str__(self) -> str:
        amount = f"${Usd(self.amount)}" if self.unit is Unit.MONEY else f"{self.amount:,}"
        what = "" if self.unit is Unit.MONEY else f" {self.unit.value}"
        stretch = {MINUTE: "a minute", DAY: "a day"}.get(self.per, f"in {self.per:g} s")
        return f"{amount}{what} {stretch}"


@final
@frozen
class Spending:
    """What something takes of each unit; money is in billionths of a dollar."""

    requests: int = 0
    tokens: int = 0
    money: int = 0


@final
@frozen
class Budget:
    """Limits that hold together: a reservation takes room under all of them or under none.

    `reserved` and `spent` belong to the limits in their order.
    """

    limits: tuple[Limit, ...] = ()
    reserved: tuple[int, ...] = ()
    spent: tuple[Tally, ...] = ()


@final
@frozen
class Reservation:
    """Room that was taken at a moment, to be settled once when the truth is known."""

    room: Spending
    at: float


@final
@frozen
class NoRoom:
    """The limit that leaves no room; there may be some after so many seconds, or never (None)."""

    limit: Limit
    retry_after: float | None


@final
@frozen
class Balance:
    """A limit, and how much of it is spent and reserved at one moment."""

    limit: Limit
    spent: int
    reserved: int

    @property
    def left(self) -> int:
        """What can still be reserved."""
        return max(0, self.limit.amount - self.spent - self.reserved)


def budget_of(*limits: Limit) -> Budget:
    """A budget of which nothing is spent yet."""
    return Budget(limits, (0,) * len(limits), tuple(tally_of(limit.per) for limit in limits))


def daily(tokens: TokenCount | None, cost: Usd | None, before: Budget | None = None) -> Budget:
    """The budget of an agent for any 24 hours; what has no limit (None) is counted all the same.

    What was spent and reserved `before`, under other limits of a day, stays so.
    """
    limits = (
        Limit(Unit.TOKENS, NO_LIMIT if tokens is None else tokens.value, DAY),
        Limit(Unit.MONEY, NO_LIMIT if cost is None else cost.value, DAY),
    )
    return budget_of(*limits) if before is None else Budget(limits, before.reserved, before.spent)


def balances(budget: Budget, now: float) -> tuple[Balance, ...]:
    """How each limit stands; what has no limit has no balance."""
    return tuple(
        Balance(limit, aged(tally, now).total, taken)
        for limit, taken, tally in zip(budget.limits, budget.reserved, budget.spent, strict=True)
        if limit.amount != NO_LIMIT
    )


def reserve(
    budget: Budget, room: Spending, now: float
) -> Result[tuple[Budget, Reservation], NoRoom]:
    """Take room for something that may spend so much; `now` is in monotonic seconds.

    No limit is exceeded by what is spent and reserved together, as long as nothing that is
    settled exceeds its reservation. What does is counted, and nothing is granted until it is paid.
    """
    reserved = []
    spent = []
    for limit, taken, tally in zip(budget.limits, budget.reserved, budget.spent, strict=True):
        amount = _amount(limit.unit, room)
        lately = aged(tally, now)
        if lately.total + taken + amount > limit.amount:
            return Failure(NoRoom(limit, _wait(limit, amount, taken, lately, now)))
        reserved.append(taken + amount)
        spent.append(lately)
    granted = Budget(budget.limits, tuple(reserved), tuple(spent))
    return Success((granted, Reservation(room, now)))


def settle(budget: Budget, reservation: Reservation, spending: Spending) -> Budget:
    """Give the room back and count what was spent, at the moment of the reservation."""
    reserved = []
    spent = []
    for limit, taken, tally in zip(budget.limits, budget.reserved, budget.spent, strict=True):
        left = taken - _amount(limit.unit, reservation.room)
        if left < 0:
            message = "a reservation is settled once, in the budget that granted it"
            raise ValueError(message)
        amount = _amount(limit.unit, spending)
        reserved.append(left)
        spent.append(counted(tally, amount, reservation.at) if amount else tally)
    return Budget(budget.limits, tuple(reserved), tuple(spent))


def spent_before(budget: Budget, spending: Spending, at: float) -> Budget:
    """The budget with what was spent at an earlier moment, for which nothing was reserved."""
    counts = zip(budget.limits, budget.spent, strict=True)
    spent = tuple(counted(tally, _amount(limit.unit, spending), at) for limit, tally in counts)
    return Budget(budget.limits, budget.reserved, spent)


def _amount(unit: Unit, spending: Spending) -> int:
    if unit is _REQUESTS:
        return spending.requests
    return spending.tokens if unit is _TOKENS else spending.money


def _wait(limit: Limit, wanted: int, taken: int, spent: Tally, now: float) -> float | None:
    """When enough of what was spent is forgotten, if nothing that is reserved is given back."""
    if wanted > limit.amount:
        return None
    missing = spent.total + taken + wanted - limit.amount
    for number, forgotten in spent.slots:
        missing -= forgotten
        if missing <= 0:
            return (number + SLOTS + 1) * spent.width - now
    return spent.width
