"""An operator's own patterns over texts: regular expressions whose cost cannot run away.

A pattern becomes a machine without backtracking that reads each character once. What such a machine
cannot do (back references, looking around) is not part of the language.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import ClassVar, Final, Self, final

from attrs import define, field, frozen
from returns.result import Failure, Result, Success

from caxton_core.primitives import Text, TextRule
from caxton_core.problems import Malformed, ValueProblem

LARGEST: Final = 400
"""The most places of a pattern, after its repetitions are written out."""
MOST_REPEATED: Final = 100
STEPS: Final = 100_000
"""The most steps for one text: what needs more is treated as a match."""

_SAYS: Final = (
    "a regular expression of letters, `.`, `[...]`, `\\d`, `\\w`, `\\s`, groups, `|`, `?`, `*`, "
    f"`+` and `{{m,n}}` up to {MOST_REPEATED}, without anything that looks back or around"
)
_CLASS: Final = re.compile(r"\[\^?\]?(?:\\.|[^\]\\\[])*\]")
_RESERVED: Final = re.compile(r"--|&&|~~|\|\|")
_ESCAPE: Final = re.compile(r"\\(?:[dDwWsSntrfv]|[^A-Za-z0-9])")
_TIMES: Final = re.compile(r"\{([0-9]{1,3})(,([0-9]{0,3}))?\}")
_REPETITIONS: Final = {"?": (0, 1), "*": (0, None), "+": (1, None)}


class _Refused(Exception):
    """The text is no pattern of this language."""


@final
@frozen(eq=False)
class _Place:
    """A place of the machine that takes one character, and where it goes from there."""

    takes: "re.Pattern[str]"
    then: list[int] = field(factory=list)


@final
@define
class _Part:
    """A piece of a pattern: the places where it begins and ends, and whether it may be empty."""

    first: list[int]
    last: list[int]
    empty: bool


@final
@define
class _Reader:
    """Reads a pattern into the places of its machine."""

    text: str
    at: int = 0
    places: list[_Place] = field(factory=list)

    def alternatives(self) -> _Part:
        parts = [self._sequence()]
        while self._next() == "|":
            self.at += 1
            parts.append(self._sequence())
        return _Part(
            [place for part in parts for place in part.first],
            [place for part in parts for place in part.last],
            any(part.empty for part in parts),
        )

    def _sequence(self) -> _Part:
        whole = _Part([], [], empty=True)
        while self._next() not in ("", "|", ")"):
            whole = self._joined(whole, self._repeated())
        return whole

    def _repeated(self) -> _Part:
        start = self.at
        part = self._atom()
        end = self.at
        least, most = self._times()
        if (least, most) == (1, 1):
            return part
        if self._next() in tuple("?*+{"):
            raise _Refused
        return self._written_out(part, self.text[start:end], least, most)

    def _written_out(self, part: _Part, atom: str, least: int, most: int | None) -> _Part:
        """The part as often as it may come, each time with places of its own."""
        whole = _Part([], [], empty=True)
        for number in range(max(least, most or least, 1)):
            one = part if number == 0 else self._again(atom)
            if number >= least:
                one = _Part(one.first, one.last, empty=True)
            whole = self._joined(whole, one)
            part = one
        if most is None:
            for place in part.last:
                self.places[place].then.extend(part.first)
        return whole if least or most != 0 else _Part([], [], empty=True)

    def _again(self, atom: str) -> _Part:
        inner = _Reader(atom, places=self.places)
        return inner._atom()

    def _atom(self) -> _Part:
        if self._next() == "(":
            return self._group()
        for form in (_CLASS, _ESCAPE):
            found = form.match(self.text, self.at)
            if found is not None:
                self.at = found.end()
                return self._place(found[0])
        character = self._next()
        if character in tuple("[]*+?{}()|^$\\") or not character:
            raise _Refused
        self.at += 1
        return self._place("." if character == "." else re.escape(character))

    def _group(self) -> _Part:
        self.at += 3 if self.text.startswith("(?:", self.at) else 1
        inner = self.alternatives()
        if self._next() != ")" or not inner.first:
            raise _Refused
        self.at += 1
        return inner

    def _place(self, takes: str) -> _Part:
        if len(self.places) >= LARGEST or _RESERVED.search(takes[2:-1]):
            raise _Refused
        try:
            one = re.compile(takes, re.IGNORECASE)
        except re.error:
            raise _Refused from None
        self.places.append(_Place(one))
        return _Part([len(self.places) - 1], [len(self.places) - 1], empty=False)

    def _times(self) -> tuple[int, int | None]:
        if self._next() in _REPETITIONS:
            self.at += 1
            return _REPETITIONS[self.text[self.at - 1]]
        found = _TIMES.match(self.text, self.at)
        if found is None:
            return 1, 1
        self.at = found.end()
        least = int(found[1])
        most = least if found[2] is None else int(found[3]) if found[3] else None
        if max(least, most or 0) > MOST_REPEATED or (most is not None and most < least):
            raise _Refused
        return least, most

    def _joined(self, one: _Part, other: _Part) -> _Part:
        for place in one.last:
            self.places[place].then.extend(other.first)
        return _Part(
            [*one.first, *other.first] if one.empty else one.first,
            [*other.last, *one.last] if other.empty else other.last,
            one.empty and other.empty,
        )

    def _next(self) -> str:
        return self.text[self.at : self.at + 1]


@final
@frozen(eq=False)
class _Machine:
    """The places of a pattern; `first` are those where it may begin, `last` where it may end."""

    places: Sequence[_Place]
    first: frozenset[int]
    last: frozenset[int]

    def end_in(self, text: str) -> int | None:
        """Where the first match ends; None where there is none."""
        steps, here = 0, self.first
        known: dict[tuple[frozenset[int], str], frozenset[int] | None] = {}
        for at, character in enumerate(text):
            if (here, character) not in known:
                steps += len(here)
                known[here, character] = self._step(here, character)
            onward = known[here, character]
            if onward is None or steps > STEPS:
                return at + 1
            here = onward
        return None

    def _step(self, here: frozenset[int], character: str) -> frozenset[int] | None:
        """Where the machine is after the character; None at the end of a match."""
        taken = frozenset(p for p in here if self.places[p].takes.fullmatch(character))
        if not self.last.isdisjoint(taken):
            return None
        return self.first.union(*(self.places[place].then for place in taken))


@lru_cache(maxsize=512)
def _machine(pattern: str) -> _Machine | None:
    """The machine of the pattern; None where the text is none, or would match everything."""
    reader = _Reader(pattern)
    try:
        whole = reader.alternatives()
    except _Refused:
        return None
    if whole.empty or reader.at < len(pattern):
        return None
    return _Machine(tuple(reader.places), frozenset(whole.first), frozenset(whole.last))


@final
@frozen
class TextPattern(Text):
    """A pattern over texts; upper and lower case are the same, and it matches anywhere."""

    rule: ClassVar = TextRule(
        "a pattern of texts",
        r"[^\x00\r\n]*[^\s\x00][^\x00\r\n]*",
        _SAYS,
        300,
        "codename (blue|red)",
    )

    @classmethod
    def parse(cls, text: str) -> Result[Self, ValueProblem]:
        """Read a pattern that a machine without backtracking can run."""
        broken = cls.rule.broken_by(text)
        if broken is None and _machine(text) is None:
            broken = Malformed(text, cls.rule.subject, cls.rule.says)
        return Success(cls(text)) if broken is None else Failure(broken)

    def words_in(self, text: str) -> str | None:
        """The end of what the pattern matches, at most a line of it; None where it does not."""
        machine = _machine(self.value)
        end = None if machine is None else machine.end_in(text)
        if end is None:
            return None
        line = text.rfind("\n", 0, end - 1) + 1
        return text[max(line, end - 60) : end].strip() or text[:end]
