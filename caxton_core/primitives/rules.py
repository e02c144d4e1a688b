"""What a small value must satisfy, declared once: read, checked and published from one place.

A value is made in two ways: `parse` answers with a `Result` and serves what a person wrote;
the constructor serves the program itself and raises `ValueError`, for there it is a bug.
"""

import re
from collections.abc import Callable
from typing import ClassVar, Final, Self, final

from attrs import field, frozen
from returns.result import Failure, Result, Success

from caxton_core.problems import Blank, Malformed, OutOfRange, TooLong, ValueProblem

_HUGE: Final = 10**18
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def is_unicode(text: str) -> bool:
    """Whether the text can be written: a lone surrogate has no encoding."""
    return text.isascii() or not _SURROGATE.search(text)


@final
@frozen
class TextRule:
    """The form of a text: `pattern` (whole text, also valid ECMAScript), and in words `says`.

    `beyond` finds what a pattern cannot say.
    """

    subject: str
    pattern: str
    says: str
    longest: int | None = None
    example: str = ""
    propose: Callable[[str], str | None] = lambda _: None
    beyond: Callable[[str], ValueProblem | None] = lambda _: None
    _whole: re.Pattern[str] = field(init=False, repr=False, eq=False)

    @_whole.default
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(self.pattern)

    def broken_by(self, text: str) -> ValueProblem | None:
        """Say what is wrong with the text, if anything."""
        if self.longest is not None and len(text) > self.longest:
            return TooLong(self.subject, len(text), self.longest)
        if not is_unicode(text):
            return Malformed(ascii(text)[:80], self.subject, "Unicode without lone surrogates")
        if self._whole.fullmatch(text):
            return self.beyond(text)
        if not text.strip():
            return Blank(self.subject)
        return Malformed(text, self.subject, self.says, self._proposal(text))

    def _proposal(self, text: str) -> str | None:
        proposal = self.propose(text)
        if proposal is None:
            return None
        short = proposal[: self.longest].rstrip("-_.")
        return short if re.fullmatch(self.pattern, short) else None


@final
@frozen
class NumberRule:
    """The range of a number; both ends belong to it unless `above` is given instead of `low`."""

    subject: str
    high: float
    low: float | None = None
    above: float | None = None
    example: float = 1

    @property
    def says(self) -> str:
        """The range in words."""
        if self.above is not None:
            return f"greater than {self.above:,} and at most {self.high:,}"
        return f"from {self.low or 0:,} to {self.high:,}"

    def broken_by(self, number: float) -> OutOfRange | None:
        """Say what is wrong with the number, if anything (nan is never in range)."""
        above_floor = self.above is None or number > self.above
        if above_floor and (self.low is None or number >= self.low) and number <= self.high:
            return None
        return OutOfRange(_shown(number), self.says, self._nearest(number))

    def _nearest(self, number: float) -> str | None:
        if number > self.high:
            return f"{self.high:g}"
        return f"{self.low:g}" if self.low is not None and number < self.low else None


def _shown(number: float) -> str:
    return "a huge number" if abs(number) >= _HUGE else repr(number).removesuffix(".0")


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
