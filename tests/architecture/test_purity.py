"""The core decides and does nothing else: read from its source."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORE = sorted((ROOT / "caxton_core").rglob("*.py"))
THIRD_PARTY = {"attr", "attrs", "cattrs", "returns", "tomli"}
# The strategies of the domain types, which only tests import, may also use what makes them.
FOR_TESTS = {"hypothesis"}
# The parts of the standard library that only compute. `datetime` does so without the calls below.
PURE = {
    "bisect", "collections", "contextlib", "copy", "dataclasses", "datetime", "decimal",
    "difflib", "enum", "fnmatch", "fractions", "functools", "hashlib", "heapq", "ipaddress",
    "itertools", "json", "keyword", "math", "numbers", "operator", "re", "string", "textwrap",
    "types", "typing", "unicodedata", "uuid",
}  # fmt: skip
IMPURE_CALLS = {
    "now",
    "utcnow",
    "today",
    "uuid1",
    "uuid4",
    "open",
    "print",
    "input",
    "exec",
    "eval",
}


def imported_by(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (alias.name.partition(".")[0] for alias in names)
            case ast.ImportFrom(module=str(module)):
                yield module.partition(".")[0]
            case _:
                pass


def called_by(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
                yield name
            case _:
                pass


def names_in(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.alias(name=name):
                yield name
            case _:
                pass


def test_the_list_of_pure_modules_names_the_standard_library() -> None:
    assert PURE.issubset(sys.stdlib_module_names)


@pytest.mark.parametrize("file", CORE, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_module_of_the_core_only_computes(file: Path) -> None:
    tree = ast.parse(file.read_text("utf-8"))
    waits = (ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith)
    assert not any(isinstance(node, waits) for node in ast.walk(tree))
    allowed = {"caxton_core", *THIRD_PARTY, *PURE, *(FOR_TESTS if "testing" in file.parts else ())}
    assert set(imported_by(tree)) <= allowed
    assert IMPURE_CALLS.isdisjoint(called_by(tree))


@pytest.mark.parametrize("file", CORE, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_module_of_the_core_hides_nothing_from_its_checkers(file: Path) -> None:
    text = file.read_text("utf-8")
    assert "Any" not in set(names_in(ast.parse(text)))
    assert "# noqa" not in text
    assert "# type: ignore" not in text
    assert "# pragma: no cover" not in text


def test_no_group_is_repeated_possessively() -> None:
    # Before Python 3.11.5 such a group matches wrongly, which once kept a reader from ending.
    possessive = re.compile(r"(?<!\\)\)[*+?]\+")
    for package in ("caxton_core", "caxton_adapters", "caxton_cli"):
        for file in (ROOT / package).rglob("*.py"):
            assert possessive.search(file.read_text("utf-8")) is None, file


@pytest.mark.parametrize(
    ("source", "seen"),
    [
        ("from os import path", {"os"}),
        ("import os.path as p", {"os"}),
        ("def f():\n    import socket", {"socket"}),
    ],
)
def test_an_import_is_seen_wherever_it_stands(source: str, seen: set[str]) -> None:
    assert set(imported_by(ast.parse(source))) == seen


def test_a_call_is_seen_by_its_last_name() -> None:
    assert set(called_by(ast.parse("datetime.datetime.now(); open('x')"))) == {"now", "open"}
