"""Each promise of the page names tests that prove it, and they exist."""

import ast
import re
from functools import cache
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "explanation" / "promises.md"
PROMISED: Final = PAGE.read_text("utf-8").partition("\n## What is not promised\n")[0]
ROW: Final = re.compile(r"^\| (?!promise |---)(.+?) \| (.+) \|$", re.MULTILINE)
PROOF: Final = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
ROWS: Final = ROW.findall(PROMISED)
PROOFS: Final = sorted(set(PROOF.findall(PAGE.read_text("utf-8"))))


@cache
def defined_in(file: str) -> frozenset[str]:
    """The names of the tests that a file defines."""
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, functions))


def test_the_page_promises_something_in_each_of_its_parts() -> None:
    parts = PROMISED.split("\n## ")[1:]
    assert [part.partition("\n")[0] for part in parts if not ROW.search(part)] == []
    assert len(ROWS) > len(parts)


@pytest.mark.parametrize(("promise", "proofs"), ROWS, ids=[row[0][:40] for row in ROWS])
def test_every_promise_names_its_proofs_and_nothing_else(promise: str, proofs: str) -> None:
    assert promise
    assert PROOF.search(proofs)
    assert PROOF.sub("", proofs).strip() == ""


@pytest.mark.parametrize(("file", "name"), PROOFS)
def test_every_proof_exists(file: str, name: str) -> None:
    assert name in defined_in(file)
