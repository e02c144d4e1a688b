"""The history of the schema: each file takes it one version further, none is ever changed."""

import re
import sqlite3
from collections.abc import Sequence
from importlib.resources import files
from typing import Final

from caxton_adapters.database.statements import statements

_FILE: Final = re.compile(r"\d{4}_[a-z_]+\.sql")


def migrations() -> Sequence[Sequence[str]]:
    """The statements of every migration, in order; the first leads to version 1."""
    found = (each for each in files(__name__).iterdir() if _FILE.fullmatch(each.name))
    return tuple(map(statements, sorted(found, key=lambda each: each.name)))


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
