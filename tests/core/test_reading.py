"""Any class of fields can be read from a table: strictly, and with every problem at its path."""

from collections.abc import Mapping
from enum import Enum
from typing import Annotated

import pytest
from attrs import frozen
from hypothesis import given
from returns.result import Failure, Success

from caxton_core.primitives import Duration, FreeTable, ProviderName, Size, Temperature, Usd
from caxton_core.problems import (
    MisplacedKey,
    MissingKey,
    NotAChoice,
    Path,
    Repeated,
    TooMany,
    UnknownKey,
    What,
    WrongType,
)
from caxton_core.reading.keys import Distinct, Key
from caxton_core.reading.tables import read
from caxton_core.reading.written import table_of, toml_text
from caxton_core.testing.agent import table_values


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


@frozen
class Inner:
    size: Annotated[Size, Key("How large.", '"1KB"', why="Nothing has no size.")]
    on: bool = True


@frozen
class Outer:
    inner: Inner
    by_name: Mapping[str, Inner] = FreeTable()  # type: ignore[assignment]  # empty either way
    many: tuple[Inner, ...] = ()
    names: Annotated[tuple[ProviderName, ...], Distinct(3)] = ()
    colour: Colour = Colour.RED
    text: str = ""
    count: int = 0
    ratio: float = 0.0
    wait: Duration | None = None
    heat: Temperature | None = None
    price: Usd | None = None
    free: FreeTable = FreeTable()


INNER = {"size": "1KB"}


def found(**table: object) -> dict[Path, What]:
    answer = read(Outer, {"inner": INNER, **table})
    assert isinstance(answer, Failure)
    return {problem.at: problem.what for problem in answer.failure()}


def test_a_table_becomes_a_value() -> None:
    table = {
        "inner": INNER,
        "by_name": {"x": {"size": "2KB", "on": False}},
        "many": [INNER],
        "names": ["a", "b"],
        "colour": "blue",
        "ratio": 1,
        "wait": "5m",
        "price": 0.25,
        "free": {"any": [1, {"k": "v"}]},
    }
    read_value = read(Outer, table)
    assert isinstance(read_value, Success)
    value = read_value.unwrap()
    assert value.by_name["x"] == Inner(Size(2048), on=False)
    assert value.many == (Inner(Size(1024)),)
    assert (value.ratio, value.price) == (1.0, Usd(250_000_000))
    assert read(Outer, table_of(value)) == read_value


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("inner", [], "a table"),
        ("by_name", "x", "a table"),
        ("many", {}, "a list"),
        ("names", "openai", "a list"),
        ("text", 1, "a text"),
        ("count", True, "a whole number"),
        ("count", 1.0, "a whole number"),
        ("ratio", "1", "a number"),
        ("ratio", True, "a number"),
        ("wait", 30, 'a text such as "30s"'),
        ("colour", 1, 'a text: "red" or "blue"'),
        ("free", [], "a table"),
    ],
)
def test_nothing_is_converted_silently(key: str, value: object, expected: str) -> None:
    what = found(**{key: value})[(key,)]
    assert isinstance(what, WrongType)
    assert what.expected == expected


@pytest.mark.parametrize("written", ["no", "yes", "true", 0, 1, "", []])
def test_only_booleans_are_booleans(written: object) -> None:
    what = found(inner={**INNER, "on": written})[("inner", "on")]
    assert isinstance(what, WrongType)


def test_every_problem_has_its_path() -> None:
    problems = found(
        inner={},
        by_name={"x": {"size": "1KB", "sise": 1}},
        many=[INNER, {"size": 1}],
        names=["a", "b", "a"],
        colour="rde",
        free={"deep": [1, {"k": None}]},
    )
    assert {at: type(what) for at, what in problems.items()} == {
        ("inner", "size"): MissingKey,
        ("by_name", "x", "sise"): UnknownKey,
        ("many", 1, "size"): WrongType,
        ("names", 2): Repeated,
        ("colour",): NotAChoice,
        ("free", "deep", 1, "k"): WrongType,
    }


def test_a_missing_key_says_why_and_how() -> None:
    what = found(inner={})[("inner", "size")]
    assert what == MissingKey("size", "Nothing has no size.", 'size = "1KB"')


def test_a_list_has_a_limit() -> None:
    assert found(names=["a", "b", "c", "d"])[("names",)] == TooMany(4, 3)


def test_a_key_of_another_table_is_recognised() -> None:
    assert found(on=True)[("on",)] == MisplacedKey("on", "the top level", "[inner]")
    assert found(inner={**INNER, "text": "x"})[("inner", "text")] == MisplacedKey(
        "text", "[inner]", "the top level"
    )


@given(table_values)
def test_reading_answers_whatever_stands_under_a_key(value: object) -> None:
    for key in ("inner", "by_name", "many", "names", "colour", "text", "wait", "free", "other"):
        assert isinstance(read(Outer, {"inner": INNER, key: value}), Success | Failure)


def test_a_document_has_its_tables_after_its_keys() -> None:
    table = {"a": 1, "t": {"b": "x\ny", "u": {"c": [1, {"d": 2}]}}, "z z": True}
    assert toml_text(table) == (
        'a = 1\n"z z" = true\n\n[t]\nb = """\nx\ny"""\n\n[t.u]\nc = [1, {d = 2}]\n'
    )
