"""Connections to the database, all alike but for what they may do."""

import sqlite3
from enum import Enum
from pathlib import Path
from typing import Final, final
from urllib.parse import quote

PATIENCE: Final = 2.0
"""Seconds for which a statement waits where another program holds the database locked."""
_SHARED: Final = (
    f"PRAGMA busy_timeout = {int(PATIENCE * 1000)}",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA trusted_schema = OFF",
    "PRAGMA cell_size_check = ON",
)
_WRITING: Final = (
    "PRAGMA fullfsync = ON",  # macOS empties the disk's own cache only when asked to
    "PRAGMA checkpoint_fullfsync = ON",
    "PRAGMA secure_delete = ON",  # what is deleted is gone from the file
    "PRAGMA cache_size = -16000",  # KiB; the system caches the rest of the file
    "PRAGMA wal_autocheckpoint = 4000",
)
_READING: Final = ("PRAGMA query_only = ON", "PRAGMA cache_size = -8000")


@final
class Synchronous(Enum):
    """When what was stored is on the disk: at once, or soon (a power cut may lose the last)."""

    FULL = "full"
    NORMAL = "normal"


def connected(path: Path) -> sqlite3.Connection:
    """A connection to a file that exists; each statement is its own transaction."""
    address = f"file:{quote(str(path))}?mode=rw"
    connection = sqlite3.connect(
        address, uri=True, isolation_level=None, check_same_thread=False, timeout=PATIENCE
    )
    return _set(connection, _SHARED)


def writing(path: Path, synchronous: Synchronous) -> sqlite3.Connection:
    """A connection that changes the database; raises `sqlite3.Error`."""
    connection = connected(path)
    wanted = ("PRAGMA journal_mode = WAL", f"PRAGMA synchronous = {synchronous.name}", *_WRITING)
    return _set(connection, wanted)


def reading(path: Path) -> sqlite3.Connection:
    """A connection that reads only; raises `sqlite3.Error`."""
    return _set(connected(path), _READING)


def _set(connection: sqlite3.Connection, pragmas: tuple[str, ...]) -> sqlite3.Connection:
    try:
        for pragma in pragmas:
            connection.execute(pragma)
    except sqlite3.Error:
        connection.close()
        raise
    return connection
