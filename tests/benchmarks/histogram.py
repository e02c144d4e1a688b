"""Latencies in buckets of constant relative width, as in HDR histograms: exact to 1.6 %."""

from collections import Counter
from collections.abc import Iterable
from typing import final

_BITS = 6
"""64 buckets to each power of two."""


@final
class Histogram:
    """Durations in nanoseconds; adding one costs a fraction of a microsecond."""

    def __init__(self, buckets: Iterable[tuple[int, int]] = ()) -> None:
        self._buckets: Counter[int] = Counter(dict(buckets))

    def add(self, nanoseconds: int) -> None:
        """Count one duration."""
        shift = max(0, nanoseconds.bit_length() - _BITS - 1)
        self._buckets[(shift << _BITS) + (nanoseconds >> shift)] += 1

    def merge(self, other: "Histogram") -> None:
        """Count all that the other one counted."""
        self._buckets.update(other._buckets)

    @property
    def count(self) -> int:
        """How many durations were added."""
        return self._buckets.total()

    @property
    def buckets(self) -> list[tuple[int, int]]:
        """What another histogram is made from."""
        return sorted(self._buckets.items())

    def percentile(self, percent: float) -> float:
        """Seconds that so many percent of the durations did not exceed; 0 when there are none."""
        wanted = percent / 100 * self.count
        seen = 0
        for index, count in self.buckets:
            seen += count
            if seen >= wanted:
                return _upper_edge(index) / 1e9
        return 0.0


def _upper_edge(index: int) -> int:
    """The longest duration of a bucket, in nanoseconds."""
    shift = max(0, (index >> _BITS) - 1)
    return (((index - (shift << _BITS)) + 1) << shift) - 1
