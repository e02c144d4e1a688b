"""Texts and ways of names against globs: surely the same, or perhaps."""

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import TypeAlias
from unicodedata import normalize

from caxton_core.primitives.wildcards import ANY_DEPTH, folded, split

__all__ = ["ANY_DEPTH", "alike", "lies", "may_lie_below", "split"]

Same: TypeAlias = Callable[[str, str], bool]


def alike(text: str, glob: str) -> bool:
    """Whether the text may be meant: exactly, in other letter case, or in other code points."""
    return (
        fnmatchcase(text, glob)
        or fnmatchcase(_lowered(text), _lowered(glob))
        or (not (text.isascii() and glob.isascii()) and fnmatchcase(folded(text), folded(glob)))
    )


def lies(names: Sequence[str], glob: Sequence[str]) -> bool:
    """Whether the whole way surely matches."""
    return len(names) in _reached(names, glob, fnmatchcase)


def may_lie_below(names: Sequence[str], glob: Sequence[str]) -> bool:
    """Whether the way, or one of the folders on it, may be meant."""
    return bool(_reached(names, glob, alike))


def _lowered(text: str) -> str:
    return text.lower() if text.isascii() else normalize("NFC", text).lower()


def _reached(names: Sequence[str], glob: Sequence[str], same: Same) -> set[int]:
    """After how many names the glob may be at its end."""
    places = {0}
    for pattern in glob:
        if pattern == ANY_DEPTH:
            places = set(range(min(places), len(names) + 1))
        else:
            places = {
                place + 1 for place in places if place < len(names) and same(names[place], pattern)
            }
        if not places:
            break
    return places
