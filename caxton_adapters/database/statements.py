"""SQL in files of its own, read as statements."""

import sqlite3
from collections.abc import Iterator
from importlib.resources.abc import Traversable


def statements(file: Traversable) -> tuple[str, ...]:
    """The statements of a file in their order; each begins on a line of its own."""
    return tuple(_split(file.read_text(encoding="utf-8")))


def _split(script: str) -> Iterator[str]:
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement.strip()
            statement = ""
