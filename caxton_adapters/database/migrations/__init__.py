"""The history of the schema: each file takes it one version further, none is ever changed."""

import re
import sqlite3
from collections.abc import Iterator, Sequence
from importlib.resources import files
from typing import Final

_FILE: Final = re.compile(r"(\d{4})_[a-z_]+\.sql")


def migrations() -> Sequence[Sequence[str]]:
    """The statements of every migration, in order; the first leads to version 1."""
    names = sorted(each.name for each in files(__name__).iterdir() if _FILE.fullmatch(each.name))
    return tuple(tuple(_statements(files(__name__).joinpath(name).read_text())) for name in names)


def _statements(script: str) -> Iterator[str]:
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement.strip()
            statement = ""


def version_of(connection: sqlite3.Connection) -> int:
    """The version of the schema; 0 before the first migration."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def migrate(connection: sqlite3.Connection, steps: Sequence[Sequence[str]]) -> None:
    """Apply the steps that are missing, each in a transaction; raises `sqlite3.Error`."""
    for number in range(version_of(connection) + 1, len(steps) + 1):
        connection.execute("BEGIN IMMEDIATE")
        try:
            for statement in steps[number - 1]:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number:d}")
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
