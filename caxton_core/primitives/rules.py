"""What a small value must satisfy, declared once: read, checked and published from one place.

A value is made in two ways: `parse` answers with a `Result` and serves what a person wrote;
the constructor serves the program itself and raises `ValueError`, for there it is a bug.
"""

import re
from collections.abc import Callable
from math import isfinite
from typing import ClassVar, Self, final

from attrs import frozen
from returns.result import Failure, Result, Success

from caxton_core.problems import Blank, Malformed, OutOfRange, TooLong, ValueProblem


@final
@frozen
class TextRule:
    """The form of a text: `pattern` (whole text, also valid ECMAScript), and in words `says`."""

    subject: str
    pattern: str
    says: str
    longest: int | None = None
    example: str = ""
    propose: Callable[[str], str | None] = lambda _: None

    def broken_by(self, text: str) -> ValueProblem | None:
        """Say what is wrong with the text, if anything."""
        if self.longest is not None and len(text) > self.longest:
            return TooLong(self.subject, len(text), self.longest)
        if re.fullmatch(self.pattern, text):
            return None
        if not text.strip():
            return Blank(self.subject)
        return Malformed(text, self.subject, self.says, self._proposal(text))

    def _proposal(self, text: str) -> str | None:
        proposal = self.propose(text)
        if proposal is None or not re.fullmatch(self.pattern, proposal):
            return None
        return proposal if self.longest is None else proposal[: self.longest].rstrip("-_.")


@final
@frozen
class NumberRule:
    """The range of a number; both ends belong to it unless `above` is given instead of `low`."""

    subject: str
    low: float | None = None
    high: float | None = None
    above: float | None = None
    example: float = 1

    @property
    def says(self) -> str:
        """The range in words."""
        if self.above is not None:
            upper = "" if self.high is None else f" and at most {self.high:g}"
            return f"greater than {self.above:g}{upper}"
        if self.low is None or self.high is None:
            return f"at least {self.low:g}" if self.low is not None else "any number"
        return f"from {self.low:,} to {self.high:,}"

    def broken_by(self, number: float) -> OutOfRange | None:
        """Say what is wrong with the number, if anything (nan is never in range)."""
        if (
            (self.low is None or number >= self.low)
            and (self.high is None or number <= self.high)
            and (self.above is None or number > self.above)
            and isfinite(number)
        ):
            return None
        return OutOfRange(f"{number!r}"[:40], self.says, self._nearest(number))

    def _nearest(self, number: float) -> str | None:
        if self.high is not None and number > self.high:
            return f"{self.high:g}"
        return f"{self.low:g}" if self.low is not None and number < self.low else None


@frozen
class Text:
    """A text that follows the rule of its class."""

    rule: ClassVar[TextRule]
    value: str

    def __attrs_post_init__(self) -> None:
        broken = self.rule.broken_by(self.value)
        if broken is not None:
            raise ValueError(broken)

    def __str__(self) -> str:
        return self.value

    @classmethod
    def parse(cls, text: str) -> Result[Self, ValueProblem]:
        """Read the text, or say what is wrong with it."""
        broken = cls.rule.broken_by(text)
        return Success(cls(text)) if broken is None else Failure(broken)


@frozen
class WholeNumber:
    """A whole number in the range of its class."""

    rule: ClassVar[NumberRule]
    value: int

    def __attrs_post_init__(self) -> None:
        broken = self.rule.broken_by(self.value)
        if broken is not None:
            raise ValueError(broken)

    @classmethod
    def parse(cls, number: int) -> Result[Self, ValueProblem]:
        """Read the number, or say what is wrong with it."""
        broken = cls.rule.broken_by(number)
        return Success(cls(number)) if broken is None else Failure(broken)


@frozen
class RealNumber:
    """A number in the range of its class."""

    rule: ClassVar[NumberRule]
    value: float

    def __attrs_post_init__(self) -> None:
        broken = self.rule.broken_by(self.value)
        if broken is not None:
            raise ValueError(broken)

    @classmethod
    def parse(cls, number: float) -> Result[Self, ValueProblem]:
        """Read the number, or say what is wrong with it."""
        broken = cls.rule.broken_by(number)
        return Success(cls(float(number))) if broken is None else Failure(broken)
