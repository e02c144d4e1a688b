"""Copies of the database: made while the server runs, proven, and put back.

A copy is a whole database in one file. It is written under another name and takes its own when
it is complete and on the disk, so that there is no half of a copy.
"""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeAlias, final

from attrs import frozen
from returns.result import Failure, Result, Success

from caxton_adapters.database.migrations import migrations, version_of
from caxton_adapters.database.opening import FILE_MODE
from caxton_adapters.database.unusable import in_words

_PAGES_AT_ONCE: Final = 2048
_TABLES: Final = ("agents", "conversations", "messages")
_BESIDE: Final = ("-wal", "-shm", "-journal")


@final
@frozen
class Verified:
    """A sound database: the version of its schema, and what it holds."""

    path: Path
    schema: int
    agents: int
    conversations: int
    messages: int


@final
@frozen
class CopyUnusable:
    """The file is not a database that this Caxton can serve."""

    path: Path
    why: str


@final
@frozen
class CopyNotMade:
    """Nothing was changed at the place to which the copy should go."""

    path: Path
    why: str


@final
@frozen
class Restored:
    """The database is the copy now; the one before was put `aside`, if there was one."""

    verified: Verified
    aside: Path | None


Backed: TypeAlias = Result[Verified, CopyUnusable | CopyNotMade]


def back_up(database: Path, to: Path) -> Backed:
    """A copy of a database that may be at work; nothing is put in place of a file that exists."""
    if to.exists():
        return Failure(CopyNotMade(to, "there is a file already"))
    if not database.is_file():
        return Failure(CopyUnusable(database, "there is no such file"))
    return _placed(to, lambda fresh: _copy(database, fresh))


def verify(path: Path) -> Result[Verified, CopyUnusable]:
    """Look at every page and every index of a database, and count what it holds."""
    if not path.is_file():
        return Failure(CopyUnusable(path, "there is no such file"))
    try:
        with closing(_reading(path)) as connection:
            return _verified(path, connection)
    except sqlite3.Error as error:
        return Failure(CopyUnusable(path, in_words(error)))


def restore(copy: Path, database: Path) -> Result[Restored, CopyUnusable | CopyNotMade]:
    """Put a copy in place of a database that no server has open; the one before stays aside."""
    proven = verify(copy)
    if isinstance(proven, Failure):
        return proven
    before = f"before-{datetime.now(UTC):%Y%m%dT%H%M%S%f}"
    aside = database.with_name(f"{database.name}.{before}")
    was_there = database.exists()

    def settle(fresh: Path) -> None:
        _copy(copy, fresh)
        _put_aside(database, aside)

    placed = _placed(database, settle)
    if isinstance(placed, Failure):
        return placed
    return Success(Restored(placed.unwrap(), aside if was_there else None))


def _placed(to: Path, make: Callable[[Path], None]) -> Backed:
    """The file that was made under another name, proven, and then given its own."""
    fresh = to.with_name(f"{to.name}.{os.getpid()}.part")
    try:
        os.close(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE))
        make(fresh)
        proven = verify(fresh)
        if isinstance(proven, Failure):
            return Failure(CopyUnusable(to, proven.failure().why))
        fresh.replace(to)
        _sync_directory(to.parent)
    except sqlite3.Error as error:
        return Failure(CopyNotMade(to, in_words(error)))
    except OSError as error:
        return Failure(CopyNotMade(to, error.strerror or str(error)))
    finally:
        for end in ("", *_BESIDE):
            fresh.with_name(fresh.name + end).unlink(missing_ok=True)
    return verify(to)


def _copy(source: Path, fresh: Path) -> None:
    """Page by page; where the source changes on the way, SQLite copies those pages again."""
    with closing(_reading(source)) as read, closing(sqlite3.connect(fresh)) as written:
        read.execute("BEGIN")  # one moment of the source, however much is written meanwhile
        read.execute("SELECT count(*) FROM sqlite_master").fetchone()
        read.backup(written, pages=_PAGES_AT_ONCE)
        # A file in WAL mode would have to be written to be read.
        written.execute("PRAGMA journal_mode = DELETE")
    descriptor = os.open(fresh, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _reading(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=10)
    connection.isolation_level = None
    return connection


def _verified(path: Path, connection: sqlite3.Connection) -> Result[Verified, CopyUnusable]:
    (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if found != "ok":
        return Failure(CopyUnusable(path, f"it is damaged ({found})"))
    version, newest = version_of(connection), len(migrations())
    if not 0 < version <= newest:
        why = f"its schema is {version}; this Caxton knows those from 1 to {newest}"
        return Failure(CopyUnusable(path, why))
    there = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    counts = [_count(connection, table) if table in there else 0 for table in _TABLES]
    return Success(Verified(path, version, *counts))


def _count(connection: sqlite3.Connection, table: str) -> int:
    (rows,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - ours
    return int(rows)


def _put_aside(database: Path, aside: Path) -> None:
    """Move the database away with what was not yet moved into it from its log."""
    for end in ("-wal", "-shm", ""):
        file = database.with_name(database.name + end)
        if file.exists():
            file.rename(aside.with_name(aside.name + end))


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
