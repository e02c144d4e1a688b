"""The smallest values of a memory, each with the rule that its readers rely on."""

import re
from datetime import UTC, datetime
from typing import ClassVar, Self, final

from attrs import frozen
from returns.result import Failure, Result, Success

from caxton_core.primitives import NumberRule, RealNumber, Text, TextRule, kebab
from caxton_core.problems import Malformed, ValueProblem

_WORD = "[a-z][a-z0-9]*([_-][a-z0-9]+)*"
_WORD_SAYS = "lower-case letters and digits in words joined by single `-` or `_`, a letter first"


@final
@frozen
class EntryKey(Text):
    """The name of an entry, unique among the entries of its owner."""

    rule: ClassVar = TextRule(
        "a key",
        r"[^\s\x00-\x1f\x7f-\x9f\u2028\u2029]([^\x00-\x1f\x7f-\x9f\u2028\u2029]*"
        r"[^\s\x00-\x1f\x7f-\x9f\u2028\u2029])?",
        "one line without white space at its ends",
        256,
        "favourite-colour",
        lambda text: " ".join(text.split()),
    )


@final
@frozen
class EntryText(Text):
    """What an entry says in words; it may be empty where the value says it all."""

    rule: ClassVar = TextRule(
        "the text of an entry",
        r"[^\x00]*",
        "any text without NUL",
        65_536,
        "Ada likes green tea.",
        lambda text: text.replace("\0", ""),
    )


@final
@frozen
class EntryKind(Text):
    """What sort of entry it is, in a word of its author's choice."""

    rule: ClassVar = TextRule("a kind", _WORD, _WORD_SAYS, 64, "note", kebab)


@final
@frozen
class Tag(Text):
    """A word by which entries are found again."""

    rule: ClassVar = TextRule(
        "a tag",
        r"[^\s,\x00-\x1f\x7f-\x9f]+",
        "a word without white space and commas",
        64,
        "preference",
        lambda text: re.sub(r"[\s,]+", "-", text.strip()),
    )


@final
@frozen
class RelationType(Text):
    """How one entry is related to another."""

    rule: ClassVar = TextRule("a type of relation", _WORD, _WORD_SAYS, 64, "part-of", kebab)


@final
@frozen
class Strength(RealNumber):
    """How strong a relation is: 0 hardly, 1 fully."""

    rule: ClassVar = NumberRule("a strength", low=0, high=1, example=0.8)


@final
@frozen
class SearchText(Text):
    """Words to look for; nothing in them is an operator."""

    rule: ClassVar = TextRule(
        "a text to search for", r"[^\x00]*", "any text without NUL", 1_000, "green tea"
    )


@final
@frozen
class Moment(Text):
    """A moment as RFC 3339 writes it, or a day, which is its first moment in UTC."""

    rule: ClassVar = TextRule(
        "a time",
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
        r"(T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2}))?",
        "a day, or a time with its zone as RFC 3339 writes it",
        40,
        "2026-11-22T10:00:00Z",
    )

    @classmethod
    def parse(cls, text: str) -> Result[Self, ValueProblem]:
        """Read a moment that the calendar has."""
        broken = cls.rule.broken_by(text)
        if broken is not None:
            return Failure(broken)
        try:
            _utc(text)
        except (ValueError, OverflowError):
            return Failure(Malformed(text, cls.rule.subject, cls.rule.says))
        return Success(cls(text))

    @classmethod
    def of(cls, time: datetime) -> Self:
        """A time of the program's as people write it."""
        return cls(time.astimezone(UTC).isoformat().replace("+00:00", "Z"))

    @property
    def time(self) -> datetime:
        """The moment, in UTC."""
        return _utc(self.value)


def _utc(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
