"""What has to hold before the database is used: the file is ours, sound, and of our schema."""

import os
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

from caxton_adapters.database.connecting import Synchronous, connected, writing
from caxton_adapters.database.migrations import migrate, migrations, version_of
from caxton_adapters.database.unusable import StorageUnusable, in_words

FILE_MODE: Final = 0o600
OLDEST_SQLITE: Final = (3, 38, 0)
"""The first whose `->` reads JSON."""
_MAGIC: Final = b"SQLite format 3\0"
_CHECKING: Final = 0.5
"""Seconds for a look at the file after an unclean end; `verify` takes the time that it needs."""
_STEPS_BETWEEN_LOOKS_AT_THE_CLOCK: Final = 10_000


def prepare(path: Path, synchronous: Synchronous) -> None:
    """Make the database or bring it up to date; else it stays as it was: `StorageUnusable`."""
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        wanted = ".".join(map(str, OLDEST_SQLITE))
        raise StorageUnusable(path, f"it needs SQLite {wanted}, here is {sqlite3.sqlite_version}")
    unclean = _was_left_open(path)
    _make(path)
    try:
        _bring_up_to_date(path, synchronous, migrations(), unclean=unclean)
    except sqlite3.Error as error:
        raise StorageUnusable(path, in_words(error)) from error
    except UnicodeDecodeError as error:  # SQLite's own words quote what is in the file
        raise StorageUnusable(path, "it is damaged; restore a backup") from error


def _was_left_open(path: Path) -> bool:
    """Whether the last owner did not close it: then the log of its changes is still there."""
    try:
        return path.with_name(f"{path.name}-wal").stat().st_size > 0
    except OSError:
        return False


def _make(path: Path) -> None:
    """See that there is a file which only we can read, and that it may be a database."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
        with os.fdopen(descriptor, "rb") as file:
            beginning = file.read(len(_MAGIC))
    except OSError as error:
        raise StorageUnusable(path, error.strerror or str(error)) from error
    if beginning not in {b"", _MAGIC}:
        raise StorageUnusable(path, "it is not a database of SQLite")


def _bring_up_to_date(
    path: Path, synchronous: Synchronous, steps: Sequence[Sequence[str]], *, unclean: bool
) -> None:
    # A schema that is too new is refused before anything is set that writes to the file.
    with closing(connected(path)) as connection:
        version = version_of(connection)
        _refuse_what_is_not_ours(connection, path, version, newest=len(steps))
        if unclean:
            _look_for_damage(connection, path)
    with closing(writing(path, synchronous)) as connection:
        if 0 < version < len(steps):
            _migrate_beside_a_copy(connection, path, version, steps)
        else:
            migrate(connection, steps)
    for earlier in range(1, len(steps)):  # an end between two steps left it
        _aside(path, earlier).unlink(missing_ok=True)


def _refuse_what_is_not_ours(
    connection: sqlite3.Connection, path: Path, version: int, *, newest: int
) -> None:
    if version > newest:
        why = f"its schema {version} is newer than this Caxton knows, which is {newest}"
        raise StorageUnusable(path, why)
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if version == 0 and tables:
        raise StorageUnusable(path, "it is the database of another program")


def _look_for_damage(connection: sqlite3.Connection, path: Path) -> None:
    end = time.monotonic() + _CHECKING
    connection.set_progress_handler(
        lambda: time.monotonic() > end, _STEPS_BETWEEN_LOOKS_AT_THE_CLOCK
    )
    try:
        (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
            raise
        return
    finally:
        connection.set_progress_handler(None, 0)
    if found != "ok":
        raise StorageUnusable(path, f"it is damaged; restore a backup ({found})")


def _migrate_beside_a_copy(
    connection: sqlite3.Connection, path: Path, version: int, steps: Sequence[Sequence[str]]
) -> None:
    """Put the database aside while its schema changes.

    A migration is a transaction and needs no copy; the copy is for the one that has a defect.
    """
    copy = _aside(path, version)
    copy.unlink(missing_ok=True)
    os.close(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE))
    with closing(sqlite3.connect(copy, isolation_level=None)) as aside:
        connection.backup(aside)
    migrate(connection, steps)


def _aside(path: Path, version: int) -> Path:
    return path.with_name(f"{path.name}.schema-{version}")
