"""Paths in a registration that begin somewhere else than whoever wrote them meant.

A program begins in a directory of its own, which is also its home, unless its registration says
otherwise: what is no whole path would silently be another file.
"""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Final

from caxton_core.codes.stating import stated
from caxton_core.problems import Path as Place
from caxton_core.problems import Problem

BEGINS_ELSEWHERE: Final = "CX2216"

_DECIDING: Final = {".": "cwd", "..": "cwd", "~": "HOME"}


def beginning_elsewhere(at: Place, text: str, given: Collection[str]) -> Iterator[Problem]:
    """What is wrong with an argument or a variable, where these keys and variables are given."""
    beginning = _path(text).partition("/")[0]
    deciding = _DECIDING.get(beginning)
    if deciding is not None and deciding not in given:
        yield Problem(at, stated(BEGINS_ELSEWHERE, beginning=beginning, key=deciding))


def astray(texts: Mapping[str, str]) -> str | None:
    """The first of the named texts that is the path of something here, where no program begins."""
    return next((name for name, text in texts.items() if _is_here(_path(text))), None)


def _path(text: str) -> str:
    """What may be a path in an argument such as `--root=docs`."""
    return text.partition("=")[2] or text


def _is_here(path: str) -> bool:
    """Whether a file has this name, or a directory, which a single word may only happen to have."""
    if path.startswith("/"):
        return False
    try:
        found = Path(path)
        return found.is_file() or ("/" in path and found.exists())
    except (OSError, ValueError):
        return False
