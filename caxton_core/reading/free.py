"""Tables whose keys their author chooses."""

from collections.abc import Iterator
from datetime import date, time

from caxton_core.primitives import FreeTable, FreeValue
from caxton_core.problems import Path, Problem
from caxton_core.reading.found import ReadingError, key_name
from caxton_core.reading.scalars import refuse_type, text, whole_number


def free_table(value: object, _: object = FreeTable) -> FreeTable:
    """Take any table of TOML values, as an immutable one."""
    if type(value) is not dict:
        refuse_type("a table", value)
    problems = tuple(_problems(value, ()))
    if problems:
        raise ReadingError(*problems)
    return FreeTable.of({key: _frozen(item) for key, item in value.items()})


def _problems(value: object, at: Path) -> Iterator[Problem]:
    if type(value) is dict:
        for key, item in value.items():
            yield from _scalar_problems(key if type(key) is str else None, (*at, key_name(key)))
            yield from _problems(item, (*at, key_name(key)))
    elif type(value) is list:
        for index, item in enumerate(value):
            yield from _problems(item, (*at, index))
    else:
        yield from _scalar_problems(value, at)


def _scalar_problems(value: object, at: Path) -> Iterator[Problem]:
    try:
        _scalar(value)
    except ReadingError as error:
        for problem in error.problems:
            yield Problem(at, problem.what)


def _scalar(value: object) -> FreeValue:
    if isinstance(value, bool | float | date | time):
        return value
    if type(value) is int:
        return whole_number(value)
    if type(value) is not str:
        refuse_type("a text, number, boolean, date, list or table", value)
    return text(value)


def _frozen(value: object) -> FreeValue:
    if type(value) is dict:
        return FreeTable.of({key: _frozen(item) for key, item in value.items()})
    if type(value) is list:
        return tuple(_frozen(item) for item in value)
    return _scalar(value)
