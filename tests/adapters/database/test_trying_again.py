"""A failure that may pass is waited for, and the change tried again over a new connection."""

import asyncio
import resource
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from anyio.to_thread import run_sync
from attrs import define

from caxton_adapters.database.connecting import Synchronous, writing
from caxton_adapters.database.health import HealthRecord
from caxton_adapters.database.reserve import Reserve
from caxton_adapters.database.writer import BACK_OFF, Change, Writer

BLOB = 1_000_000


@define
class Connecting:
    """Connects the writer without patience, and does something before a certain connection."""

    path: Path
    before: int
    act: Callable[[], None]
    made: int = 0

    def __call__(self) -> sqlite3.Connection:
        self.made += 1
        if self.made == self.before:
            self.act()
        connection = writing(self.path, Synchronous.NORMAL)
        connection.execute("PRAGMA busy_timeout = 0")
        return connection


@asynccontextmanager
async def written(connecting: Connecting) -> AsyncIterator["asyncio.Future[object]"]:
    """What becomes of a large row that a writer with these connections is given."""
    loop = asyncio.get_running_loop()
    health = HealthRecord(lambda: datetime.now(UTC))
    writer = Writer(connecting, loop, health, Reserve(connecting.path))
    outcome: asyncio.Future[object] = loop.create_future()
    writer.start()
    writer.put(Change(outcome, large))
    try:
        yield outcome
    finally:
        await run_sync(writer.close)


def large(connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO rows VALUES (zeroblob(?))", (BLOB,))


def rows(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        (count,) = connection.execute("SELECT count(*) FROM rows").fetchone()
        return int(count)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "caxton.db"
    with closing(sqlite3.connect(made)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE rows (row BLOB)")
    return made


@contextmanager
def held(path: Path) -> Iterator[sqlite3.Connection]:
    """The database, locked by another program."""
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield other


async def test_a_lock_that_outlasts_two_attempts_is_waited_for(path: Path) -> None:
    with held(path) as other:
        connecting = Connecting(path, 3, lambda: other.execute("COMMIT").close())
        async with written(connecting) as outcome:
            await outcome
    assert (connecting.made, rows(path)) == (3, 1)


async def test_a_lock_that_stays_is_told_of_after_every_attempt(path: Path) -> None:
    with held(path):
        connecting = Connecting(path, 0, lambda: None)
        async with written(connecting) as outcome:
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                await outcome
    assert (connecting.made, rows(path)) == (len(BACK_OFF) + 1, 0)


def taken_away(path: Path) -> Callable[[], None]:
    """Take the file away; who calls what this gives puts it back."""
    away = path.rename(path.with_name("away"))

    def put_back() -> None:
        away.rename(path)

    return put_back


async def test_a_file_that_is_there_again_is_opened(path: Path) -> None:
    connecting = Connecting(path, 3, taken_away(path))
    async with written(connecting) as outcome:
        await outcome
    assert (connecting.made, rows(path)) == (3, 1)


async def test_a_disk_that_fails_for_a_moment_is_written_to_again(path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    # What goes beyond it is answered with an error that SQLite takes for one of the disk.
    resource.setrlimit(resource.RLIMIT_FSIZE, (BLOB // 2, before[1]))
    connecting = Connecting(path, 3, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, before))
    try:
        async with written(connecting) as outcome:
            await outcome
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (connecting.made, rows(path)) == (3, 1)
