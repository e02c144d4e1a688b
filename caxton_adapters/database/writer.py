"""The one thread that changes the database: whatever has queued up goes down in one transaction."""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import groupby
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Final, TypeAlias, final

from attrs import frozen

from caxton_adapters.database.connecting import PATIENCE as WAITS
from caxton_adapters.database.grouped import Grouped, Row, filled
from caxton_adapters.database.health import HealthRecord
from caxton_adapters.database.reserve import Reserve
from caxton_adapters.database.telling import Outcome, Raised, tell
from caxton_adapters.database.unusable import in_words, primary_code

MOST_IN_A_BATCH: Final = 512
CROWD: Final = 3.0
GATHERING: Final = 0.002
"""While batches hold so many changes on average, each waits so many seconds for more of them.

A commit costs the processor as much as ten changes; who is alone never waits.
"""
REST: Final = 1.0
"""Seconds without a change after which the log is emptied."""
PATIENCE: Final = 0.003
"""Seconds that rows which are not urgent wait for others with which to share a commit."""
_NEWEST_COUNTS: Final = 0.1
BACK_OFF: Final = (0.02, 0.1, 0.5)
"""Seconds before a change is tried again that failed for a reason which may pass."""
_PASSING: Final = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
    }
)
_COMMON: Final = _PASSING | {
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_NOMEM,
}
"""What has nothing to do with the row that met it."""


@frozen(eq=False)
class Rows:
    """Rows for one statement, all of them or none; `patient` ones may wait a little for others."""

    future: "asyncio.Future[object]"
    grouped: Grouped
    rows: Sequence[Row]
    patient: bool = False


@frozen(eq=False)
class Group:
    """Rows that one statement takes."""

    grouped: Grouped
    rows: Sequence[Row]


@frozen(eq=False)
class Change:
    """Anything else; it may be called again when its transaction failed."""

    future: "asyncio.Future[object]"
    work: Callable[[sqlite3.Connection], object]


@frozen(eq=False)
class Removal:
    """A change that only takes away: on a full disk it may use the room that is kept for it."""

    future: "asyncio.Future[object]"
    work: Callable[[sqlite3.Connection], object]


@frozen(eq=False)
class EmptyLog:
    """Move the log of changes to its place, between two batches."""

    future: "asyncio.Future[object]"


Changing: TypeAlias = Rows | Change | Removal
Wanted: TypeAlias = Changing | EmptyLog


@final
class Writer:
    """Takes changes in order; those that fit into a batch are committed together."""

    def __init__(
        self,
        connect: Callable[[], sqlite3.Connection],
        loop: asyncio.AbstractEventLoop,
        health: HealthRecord,
        reserve: Reserve,
    ) -> None:
        self._connect = connect
        self._reserve = reserve
        self._loop = loop
        self._health = health
        self._queue: SimpleQueue[Wanted | None] = SimpleQueue()
        self._connection: sqlite3.Connection | None = None
        self._prepared: set[Grouped] = set()
        self._written = False
        self._thread = Thread(target=self._run, name="caxton-database-writer", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def put(self, wanted: Wanted) -> None:
        """Queue a change."""
        self._queue.put(wanted)

    def close(self) -> None:
        """Write everything that is queued, then end the thread; blocks until it has ended."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        goes_on, crowd = True, 0.0
        while goes_on:
            self._reserve.fill()
            batch, goes_on = self._drained(crowd)
            if not batch and goes_on:
                self._rest()
                continue
            crowd += _NEWEST_COUNTS * (len(batch) - crowd)
            self._written = True
            changes = [wanted for wanted in batch if not isinstance(wanted, EmptyLog)]
            if changes:
                tell(self._loop, self._committed(changes))
            if len(changes) < len(batch):
                self._empty_log()
                emptied = [wanted.future for wanted in batch if isinstance(wanted, EmptyLog)]
                tell(self._loop, [(future, None) for future in emptied])
        self._empty_log()  # where it fails, the next start does it
        self._disconnect()

    def _drained(self, crowd: float) -> tuple[list[Wanted], bool]:
        """What has queued up, or nothing after a while; and whether there is more to come."""
        try:
            wanted = self._queue.get(timeout=REST if self._written else None)
        except Empty:
            return [], True
        if crowd >= CROWD and 2 * self._queue.qsize() < crowd:
            time.sleep(GATHERING)
        until = time.monotonic() + (PATIENCE if crowd < CROWD else 0.0)
        batch: list[Wanted] = []
        patient = True
        try:
            while wanted is not None:
                batch.append(wanted)
                if len(batch) == MOST_IN_A_BATCH:
                    return batch, True
                patient = patient and isinstance(wanted, Rows) and wanted.patient
                left = until - time.monotonic() if patient else 0.0
                wanted = self._queue.get(block=left > 0, timeout=max(left, 0.0))
        except Empty:
            return batch, True
        return batch, False

    def _committed(self, batch: Sequence[Changing]) -> list[Outcome]:
        try:
            outcomes = self._tried(batch)
        except Exception as error:  # noqa: BLE001 - whoever asked for the change is told of its bug
            return self._after_failure(batch, error)
        self._health.succeeded()
        return outcomes

    def _after_failure(self, batch: Sequence[Changing], error: Exception) -> list[Outcome]:
        """One by one where one of them may be to blame, or may find room where others do not."""
        code = primary_code(error) if isinstance(error, sqlite3.Error) else sqlite3.SQLITE_ERROR
        if isinstance(error, sqlite3.Error) and code in _COMMON:
            self._health.failed(in_words(error))
        if code == sqlite3.SQLITE_FULL and self._may_use_the_reserve(batch):
            return self._committed(batch)
        if len(batch) == 1 or code in _COMMON - {sqlite3.SQLITE_FULL}:
            return [(wanted.future, Raised(error)) for wanted in batch]
        return [outcome for wanted in batch for outcome in self._committed([wanted])]

    def _may_use_the_reserve(self, batch: Sequence[Changing]) -> bool:
        """Whether this is a removal alone, and there is a little more room for it now."""
        return len(batch) == 1 and isinstance(batch[0], Removal) and self._reserve.give()

    def _tried(self, batch: Sequence[Changing]) -> list[Outcome]:
        """Apply the batch, again after a while where the reason for a failure may have passed."""
        # While nothing can be written at all, each batch is told so without waiting long.
        for pause in () if self._health.current.failing else BACK_OFF:
            try:
                return self._applied(batch)
            except sqlite3.Error as error:
                if primary_code(error) not in _PASSING:
                    raise
            self._disconnect()
            time.sleep(pause)
        try:
            return self._applied(batch)
        except sqlite3.Error as error:
            if primary_code(error) in _PASSING:
                self._disconnect()
            raise

    def _applied(self, batch: Sequence[Changing]) -> list[Outcome]:
        connection = self._connected()
        parts = list(_parts(batch))
        if len(parts) == 1 and isinstance(parts[0], Group):
            self._execute(connection, parts[0])  # a statement alone is a transaction
            return [(wanted.future, None) for wanted in batch]
        connection.execute("BEGIN IMMEDIATE")
        try:
            outcomes: list[Outcome] = [
                (wanted.future, None) for wanted in batch if isinstance(wanted, Rows)
            ]
            for part in parts:
                match part:
                    case Group():
                        self._execute(connection, part)
                    case Change(future, work) | Removal(future, work):
                        outcomes.append((future, work(connection)))
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                # What failed before is what counts.
                with suppress(sqlite3.Error, UnicodeDecodeError):
                    connection.execute("ROLLBACK")
        return outcomes

    def _execute(self, connection: sqlite3.Connection, group: Group) -> None:
        if group.grouped not in self._prepared:
            for statement in group.grouped.prepared:
                connection.execute(statement)
            self._prepared.add(group.grouped)
        connection.execute(*filled(group.grouped, group.rows))

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = self._connect()
            self._prepared.clear()
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            with suppress(sqlite3.Error, UnicodeDecodeError):
                self._connection.close()
            self._connection = None

    def _rest(self) -> None:
        """Leave no removed text in the log; where somebody still reads it, after the next rest."""
        if self._connection is None:
            self._written = False
            return
        with suppress(sqlite3.Error, UnicodeDecodeError):
            self._connection.execute("PRAGMA busy_timeout = 0")
            (busy, _, _) = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            self._written = bool(busy)
            self._connection.execute(f"PRAGMA busy_timeout = {int(WAITS * 1000)}")

    def _empty_log(self) -> None:
        """Move what was written to its place in the file, as far as nobody reads it just now."""
        if self._connection is not None:
            with suppress(sqlite3.Error, UnicodeDecodeError):
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _parts(batch: Sequence[Changing]) -> Iterator[Group | Change | Removal]:
    """Neighbouring rows of the same statement together, as many as it takes; a change alone."""
    for grouped, together in groupby(batch, lambda one: getattr(one, "grouped", None)):
        if grouped is None:
            yield from (one for one in together if not isinstance(one, Rows))
        else:
            rows = [row for one in together if isinstance(one, Rows) for row in one.rows]
            for start in range(0, len(rows), grouped.most):
                yield Group(grouped, rows[start : start + grouped.most])
