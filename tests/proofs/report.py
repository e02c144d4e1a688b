"""What a proof found: the counts that people read, and every promise that was broken."""

from collections.abc import Iterable, Iterator, Sequence
from statistics import median
from typing import final

from attrs import field, frozen

SHOWN = 10


@final
@frozen
class Report:
    """Counts by name, and a sentence for each fault; without faults the promises were kept."""

    name: str
    counts: dict[str, str] = field(factory=dict)
    faults: Sequence[str] = ()

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        width = max(map(len, self.counts), default=0)
        yield f"{self.name}: {f'{len(self.faults)} FAULTS' if self.faults else 'holds'}"
        for what, count in self.counts.items():
            yield f"  {what:<{width}}  {count}"
        for fault in self.faults[:SHOWN]:
            yield f"  ! {fault}"
        if len(self.faults) > SHOWN:
            yield f"  ! and {len(self.faults) - SHOWN} more"


def seconds(samples: Iterable[float]) -> str:
    """The median and the longest of some durations."""
    found = sorted(samples)
    return f"p50 {median(found):.3f} s, max {found[-1]:.3f} s" if found else "none"
