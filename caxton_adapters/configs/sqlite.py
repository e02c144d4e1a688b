"""Deployed agents in an SQLite database, which one server owns.

A record is stored when the call returns: the database is in WAL mode and syncs at every commit.
"""

import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, closing, suppress
from datetime import datetime
from pathlib import Path
from typing import Final, TypeVar, final

import anyio
from anyio.to_thread import run_sync
from attrs import define, field
from returns.result import Failure, Result, Success

from caxton_core.agent.record import AgentRecord, StateName
from caxton_core.primitives import AgentId, AgentName
from caxton_core.storage import NotStored

T = TypeVar("T")

_MIGRATIONS: Final = (
    """
    CREATE TABLE agents (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        text TEXT NOT NULL,
        state TEXT NOT NULL,
        since TEXT NOT NULL,
        reason TEXT NOT NULL,
        created TEXT NOT NULL,
        updated TEXT NOT NULL
    ) STRICT
    """,
)
"""Each takes the schema one version further; the database's `user_version` counts them."""


class StorageUnusable(Exception):
    """The database cannot be opened or used; `why` is for the operator."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path}: {why}")
        self.path = path
        self.why = why


@final
@define
class SqliteConfigs:
    """Keeps records in one table; made by `sqlite_configs`."""

    _path: Path
    _connection: sqlite3.Connection
    _alone: anyio.Lock = field(factory=anyio.Lock, init=False)

    async def save(self, record: AgentRecord) -> Result[None, NotStored]:
        """Store the record in place of what was stored under its identity."""
        row = (
            record.id.value,
            record.name.value,
            record.text,
            record.state.value,
            record.since.isoformat(),
            record.reason,
            record.created.isoformat(),
            record.updated.isoformat(),
        )
        statement = "INSERT OR REPLACE INTO agents VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
        return await self._changed(statement, row)

    async def remove(self, agent: AgentId) -> Result[None, NotStored]:
        """Forget an agent."""
        statement = "DELETE FROM agents WHERE id = ?"
        return await self._changed(statement, (agent.value,))

    async def stored(self) -> Sequence[AgentRecord]:
        """Every agent as it was saved last, in order of creation; raises `StorageUnusable`."""
        statement = (
            "SELECT id, name, text, state, reason, since, created, updated"
            " FROM agents ORDER BY created, id"
        )
        try:
            rows = await self._in_thread(lambda: self._connection.execute(statement).fetchall())
            return tuple(_record(*row) for row in rows)
        except (sqlite3.Error, ValueError) as error:
            raise StorageUnusable(self._path, str(error)) from error

    async def _changed(self, statement: str, row: tuple[str, ...]) -> Result[None, NotStored]:
        try:
            await self._in_thread(lambda: self._connection.execute(statement, row))
        except sqlite3.Error as error:
            return Failure(NotStored(str(error)))
        return Success(None)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        async with self._alone:
            return await run_sync(work)


@asynccontextmanager
async def sqlite_configs(path: Path) -> AsyncIterator[SqliteConfigs]:
    """The records of a database, made or brought up to date first; raises `StorageUnusable`."""
    connection = await run_sync(_opened, path)
    with closing(connection):
        yield SqliteConfigs(path, connection)
        # Where the disk is full, the log of what was written is taken up at the next start.
        with anyio.CancelScope(shield=True), suppress(sqlite3.Error):
            await run_sync(connection.execute, "PRAGMA wal_checkpoint(TRUNCATE)")


def _opened(path: Path) -> sqlite3.Connection:
    try:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    except sqlite3.Error as error:
        raise StorageUnusable(path, str(error)) from error
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        _migrate(connection, path)
    except sqlite3.Error as error:
        connection.close()
        raise StorageUnusable(path, str(error)) from error
    return connection


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(_MIGRATIONS):
        connection.close()
        raise StorageUnusable(path, f"its schema {version} is newer than this Caxton knows")
    for number, migration in enumerate(_MIGRATIONS[version:], version + 1):
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(migration)
        connection.execute(f"PRAGMA user_version = {number:d}")
        connection.execute("COMMIT")


def _record(
    identity: str, name: str, text: str, state: str, reason: str, *times: str
) -> AgentRecord:
    since, created, updated = map(datetime.fromisoformat, times)
    return AgentRecord(
        AgentId(identity), AgentName(name), text, StateName(state), since, reason, created, updated
    )
