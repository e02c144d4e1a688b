"""Runs mypy over files that say, line by line, what it must refuse.

A comment `# refused: arg-type` expects exactly that error on its line; every other line must be
accepted. An expectation that does not come true and an error that nobody expects are both found.
"""

import re
from pathlib import Path
from typing import final

from attrs import frozen
from mypy import api

from tests.recursion import USUAL, recursion_limit

ROOT = Path(__file__).parents[2]
ERROR = re.compile(r"^(?P<file>.+?):(?P<line>\d+): error: .*?  \[(?P<code>[\w-]+)\]$", re.MULTILINE)
EXPECTED = re.compile(r"# refused: ([\w-]+)$")


@final
@frozen
class Refusal:
    """An error of mypy: where, and of which kind."""

    line: int
    code: str


def expected(file: Path) -> frozenset[Refusal]:
    """What the comments of the file ask for."""
    return frozenset(
        Refusal(number, found[1])
        for number, line in enumerate(file.read_text("utf-8").splitlines(), 1)
        if (found := EXPECTED.search(line))
    )


def refused(file: Path, cache: Path) -> frozenset[Refusal]:
    """What mypy says about the file under the settings of the project."""
    arguments = [f"--cache-dir={cache}", "--no-error-summary", "--show-error-codes"]
    settings = f"--config-file={ROOT / 'pyproject.toml'}"
    with recursion_limit(USUAL):  # which mypy raises
        out, crash, _ = api.run([settings, *arguments, str(file)])
    assert not crash, crash
    return frozenset(Refusal(int(found["line"]), found["code"]) for found in ERROR.finditer(out))
