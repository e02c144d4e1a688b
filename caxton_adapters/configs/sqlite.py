"""Deployed agents in the server's database: a record is on the disk when the call returns."""

import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Final, final

from attrs import frozen
from returns.result import Result

from caxton_adapters.database import Database, StorageUnusable, open_database
from caxton_adapters.database.stored import stored
from caxton_core.agent.record import AgentRecord, StateName
from caxton_core.primitives import AgentId, AgentName
from caxton_core.storage import NotStored

__all__ = ["SqliteConfigs", "StorageUnusable", "sqlite_configs"]

_SAVE: Final = "INSERT OR REPLACE INTO agents VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_REMOVE: Final = "DELETE FROM agents WHERE id = ?"
_STORED: Final = (
    "SELECT id, name, text, state, reason, since, created, updated FROM agents ORDER BY created, id"
)


@final
@frozen
class SqliteConfigs:
    """Keeps records in one table."""

    _database: Database

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
        change = self._database.change
        return await stored(change(lambda connection: connection.execute(_SAVE, row)))

    async def remove(self, agent: AgentId) -> Result[None, NotStored]:
        """Forget an agent."""
        row, remove = (agent.value,), self._database.remove
        return await stored(remove(lambda connection: connection.execute(_REMOVE, row)))

    async def stored(self) -> Sequence[AgentRecord]:
        """Every agent as it was saved last, in order of creation; raises `StorageUnusable`."""
        try:
            rows = await self._database.read(
                lambda connection: connection.execute(_STORED).fetchall()
            )
            return tuple(_record(*row) for row in rows)
        except (sqlite3.Error, ValueError) as error:
            raise StorageUnusable(self._database.path, str(error)) from error


@asynccontextmanager
async def sqlite_configs(path: Path) -> AsyncIterator[SqliteConfigs]:
    """The records of a database that nothing else uses; raises `StorageUnusable`."""
    async with open_database(path) as database:
        yield SqliteConfigs(database)


def _record(
    identity: str, name: str, text: str, state: str, reason: str, *times: str
) -> AgentRecord:
    since, created, updated = map(datetime.fromisoformat, times)
    return AgentRecord(
        AgentId(identity), AgentName(name), text, StateName(state), since, reason, created, updated
    )
