"""A few threads that read, each over a connection of its own, while the writer writes."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from typing import Final, final

from attrs import frozen

from caxton_adapters.database.telling import Raised, tell

READERS: Final = 3


@frozen(eq=False)
class Reading:
    """Something to read; it is tried again over a new connection where the old one fails."""

    future: "asyncio.Future[object]"
    work: Callable[[sqlite3.Connection], object]


@final
class Readers:
    """Reads in any order; connections are opened when they are needed."""

    def __init__(
        self, connect: Callable[[], sqlite3.Connection], loop: asyncio.AbstractEventLoop
    ) -> None:
        self._connect = connect
        self._loop = loop
        self._queue: SimpleQueue[Reading | None] = SimpleQueue()
        self._threads = tuple(
            Thread(target=self._run, name=f"caxton-database-reader-{number}", daemon=True)
            for number in range(READERS)
        )

    def start(self) -> None:
        """Begin to read."""
        for thread in self._threads:
            thread.start()

    def put(self, reading: Reading) -> None:
        """Queue something to read."""
        self._queue.put(reading)

    def close(self) -> None:
        """Read everything that is queued, then end the threads; blocks until they have ended."""
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        own = _Own(self._connect)
        while (reading := self._queue.get()) is not None:
            try:
                outcome = own.read(reading.work)
            except Exception as error:  # noqa: BLE001 - whoever asked is told of the bug
                outcome = Raised(error)
            tell(self._loop, [(reading.future, outcome)])
        own.close()


@final
class _Own:
    """The connection of one thread, opened anew where the old one does not work any more."""

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connect = connect
        self._connection: sqlite3.Connection | None = None

    def read(self, work: Callable[[sqlite3.Connection], object]) -> object:
        try:
            return self._once(work)
        except sqlite3.OperationalError:
            self.close()
            return self._once(work)

    def _once(self, work: Callable[[sqlite3.Connection], object]) -> object:
        if self._connection is None:
            self._connection = self._connect()
        return work(self._connection)

    def close(self) -> None:
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None
