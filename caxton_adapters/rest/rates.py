"""How often someone may do something: a bucket of tokens for each of them, filled evenly."""

from collections.abc import Callable, Hashable
from typing import Final, TypeAlias, final

from attrs import define, field, frozen

Monotonic: TypeAlias = Callable[[], float]

MOST_REMEMBERED: Final = 4096
"""So many buckets are kept; whoever used theirs longest ago finds a full one again."""
_MINUTE: Final = 60.0
_ROUNDING: Final = 1e-9
"""So much less than a whole time counts as one: whoever waited as told does not wait again."""


@final
@frozen
class Rate:
    """So many times a minute, and so many of them at once."""

    a_minute: int
    at_once: int


@final
@define(eq=False)
class Buckets:
    """What is left to each of those who are counted."""

    _now: Monotonic
    _left: dict[Hashable, tuple[float, float]] = field(factory=dict, init=False)

    def __len__(self) -> int:
        return len(self._left)

    def wait(self, who: Hashable, rate: Rate) -> float:
        """Seconds until the next time is free; 0 where it is now."""
        return _until_one(self._left_to(who, rate), rate)

    def take(self, who: Hashable, rate: Rate) -> float:
        """Count one time if it is free; else the seconds until it is."""
        left = self._left_to(who, rate)
        seconds = _until_one(left, rate)
        if seconds:
            return seconds
        self._left.pop(who, None)
        if len(self._left) >= MOST_REMEMBERED:
            del self._left[next(iter(self._left))]
        self._left[who] = (left - 1, self._now())
        return 0.0

    def _left_to(self, who: Hashable, rate: Rate) -> float:
        known = self._left.get(who)
        if known is None:
            return float(rate.at_once)
        left, since = known
        return min(float(rate.at_once), left + (self._now() - since) * rate.a_minute / _MINUTE)


@final
class Rates:
    """As many times a minute as told, all of them at once if need be."""

    def __init__(self, a_minute: int, now: Monotonic) -> None:
        self._rate = Rate(a_minute, a_minute)
        self._buckets = Buckets(now)

    def wait(self, who: Hashable) -> float:
        """Seconds until the next time is free; 0 where it is now."""
        return self._buckets.wait(who, self._rate)

    def take(self, who: Hashable) -> float:
        """Count one time if it is free; else the seconds until it is."""
        return self._buckets.take(who, self._rate)


def _until_one(left: float, rate: Rate) -> float:
    missing = 1 - left
    return missing * _MINUTE / rate.a_minute if missing > _ROUNDING else 0.0
