"""What an agent may spend in a day: room is taken before each call of a model, settled after it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final, final

from attrs import define, field
from returns.result import Failure, Result, Success

from caxton_core.agent.sections import Budget as WrittenBudget
from caxton_core.conversation.turn import BudgetReached
from caxton_core.journal import Spent
from caxton_core.limits import (
    DAY,
    Balance,
    Budget,
    Reservation,
    Spending,
    Unit,
    balances,
    daily,
    reserve,
    settle,
    spent_before,
)
from caxton_core.ports import Clock, Messages
from caxton_core.primitives import AgentId
from caxton_core.storage import NotRead

_KEYS: Final = {Unit.TOKENS: "budget.tokens_per_day", Unit.MONEY: "budget.cost_per_day"}


@final
@define(eq=False)
class DailyBudget:
    """The spending of one agent, whichever file it has and whether or not it runs."""

    _clock: Clock
    needs_price: bool = field(default=False, init=False)
    _budget: Budget = field(factory=lambda: daily(None, None), init=False)

    def adopt(self, written: WrittenBudget) -> None:
        """Keep to the limits of another file; what was spent stays spent."""
        self.needs_price = written.cost_per_day is not None
        self._budget = daily(written.tokens_per_day, written.cost_per_day, self._budget)

    def reserve(self, room: Spending) -> Reservation | BudgetReached:
        """Room for a call, to be settled once, or the limit that leaves none."""
        granted = reserve(self._budget, room, self._clock.monotonic())
        if isinstance(granted, Failure):
            reached = granted.failure()
            key = _KEYS[reached.limit.unit]
            return BudgetReached(key, str(reached.limit), reached.retry_after)
        self._budget, reservation = granted.unwrap()
        return reservation

    def settle(self, reservation: Reservation, spent: Spending) -> None:
        """Tell what the call took."""
        self._budget = settle(self._budget, reservation, spent)

    def count(self, before: Spent) -> None:
        """Count what an earlier run of the server spent; a clock that was ahead makes it new."""
        ago = max(0.0, (self._clock.now() - before.at).total_seconds())
        usage, at = before.usage, self._clock.monotonic() - ago
        money = 0 if usage.cost is None else usage.cost.value
        self._budget = spent_before(self._budget, Spending(0, usage.tokens, money), at)

    def balances(self) -> tuple[Balance, ...]:
        """How each limit stands now."""
        return balances(self._budget, self._clock.monotonic())


async def restore(
    budgets: Mapping[AgentId, DailyBudget], messages: Messages, clock: Clock
) -> Result[None, NotRead]:
    """Have the budgets know what was spent in the day before the server started."""
    if not budgets:
        return Success(None)
    read = await messages.spent(clock.now() - timedelta(seconds=DAY))
    if isinstance(read, Failure):
        return read
    for agent in budgets.keys() & read.unwrap().keys():
        for spent in read.unwrap()[agent]:
            budgets[agent].count(spent)
    return Success(None)
