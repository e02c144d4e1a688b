"""Measured figures, what they must be, and the table that shows both."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import Enum
from statistics import median
from typing import TypeAlias, final

from attrs import asdict, frozen


@final
@frozen
class AtMost:
    """No more than this."""

    limit: float


@final
@frozen
class Below:
    """Less than this."""

    limit: float


@final
@frozen
class AtLeast:
    """No less than this."""

    limit: float


@final
@frozen
class TimesBaseline:
    """No more than so many times the baseline of the same run."""

    factor: float


@final
@frozen
class AtLeastTimesBaseline:
    """No less than so many times the baseline of the same run."""

    factor: float


Bound: TypeAlias = AtMost | Below | AtLeast | TimesBaseline | AtLeastTimesBaseline


@final
class Verdict(Enum):
    """How a figure stands."""

    AIM = "meets aim"
    MUST = "meets must"
    MISSED = "MISSES"
    SCALE = "for scale"


@final
@frozen
class Baseline:
    """What the same costs otherwise, measured in the same run and in the same unit."""

    value: float
    what: str


@final
@frozen
class Figure:
    """One row of the table."""

    what: str
    measured: float
    unit: str
    baseline: Baseline | None = None
    must: Bound | None = None
    aim: Bound | None = None
    note: str = ""

    @property
    def verdict(self) -> Verdict:
        """How the measured value stands against the bounds."""
        if self.must is None:
            return Verdict.SCALE
        if not self._within(self.must):
            return Verdict.MISSED
        return Verdict.AIM if self.aim is None or self._within(self.aim) else Verdict.MUST

    def _within(self, bound: Bound) -> bool:
        match bound:
            case AtMost(limit):
                return self.measured <= limit
            case Below(limit):
                return self.measured < limit
            case AtLeast(limit):
                return self.measured >= limit
            case TimesBaseline(factor):
                return self.baseline is not None and self.measured <= factor * self.baseline.value
            case AtLeastTimesBaseline(factor):
                return self.baseline is not None and self.measured >= factor * self.baseline.value

    def as_json(self) -> dict[str, object]:
        """All facts and the verdict."""
        bounds = {"must": _bound(self.must, self.unit), "aim": _bound(self.aim, self.unit)}
        return {**asdict(self), **bounds, "verdict": self.verdict.value}

    def cells(self) -> tuple[str, ...]:
        """The row of the table."""
        return (
            self.what,
            _bound(self.must, self.unit),
            _bound(self.aim, self.unit),
            quantity(self.measured, self.unit),
            self._baseline(),
            self.verdict.value,
            self.note,
        )

    def _baseline(self) -> str:
        if self.baseline is None:
            return ""
        value = f"{quantity(self.baseline.value, self.unit)} {self.baseline.what}"
        if not self.baseline.value or not self.measured:
            return value
        return f"{value} ({self.measured / self.baseline.value:.3g} x)"


def _bound(bound: Bound | None, unit: str) -> str:
    match bound:
        case None:
            return ""
        case AtMost(limit):
            return f"≤ {quantity(limit, unit)}"
        case Below(limit):
            return f"< {quantity(limit, unit)}"
        case AtLeast(limit):
            return f"≥ {quantity(limit, unit)}"
        case TimesBaseline(factor):
            return f"≤ {factor:g} x"
        case AtLeastTimesBaseline(factor):
            return f"≥ {factor:g} x"


def quantity(value: float, unit: str) -> str:
    """A number that a person reads, with its unit."""
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f} {unit}".rstrip()
    return f"{value:.3g} {unit}".rstrip()


HEADINGS = ("what", "must", "aim", "measured", "baseline in the same run", "verdict", "note")


def table(figures: Iterable[Figure]) -> Iterator[str]:
    """Markdown lines with aligned columns."""
    rows = [HEADINGS, *(figure.cells() for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    for number, row in enumerate(rows):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield f"| {' | '.join(cells)} |".rstrip()
        if number == 0:
            yield f"|{'|'.join('-' * (width + 2) for width in widths)}|"


@final
@frozen
class Samples:
    """The values of one measure, block by block."""

    values: Sequence[float]

    @property
    def best(self) -> float:
        """The block that the machine disturbed least."""
        return min(self.values)

    @property
    def middle(self) -> float:
        """The median block."""
        return median(self.values)


def in_turns(blocks: int, *measures: Callable[[], float]) -> tuple[Samples, ...]:
    """Each measure once in a block, so that a slow minute of the machine meets all of them."""
    values: list[list[float]] = [[] for _ in measures]
    for _ in range(blocks):
        for collected, measure in zip(values, measures, strict=True):
            collected.append(measure())
    return tuple(Samples(tuple(collected)) for collected in values)
