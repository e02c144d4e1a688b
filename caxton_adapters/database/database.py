"""The database as the stores see it: cheap durable rows, transactions, and reads.

Everything raises `sqlite3.Error`; the stores turn it into words of the core.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar, cast, final

import anyio
from anyio.to_thread import run_sync

from caxton_adapters.database.connecting import Synchronous, reading, writing
from caxton_adapters.database.grouped import Grouped, Row
from caxton_adapters.database.health import DatabaseHealth, HealthRecord
from caxton_adapters.database.opening import prepare
from caxton_adapters.database.readers import Readers, Reading
from caxton_adapters.database.reserve import Reserve
from caxton_adapters.database.writer import Change, EmptyLog, Removal, Rows, Writer

T = TypeVar("T")


@final
class Database:
    """One file, which this process alone writes; made by `open_database`."""

    def __init__(self, path: Path, writer: Writer, readers: Readers, health: HealthRecord) -> None:
        self.path = path
        self._writer = writer
        self._readers = readers
        self._health = health
        self._loop = asyncio.get_running_loop()
        self._closed = False

    @property
    def health(self) -> DatabaseHealth:
        """How the last changes went."""
        return self._health.current

    def write(self, grouped: Grouped, *rows: Row, patient: bool = False) -> Awaitable[None]:
        """Have the statement take the rows, all or none; they are on the disk when this returns.

        They are queued before the first wait, in the order of the calls. Whoever is cancelled
        while waiting does not know whether they were written. Who is `patient` waits a little for
        others with whom to share a commit.
        """
        future: asyncio.Future[object] = self._loop.create_future()
        if not self._refused(future):
            self._writer.put(Rows(future, grouped, rows, patient))
        return cast("Awaitable[None]", future)

    def change(self, work: Callable[[sqlite3.Connection], T]) -> Awaitable[T]:
        """What the work gives; its changes are on the disk, all of them or, if it raises, none.

        It runs in the writer's thread inside a transaction, maybe more than once, and does nothing
        but read and change the database.
        """
        future: asyncio.Future[object] = self._loop.create_future()
        if not self._refused(future):
            self._writer.put(Change(future, work))
        return cast("Awaitable[T]", future)

    def remove(self, work: Callable[[sqlite3.Connection], T]) -> Awaitable[T]:
        """The same for work that only takes away, for which there is room on a full disk too."""
        future: asyncio.Future[object] = self._loop.create_future()
        if not self._refused(future):
            self._writer.put(Removal(future, work))
        return cast("Awaitable[T]", future)

    def read(self, work: Callable[[sqlite3.Connection], T]) -> Awaitable[T]:
        """What the work reads; it runs in a reader's thread and sees everything that was stored."""
        future: asyncio.Future[object] = self._loop.create_future()
        if not self._refused(future):
            self._readers.put(Reading(future, work))
        return cast("Awaitable[T]", future)

    async def empty_log(self) -> None:
        """Move the log of changes to its place, so that it holds nothing that was deleted.

        Where somebody reads just then, what is left goes when the log is written anew.
        """
        future: asyncio.Future[object] = self._loop.create_future()
        if not self._refused(future):
            self._writer.put(EmptyLog(future))
        with suppress(sqlite3.Error):
            await future

    async def probe(self) -> DatabaseHealth:
        """The health after a small change that was tried just now."""
        try:
            await self.change(_touch)
        except sqlite3.Error:
            return self.health
        return self.health

    def _refused(self, future: "asyncio.Future[T]") -> bool:
        if self._closed:
            future.set_exception(sqlite3.ProgrammingError("the database is closed"))
        return self._closed

    async def aclose(self) -> None:
        """Do what is queued, then leave the file tidy."""
        self._closed = True
        with anyio.CancelScope(shield=True):
            await run_sync(self._readers.close)
            await run_sync(self._writer.close)


def _touch(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE probe SET number = number + 1")


def _utc_now() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def open_database(
    path: Path,
    *,
    synchronous: Synchronous = Synchronous.FULL,
    now: Callable[[], datetime] = _utc_now,
) -> AsyncIterator[Database]:
    """The database of a file, made or brought up to date first; raises `StorageUnusable`."""
    await run_sync(prepare, path, synchronous)
    loop = asyncio.get_running_loop()
    health = HealthRecord(now)
    writer = Writer(partial(writing, path, synchronous), loop, health, Reserve(path))
    readers = Readers(partial(reading, path), loop)
    database = Database(path, writer, readers, health)
    writer.start()
    readers.start()
    try:
        yield database
    finally:
        await database.aclose()
