"""The text of a file: its limits, its encoding, and where its keys stand."""

from collections.abc import Iterator
from time import perf_counter

import pytest
import tomli
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Failure, Success

from caxton_core.problems import Path, Problem, TooDeep
from caxton_core.reading.spans import spans
from caxton_core.reading.toml_text import AGENT_FILE_LIMIT, decoded, parse_toml
from caxton_core.reading.written import toml_text
from caxton_core.testing.agent import free_tables

HOSTILE = {
    "a long dotted key": ("a." * 20_000 + "b = 1", "CX1009"),
    "a long dotted key of quoted parts": ('"\\"".' * 9_000 + "b = 1", "CX1009"),
    "a long header": (f"[{'a.' * 20_000}b]", "CX1009"),
    "an inline table with a long key": (f"x = {{ {'a.' * 20_000}b = 1 }}", "CX1009"),
    "nested arrays": ("a = " + "[" * 60_000, "CX1009"),
    "nested inline tables": ("a = " + "{a=" * 20_000, "CX1009"),
    "arrays just too deep": ("a = " + "[" * 20 + "]" * 20, "CX1009"),
    "a huge number": ("a = " + "9" * 60_000, "CX1010"),
    "a large file": ("#" * (AGENT_FILE_LIMIT + 1), "CX1008"),
    "a file of one word": ("x" * 65_000, "CX1001"),
    "a file of quotes": ('"' * 65_000, "CX1001"),
    "a file of commas and quotes": (',"' * 32_000, "CX1001"),
    "a lone carriage return": ("a = 1\rb = 2", "CX1001"),
}


@pytest.mark.parametrize(("text", "code"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_text_is_refused_at_once(text: str, code: str) -> None:
    since = perf_counter()
    answer = parse_toml(text, AGENT_FILE_LIMIT)
    assert isinstance(answer, Failure)
    assert answer.failure().what.code == code
    assert perf_counter() - since < 2


def test_sixteen_parts_of_a_key_are_few_enough() -> None:
    assert isinstance(parse_toml("a." * 15 + "b = 1"), Success)
    assert isinstance(parse_toml("a." * 16 + "b = 1"), Failure)


def test_the_bracket_that_is_too_much_is_found() -> None:
    text = "# [[\na = '[['\nb = " + "[" * 17 + "]" * 17
    answer = parse_toml(text)
    assert isinstance(answer, Failure)
    assert answer.failure() == Problem((), TooDeep(16, line=3, column=21))


def test_bytes_are_read_as_utf_8() -> None:
    assert decoded(b"\xef\xbb\xbfa = 1") == Success("a = 1")
    broken = decoded(b"a = \xff")
    assert isinstance(broken, Failure)
    assert isinstance(broken.failure(), Problem)


@pytest.mark.parametrize("quote", ['"', "'"])
@pytest.mark.parametrize("quotes", [3, 4, 5])
def test_a_text_may_end_with_its_own_quotes(quote: str, quotes: int) -> None:
    assert_spans_agree_with_the_parser(f"a = {quote * 3}\nb{quote}c{quote * quotes}\nd = 1\n")


def paths(value: object, at: Path = ()) -> Iterator[Path]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield (*at, key)
            yield from paths(item, (*at, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield (*at, index)
            yield from paths(item, (*at, index))


def assert_spans_agree_with_the_parser(text: str) -> None:
    table = tomli.loads(text)
    found = spans(text)
    assert set(found) == set(paths(table))
    for path, span in found.items():
        value: object = table
        for part in path:
            value = value[part]  # type: ignore[index]
        if span.key != span.value and not isinstance(value, dict):
            written = tomli.loads(f"x = {text[slice(*span.value)]}")["x"]
            assert written == value


@given(free_tables.map(lambda table: toml_text(_plain(table))))
def test_every_key_of_a_written_table_is_found(text: str) -> None:
    assert_spans_agree_with_the_parser(text)


def _plain(value: object) -> dict[str, object]:
    plain = _thawed(value)
    assert isinstance(plain, dict)
    return plain


def _thawed(value: object) -> object:
    if hasattr(value, "items"):
        return {key: _thawed(item) for key, item in value.items()}
    return [_thawed(item) for item in value] if isinstance(value, tuple) else value


PIECES = st.sampled_from(
    (
        "a = 1 # c",
        "b.c = [1, [2, 3], ] ",
        '"q k"."\\n" = { x = 1, y.z = "}" }',
        "[t]",
        "[t.u]",
        "[[v]]",
        "[v.w]",
        "[[v.l]]",
        "'lit' = '''\na'b''''",
        'm = """a""b"""""',
        "d = 1979-05-27 07:32:00 ",
        "e = [ # c ]\n  {f = 1},\n  { },\n]",
        "\t[ s . 'p' ]\t# c",
        "f = -1.5e+3",
        'n = """\\\n  x"""',
    )
)


@given(st.lists(PIECES, max_size=10).map("\n".join))
def test_every_key_of_an_accepted_text_is_found(text: str) -> None:
    if isinstance(parse_toml(text), Success):
        assert_spans_agree_with_the_parser(text)
