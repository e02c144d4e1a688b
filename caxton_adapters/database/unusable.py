"""What keeps a database from being used, in words for the operator."""

import sqlite3
from pathlib import Path
from typing import Final

_WORDS: Final = {
    sqlite3.SQLITE_BUSY: "another program holds it locked",
    sqlite3.SQLITE_LOCKED: "another program holds it locked",
    sqlite3.SQLITE_CANTOPEN: "it, or a file that belongs beside it, cannot be opened or made",
    sqlite3.SQLITE_PERM: "it, or its directory, may not be written",
    sqlite3.SQLITE_READONLY: "it, or its directory, may not be written",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_IOERR: "the disk answers with an error",
    sqlite3.SQLITE_CORRUPT: "it is damaged; restore a backup",
    sqlite3.SQLITE_NOTADB: "it is not a database of SQLite",
}


class StorageUnusable(Exception):
    """The database cannot be opened or used; `why` is for the operator."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path}: {why}")
        self.path = path
        self.why = why


def primary_code(error: sqlite3.Error) -> int:
    """The first byte of SQLite's result code; 0 where the error is not SQLite's own."""
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF


def in_words(error: sqlite3.Error) -> str:
    """What happened, and in parentheses how SQLite says it."""
    words = _WORDS.get(primary_code(error))
    return str(error) if words is None else f"{words} ({error})"
