"""The machine's clocks, such that a step of the wall clock disturbs nobody.

The time of day is read once; from then on it goes as evenly as the seconds since the machine was
switched on. Whoever sets the machine's clock is believed at the next start.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import final

from attrs import define, field


def _seconds_since_boot() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


_even = _seconds_since_boot if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic
"""Seconds that go on while the machine sleeps, where the system counts them."""


@final
@define(eq=False)
class SystemClock:
    """The time of the machine; tests bring their own sources of seconds."""

    _wall: Callable[[], float] = time.time
    _elapsed: Callable[[], float] = _even
    _anchor: float = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._anchor = self._wall() - self._elapsed()

    def now(self) -> datetime:
        """The time of day, in UTC; it never goes back."""
        return datetime.fromtimestamp(self._anchor + self._elapsed(), UTC)

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()

    def stepped(self) -> float:
        """How many seconds the machine's time of day is ahead of ours: it was set meanwhile."""
        return self._wall() - self._anchor - self._elapsed()
