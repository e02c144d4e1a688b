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


@final
@frozen
class Tally:
    """What happened in the last `SLOTS` slots of time, each `width` seconds long.

    What happened is forgotten by whole slots and never early: the total of any stretch of
    `SLOTS * width` seconds is at most the total that the tally shows at its end.
    """

    width: float
    total: int = 0
    slots: tuple[tuple[int, int], ...] = ()


def tally_of(seconds: float) -> Tally:
    """An empty tally of the last so many seconds."""
    return Tally(seconds / SLOTS)


def aged(tally: Tally, now: float) -> Tally:
    """The tally without what is too old to count; time that goes back changes nothing."""
    slots = tally.slots
    oldest = now // tally.width - SLOTS
    if not slots or slots[0][0] >= oldest:
        return tally
    kept = tuple(slot for slot in slots if slot[0] >= oldest)
    return Tally(tally.width, sum(amount for _, amount in kept), kept)


def counted(tally: Tally, amount: int, at: float) -> Tally:
    """The tally with an amount more, which may belong to an earlier moment."""
    number = int(at // tally.width)
    slots = tally.slots
    place = len(slots)
    while place and slots[place - 1][0] > number:
        place -= 1
    before, after = slots[:place], slots[place:]
    if before and before[-1][0] == number:
        amount_before = before[-1][1]
        before, joined = before[:-1], amount_before + amount
    else:
        joined = amount
    return Tally(tally.width, tally.total + amount, (*before, (number, joined), *after))


@final
class Unit(Enum):
    """What a limit counts; money is counted in billionths of a dollar."""

    REQUESTS = "requests"
    TOKENS = "tokens"
    MONEY = "billionths of a dollar"


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
class Ledger:
    """One limit with what was spent under it lately and what is reserved now."""

    limit: Limit
    spent: Tally
    reserved: int = 0

    @property
    def taken(self) -> int:
        """What the limit has no room for any more, as of the last reservation."""
        return self.spent.total + self.reserved


@final
@frozen
class Budget:
    """Limits that hold together: a reservation takes room under all of them or under none."""

    ledgers: tuple[Ledger, ...] = ()


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


def budget_of(*limits: Limit) -> Budget:
    """A budget of which nothing is spent yet."""
    return Budget(tuple(Ledger(limit, tally_of(limit.per)) for limit in limits))


def daily(tokens: TokenCount | None, cost: Usd | None) -> Budget:
    """The budget of an agent for any 24 hours; None is no limit."""
    limits = []
    if tokens is not None:
        limits.append(Limit(Unit.TOKENS, tokens.value, DAY))
    if cost is not None:
        limits.append(Limit(Unit.MONEY, cost.value, DAY))
    return budget_of(*limits)


def reserve(
    budget: Budget, room: Spending, now: float
) -> Result[tuple[Budget, Reservation], NoRoom]:
    """Take room for something that may spend so much; `now` is in monotonic seconds.

    No limit is exceeded by what is spent and reserved together, as long as nothing that is
    settled exceeds its reservation. What does is counted, and nothing is granted until it is paid.
    """
    ledgers = []
    for ledger in budget.ledgers:
        amount = _amount(ledger.limit.unit, room)
        spent = aged(ledger.spent, now)
        if spent.total + ledger.reserved + amount > ledger.limit.amount:
            return Failure(NoRoom(ledger.limit, _wait(ledger, spent, amount, now)))
        ledgers.append(Ledger(ledger.limit, spent, ledger.reserved + amount))
    return Success((Budget(tuple(ledgers)), Reservation(room, now)))


def settle(budget: Budget, reservation: Reservation, spent: Spending) -> Budget:
    """Give the room back and count what was spent, at the moment of the reservation."""
    return Budget(tuple(_settled(ledger, reservation, spent) for ledger in budget.ledgers))


def _settled(ledger: Ledger, reservation: Reservation, spent: Spending) -> Ledger:
    unit = ledger.limit.unit
    reserved = ledger.reserved - _amount(unit, reservation.room)
    if reserved < 0:
        message = "a reservation is settled once, in the budget that granted it"
        raise ValueError(message)
    amount = _amount(unit, spent)
    tally = counted(ledger.spent, amount, reservation.at) if amount else ledger.spent
    return Ledger(ledger.limit, tally, reserved)


def _amount(unit: Unit, spending: Spending) -> int:
    match unit:
        case Unit.REQUESTS:
            return spending.requests
        case Unit.TOKENS:
            return spending.tokens
        case Unit.MONEY:
            return spending.money


def _wait(ledger: Ledger, spent: Tally, amount: int, now: float) -> float | None:
    """When enough of what was spent is forgotten, if nothing reserved is given back before."""
    if amount > ledger.limit.amount:
        return None
    missing = spent.total + ledger.reserved + amount - ledger.limit.amount
    for number, forgotten in spent.slots:
        missing -= forgotten
        if missing <= 0:
            return (number + SLOTS + 1) * spent.width - now
    return spent.width
