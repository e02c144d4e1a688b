"""Amounts: durations, sizes, money, and the numbers that steer a model."""

import re
from typing import ClassVar, Self, final

from attrs import frozen
from returns.result import Failure, Result, Success

from caxton_core.primitives.rules import NumberRule, RealNumber, TextRule, WholeNumber
from caxton_core.problems import Malformed, OutOfRange, ValueProblem

_DAY_MS = 86_400_000
_UNITS_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": _DAY_MS}
_LONGEST_MS = 3650 * _DAY_MS
_UNITS_BYTES = {"B": 1, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40}
_LARGEST = 1 << 50


def _longest_unit(amount: int, units: dict[str, int]) -> str:
    unit = max((u for u in units if amount % units[u] == 0), key=lambda u: units[u])
    return f"{amount // units[unit]}{unit}"


def _as_duration(text: str) -> str | None:
    said = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,3})?) *([A-Za-z]*)", text.strip())
    unit = said and (said[2].lower()[:2] if said[2].lower()[:2] == "ms" else said[2].lower()[:1])
    factor = _UNITS_MS.get(unit or "s")
    if said is None or factor is None or float(said[1]) * factor < 1:
        return None
    return _longest_unit(round(float(said[1]) * factor), _UNITS_MS)


def _as_size(text: str) -> str | None:
    said = re.fullmatch(
        r"([0-9]{1,9}(?:\.[0-9]{1,3})?) *(?=[a-zA-Z])([kmgtKMGT]?)i?[bB]?(ytes)?", text.strip()
    )
    if said is None:
        return None
    amount = round(float(said[1]) * _UNITS_BYTES[f"{said[2].upper()}B"])
    return _longest_unit(amount, _UNITS_BYTES) if amount else None


@final
@frozen
class Duration:
    """A length of time in seconds, in whole milliseconds, at most ten years."""

    rule: ClassVar = TextRule(
        "a duration",
        "[0-9]{1,12}(ms|s|m|h|d)",
        "a whole number and a unit: ms, s, m, h or d",
        20,
        "30s",
        _as_duration,
    )
    value: float

    def __attrs_post_init__(self) -> None:
        milliseconds = round(self.value * 1000)
        if not 0 < milliseconds <= _LONGEST_MS or self.value != milliseconds / 1000:
            message = f"not a duration in whole milliseconds: {self.value!r} s"
            raise ValueError(message)

    def __str__(self) -> str:
        return _longest_unit(round(self.value * 1000), _UNITS_MS)

    @classmethod
    def parse(cls, text: str) -> Result[Self, ValueProblem]:
        """Read `30s`, `5m`, `24h`, `30d` or `500ms`."""
        broken = cls.rule.broken_by(text)
        if broken is not None:
            return Failure(broken)
        unit = text.lstrip("0123456789")
        milliseconds = int(text.removesuffix(unit)) * _UNITS_MS[unit]
        if not 0 < milliseconds <= _LONGEST_MS:
            return Failure(OutOfRange(text, "longer than 0 and at most 3650d"))
        return Success(cls(milliseconds / 1000))


@final
@frozen
class Size:
    """A number of bytes; a KB has 1024."""

    rule: ClassVar = TextRule(
        "a size",
        "[0-9]{1,16}(B|KB|MB|GB|TB)",
        "a whole number and a unit: B, KB, MB, GB or TB",
        20,
        "256MB",
        _as_size,
    )
    value: int

    def __attrs_post_init__(self) -> None:
        if not 0 < self.value <= _LARGEST:
            message = f"not a size in bytes: {self.value!r}"
            raise ValueError(message)

    def __str__(self) -> str:
        return _longest_unit(self.value, _UNITS_BYTES)

    @classmethod
    def parse(cls, text: str) -> Result[Self, ValueProblem]:
        """Read `64KB` or `256MB`."""
        broken = cls.rule.broken_by(text)
        if broken is not None:
            return Failure(broken)
        unit = text.lstrip("0123456789")
        size = int(text.removesuffix(unit)) * _UNITS_BYTES[unit]
        if not 0 < size <= _LARGEST:
            return Failure(OutOfRange(text, "larger than 0 and at most 1024TB"))
        return Success(cls(size))


@final
@frozen
class Usd:
    """An exact amount of US dollars, in billionths: a price per token is far below a cent."""

    rule: ClassVar = NumberRule("an amount of dollars", low=0, high=1_000_000, example=5.0)
    value: int

    def __attrs_post_init__(self) -> None:
        broken = self.rule.broken_by(self.value / 1e9)
        if broken is not None:
            raise ValueError(broken)

    def __str__(self) -> str:
        whole, billionths = divmod(self.value, 10**9)
        return f"{whole}.{billionths:09d}".rstrip("0").rstrip(".")

    def __add__(self, other: "Usd") -> "Usd":
        return Usd(self.value + other.value)

    @property
    def dollars(self) -> float:
        """The nearest floating-point number of dollars."""
        return self.value / 1e9

    @classmethod
    def parse(cls, dollars: float) -> Result[Self, ValueProblem]:
        """Read a number of dollars with at most nine decimals."""
        broken = cls.rule.broken_by(dollars)
        if broken is not None:
            return Failure(broken)
        billionths = round(dollars * 1e9)
        if billionths / 1e9 != dollars:
            return Failure(
                Malformed(
                    repr(dollars), cls.rule.subject, "at most nine decimals", str(cls(billionths))
                )
            )
        return Success(cls(billionths))


@final
@frozen
class TokenCount(WholeNumber):
    """The most tokens that something may take, at least one."""

    rule: ClassVar = NumberRule("a number of tokens", low=1, high=10**12, example=1000)


@final
@frozen
class Count(WholeNumber):
    """A number of things, at least one."""

    rule: ClassVar = NumberRule("a count", low=1, high=1_000_000, example=5)


@final
@frozen
class Seed(WholeNumber):
    """What makes a model's random choices repeatable, where it supports that."""

    rule: ClassVar = NumberRule("a seed", low=-(2**63), high=2**63 - 1, example=42)


@final
@frozen
class Temperature(RealNumber):
    """How freely the model chooses its words."""

    rule: ClassVar = NumberRule("a temperature", low=0, high=2, example=0.7)


@final
@frozen
class TopP(RealNumber):
    """The share of probability from which the model samples."""

    rule: ClassVar = NumberRule("a share of probability", above=0, high=1, example=0.9)


@final
@frozen
class Penalty(RealNumber):
    """How much the model avoids what it has said."""

    rule: ClassVar = NumberRule("a penalty", low=-2, high=2, example=0.5)


@final
@frozen
class Similarity(RealNumber):
    """How alike two texts are: 0 unrelated, 1 the same."""

    rule: ClassVar = NumberRule("a similarity", low=0, high=1, example=0.75)


@final
@frozen
class Cores(RealNumber):
    """A share of processor cores."""

    rule: ClassVar = NumberRule("a number of cores", above=0, high=1024, example=0.5)


@final
@frozen
class Priority(WholeNumber):
    """Who is preferred among agents that offer the same; higher goes first."""

    rule: ClassVar = NumberRule("a priority", low=0, high=1000, example=50)


@final
@frozen
class Weight(RealNumber):
    """The share of work among agents of the same priority."""

    rule: ClassVar = NumberRule("a weight", above=0, high=1000, example=1.0)
