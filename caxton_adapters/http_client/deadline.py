"""A deadline that moves for the price of an assignment."""

import asyncio
from collections.abc import Callable
from math import inf
from typing import final


@final
class Deadline:
    """Calls back once when the loop's clock passes it.

    The loop's timer is left where it is while the deadline moves into the future; only when the
    timer fires too early is it set anew. So a deadline that moves with every request or every
    received byte makes the loop's heap neither grow nor work.
    """

    __slots__ = ("_at", "_loop", "_passed", "_timer", "_timer_at")

    def __init__(self, loop: asyncio.AbstractEventLoop, passed: Callable[[], None]) -> None:
        self._loop = loop
        self._passed = passed
        self._at = inf
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = inf

    def move(self, at: float) -> None:
        """Let it pass at this time of the loop's clock instead; `inf` is never."""
        self._at = at
        if at < self._timer_at:
            self._set_timer()

    def cancel(self) -> None:
        """Never pass, and leave no timer behind."""
        self._at = self._timer_at = inf
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = self._at
        self._timer = self._loop.call_at(self._at, self._fired)

    def _fired(self) -> None:
        fired_for, self._timer, self._timer_at = self._timer_at, None, inf
        if self._at <= fired_for:
            self._at = inf
            self._passed()
        elif self._at < inf:
            self._set_timer()
