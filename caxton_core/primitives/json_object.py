"""JSON in canonical text: the objects that tool arguments travel in, and any other value."""

import json
import re
from collections.abc import Mapping
from typing import ClassVar, Final, Self, final

from attrs import frozen
from returns.result import Failure, Result, Success

from caxton_core.problems import Malformed, TooLong, ValueProblem

MOST_LEVELS: Final = 64
"""What stands deeper in one another is refused, however deep Python itself would follow."""
_LEVELS: Final = f"JSON of at most {MOST_LEVELS} levels"

_BRACKETS: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[\]{}]', re.DOTALL)
"""Brackets, and texts, so that brackets within them are passed over; one may never end."""


def levels(text: str) -> int:
    """How many objects and lists of a JSON text stand in one another; 1 for a flat object."""
    deepest = depth = 0
    for bracket in _BRACKETS.findall(text):
        if bracket in "{[":
            depth += 1
            deepest = max(deepest, depth)
        elif bracket in "}]":
            depth -= 1
    return deepest


def too_deep(text: str) -> bool:
    """Whether the JSON text has more than `MOST_LEVELS` levels; it is not read for that."""
    return text.count("{") + text.count("[") > MOST_LEVELS and levels(text) > MOST_LEVELS


def _refuse_constant(name: str) -> object:
    message = f"{name} is not JSON"
    raise ValueError(message)


def _canonical(value: object) -> str:
    text = json.dumps(
        value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
    )
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, allow_nan=False, sort_keys=True, separators=(",", ":"))
    return text


@final
@frozen
class JsonObject:
    """A JSON object in canonical text: sorted keys, no spaces. Equal objects have equal text."""

    subject: ClassVar = "a JSON object"
    value: str = "{}"

    def __attrs_post_init__(self) -> None:
        if _object(self.value) != self.value:
            message = "not a JSON object in canonical text"
            raise ValueError(message)

    def __str__(self) -> str:
        return self.value

    @classmethod
    def parse(cls, text: str) -> Result[Self, ValueProblem]:
        """Read any JSON text that is an object; the last of equal keys counts."""
        canonical = _object(text)
        if canonical is None:
            return Failure(Malformed(text[:200], cls.subject, f"{_LEVELS}, of the form {{...}}"))
        return Success(cls(canonical))

    @classmethod
    def of(cls, members: Mapping[str, object]) -> Self:
        """Write the members, which must be JSON values, as an object."""
        return cls(_canonical(dict(members)))

    def members(self) -> Mapping[str, object]:
        """The members of the object."""
        members: dict[str, object] = json.loads(self.value)
        return members

    @property
    def depth(self) -> int:
        """How many objects and lists stand in one another; 1 for a flat object."""
        return levels(self.value)


def _object(text: str) -> str | None:
    """The canonical text of the object that is written there, if it is one."""
    if too_deep(text):
        return None
    try:
        parsed: object = json.loads(text, parse_constant=_refuse_constant)
        canonical = _canonical(parsed)
    except ValueError:
        return None
    return canonical if isinstance(parsed, dict) else None


@final
@frozen
class JsonValue:
    """Any JSON value in canonical text, at most 65,536 characters; equal values, equal text."""

    subject: ClassVar = "a JSON value"
    longest: ClassVar = 65_536
    value: str

    def __attrs_post_init__(self) -> None:
        if len(self.value) > self.longest or _canonical(self.python()) != self.value:
            message = "not a JSON value in canonical text"
            raise ValueError(message)

    def __str__(self) -> str:
        return self.value

    @classmethod
    def parse(cls, value: object) -> Result[Self, ValueProblem]:
        """Take a value that was read from JSON."""
        try:
            text = _canonical(value)
        except (ValueError, TypeError, RecursionError):
            return Failure(Malformed(repr(value)[:200], cls.subject, _LEVELS))
        if len(text) > cls.longest:
            return Failure(TooLong(cls.subject, len(text), cls.longest))
        if too_deep(text):
            return Failure(Malformed(text[:200], cls.subject, _LEVELS))
        return Success(cls(text))

    def python(self) -> object:
        """The value as `json` reads it."""
        return json.loads(self.value, parse_constant=_refuse_constant)
