"""How often someone may do something: a bucket of tokens for each of them, filled evenly."""

from collections.abc import Callable, Hashable
from typing import Final, TypeAlias, final

from attrs import define, field

Monotonic: TypeAlias = Callable[[], float]

MOST_REMEMBERED: Final = 4096
"""So many buckets are kept; whoever used theirs longest ago finds a full one again."""
_MINUTE: Final = 60.0


@final
@define(eq=False)
class Rates:
    """As many times a minute as told, all of them at once if need be."""

    _a_minute: int
    _now: Monotonic
    _buckets: dict[Hashable, tuple[float, float]] = field(factory=dict, init=False)

    def wait(self, who: Hashable) -> float:
        """Seconds until the next time is free; 0 where it is now."""
        left = self._left(who)
        return 0.0 if left >= 1 else (1 - left) * _MINUTE / self._a_minute

    def take(self, who: Hashable) -> float:
        """Count one time if it is free; else the seconds until it is."""
        left = self._left(who)
        if left < 1:
            return (1 - left) * _MINUTE / self._a_minute
        self._buckets.pop(who, None)
        if len(self._buckets) >= MOST_REMEMBERED:
            del self._buckets[next(iter(self._buckets))]
        self._buckets[who] = (left - 1, self._now())
        return 0.0

    def _left(self, who: Hashable) -> float:
        known = self._buckets.get(who)
        if known is None:
            return float(self._a_minute)
        left, since = known
        return min(float(self._a_minute), left + (self._now() - since) * self._a_minute / _MINUTE)
