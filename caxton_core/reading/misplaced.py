"""Unknown keys, and where they were probably meant to stand."""

from collections.abc import Collection, Iterable
from typing import Final

from caxton_core.problems import MisplacedKey, MissingKey, Path, Problem, UnknownKey, What
from caxton_core.reading.layout import TableKeys
from caxton_core.reading.nearest import nearest

TOP: Final = "the top level"


def table_name(at: Path) -> str:
    """A table as its header names it."""
    keys = [str(part) for part in at if isinstance(part, str)]
    return f"[{'.'.join(keys)}]" if keys else TOP


def unknown(key: str, at: Path, known: Collection[str], tables: TableKeys) -> What:
    """Say what is wrong with a key that its table does not have."""
    homes = [home for home, keys in tables.items() if key in keys and home != at]
    if homes:
        return MisplacedKey(key, table_name(at), table_name(homes[0]))
    return UnknownKey(key, table_name(at), tuple(known), nearest(key, known))


def without_echoes(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Leave out that a key is missing where the same key was found in the wrong place."""
    found = tuple(problems)
    misplaced = {
        what.key
        for problem in found
        if isinstance(what := problem.what, MisplacedKey) and what.home == TOP
    }
    return tuple(problem for problem in found if not _echoes(problem, misplaced))


def _echoes(problem: Problem, misplaced: Collection[str]) -> bool:
    return (
        isinstance(problem.what, MissingKey)
        and len(problem.at) == 1
        and problem.what.key in misplaced
    )
