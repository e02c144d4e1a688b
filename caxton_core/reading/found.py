"""What cattrs found while it walked a class becomes problems with their paths."""

from collections.abc import Iterator

from cattrs.errors import (
    AttributeValidationNote,
    BaseValidationError,
    ClassValidationError,
    ForbiddenExtraKeysError,
    IterableValidationNote,
)

from caxton_core.problems import MissingKey, Path, Problem, TooDeep, What
from caxton_core.reading.layout import fields, tables
from caxton_core.reading.misplaced import unknown
from caxton_core.reading.toml_text import DEEPEST


class ReadingError(Exception):
    """Carries problems through cattrs; their paths begin at the value that is being read."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(problems)
        self.problems = problems


def refused(what: What) -> ReadingError:
    """One problem with the value that is being read."""
    return ReadingError(Problem((), what))


def problems_in(error: Exception, root: type, at: Path = ()) -> Iterator[Problem]:
    """Tell what the error holds; an error that is no finding is a bug and is raised again."""
    match error:
        case BaseValidationError():
            for inner in error.exceptions:
                yield from _inner(error, inner, root, at)
        case ReadingError():
            for problem in error.problems:
                yield Problem((*at, *problem.at), problem.what)
        case RecursionError():
            yield Problem(at, TooDeep(DEEPEST))
        case _:
            raise error


def _inner(group: BaseValidationError, error: Exception, root: type, at: Path) -> Iterator[Problem]:
    path = (*at, *_step(error))
    if isinstance(error, ForbiddenExtraKeysError):
        known = [field.name for field in fields(error.cl)]
        for key in sorted(map(key_name, error.extra_fields)):
            yield Problem((*at, key), unknown(key, at, known, tables(root)))
    elif isinstance(error, KeyError) and isinstance(group, ClassValidationError):
        yield Problem(path, _missing(group.cl, str(path[-1])))
    else:
        yield from problems_in(error, root, path)


def _step(error: Exception) -> Path:
    notes: tuple[object, ...] = tuple(getattr(error, "__notes__", ()))
    for note in notes:
        if isinstance(note, AttributeValidationNote):
            return (note.name,)
        if isinstance(note, IterableValidationNote):
            return (note.index if isinstance(note.index, int) else key_name(note.index),)
    return ()


def key_name(key: object) -> str:
    """A key of a table as text; only tables that no parser made have other keys than text."""
    return key if isinstance(key, str) else f"<{type(key).__name__}>"


def _missing(cls: type, name: str) -> MissingKey:
    key = next(field.key for field in fields(cls) if field.name == name)
    return MissingKey(name, key.why or key.says, f"{name} = {key.example}")
