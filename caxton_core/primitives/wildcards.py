"""What the wildcards of a glob leave open, and whether one text may fit two globs."""

import re
from fnmatch import fnmatchcase
from functools import lru_cache, reduce
from operator import or_
from string import punctuation, whitespace
from typing import Final
from unicodedata import normalize

ANY_DEPTH: Final = "**"
_PIECE: Final = re.compile(r"\[!?+\]?+[^\]]*+\]|\*+|.", re.DOTALL)
_MEMBER: Final = re.compile(r"(.)-(.)|(.)", re.DOTALL)
_SAYS_LITTLE: Final = frozenset(punctuation + whitespace)
_FEW: Final = 10
"""The most characters of a class that says something: as many as there are digits."""


def split(path: str) -> tuple[str, ...]:
    """The names on the way."""
    return tuple(name for name in path.split("/") if name not in ("", "."))


def folded(text: str) -> str:
    """The text without differences of letter case and of code points."""
    return normalize("NFKC", normalize("NFKC", text).casefold())


def begins_openly(glob: str) -> bool:
    """Whether the glob leaves open what its texts begin with."""
    return any(map(_is_wild, _pieces(glob)[:1]))


def says_nothing(glob: str) -> bool:
    """Whether the glob demands no letter of the texts that fit it, and so may fit any of them."""
    pieces = _pieces(glob)
    return not glob or (any(map(_is_wild, pieces)) and not any(map(_says_something, pieces)))


def shortest(glob: str) -> str:
    """The glob of the texts in which every `*` stands for nothing."""
    return "".join(piece for piece in _pieces(glob) if piece != "*")


def may_meet(one: str, other: str) -> bool:
    """Whether some text may fit both globs, in whatever letter case and code points."""
    if one.isascii() and other.isascii():
        return _meet(one, other)
    return _meet(one, other) or _meet(folded(one), folded(other))


def _meet(one: str, other: str) -> bool:
    """Reads the first glob piece by piece; a bit stands for each place of the other one."""
    end, stars = len(_pieces(other)), _taking("*", other)
    places = _onward(1, stars)
    for piece in _pieces(one):
        if piece == "*":
            places = (2 << end) - (places & -places)
        else:
            taken = places & (stars | _taking(piece, other))
            places = _onward((taken & stars) | (taken & ~stars) << 1, stars)
        if not places:
            return False
    return bool(places >> end & 1)


def _onward(places: int, stars: int) -> int:
    """The places, and those behind a `*` that stands for nothing."""
    return places | (places & stars) << 1


@lru_cache(maxsize=4096)
def _taking(piece: str, glob: str) -> int:
    """The places of the glob that may take the same character; for a `*`, where it has one."""
    marked = (_share(piece, each) << at for at, each in enumerate(_pieces(glob)))
    return reduce(or_, marked, 0)


def _share(one: str, other: str) -> bool:
    """Whether two pieces may be about the same character."""
    if "*" in (one, other):
        return one == other
    if "?" in (one, other) or (len(one) > 1 and len(other) > 1):
        return True
    glob, letter = (other, one) if len(other) > 1 else (one, other)
    return any(fnmatchcase(case, glob) for case in (letter, letter.lower(), letter.upper()))


@lru_cache(maxsize=4096)
def _pieces(glob: str) -> tuple[str, ...]:
    """The glob as characters, `?`, `*` and classes; a class of one is that character."""
    return tuple(_plainly(piece) for piece in _PIECE.findall(glob))


def _plainly(piece: str) -> str:
    if piece.startswith("**"):
        return "*"
    only = _members(piece) if len(piece) > 1 else ""
    return only if len(only) == 1 and only not in "*?[" else piece


def _is_wild(piece: str) -> bool:
    return len(piece) > 1 or piece in "*?"


def _says_something(piece: str) -> bool:
    if piece in "*?" or piece.startswith("[!"):
        return False
    members = _members(piece) if len(piece) > 1 else piece
    return len(members) <= _FEW and _SAYS_LITTLE.isdisjoint(members)


def _members(piece: str) -> str:
    """The characters of a class, no more than tell that there are many; none of a negated one."""
    if piece.startswith("[!"):
        return ""
    found = ""
    for first, last, single in _MEMBER.findall(piece[1:-1]):
        high = min(ord(last or single), ord(first or single) + _FEW)
        found += "".join(map(chr, range(ord(first or single), high + 1)))
    return found
