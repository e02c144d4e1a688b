"""Registrations of tool servers that came through the API, in the server's database."""

import sqlite3
from collections.abc import Sequence
from typing import Final, final

from attrs import frozen
from returns.result import Result

from caxton_adapters.database import Database, StorageUnusable
from caxton_adapters.database.stored import stored
from caxton_core.primitives import JsonObject
from caxton_core.storage import NotStored

_SAVE: Final = "INSERT OR REPLACE INTO tool_servers VALUES (?, ?)"
_REMOVE: Final = "DELETE FROM tool_servers WHERE name = ?"
_STORED: Final = "SELECT name, registration FROM tool_servers ORDER BY name"


@final
@frozen
class SqliteToolServers:
    """Keeps registrations in one table, each as the JSON that it was made from."""

    _database: Database

    async def save(self, name: str, registration: JsonObject) -> Result[None, NotStored]:
        """Store the registration in place of what was stored under its name."""
        row, change = (name, registration.value), self._database.change
        return await stored(change(lambda connection: connection.execute(_SAVE, row)))

    async def remove(self, name: str) -> Result[None, NotStored]:
        """Forget a registration."""
        remove = self._database.remove
        return await stored(remove(lambda connection: connection.execute(_REMOVE, (name,))))

    async def stored(self) -> Sequence[tuple[str, JsonObject]]:
        """Every registration, by name; raises `StorageUnusable`."""
        try:
            rows = await self._database.read(
                lambda connection: connection.execute(_STORED).fetchall()
            )
            return tuple((name, JsonObject(text)) for name, text in rows)
        except (sqlite3.Error, ValueError) as error:
            raise StorageUnusable(self._database.path, str(error)) from error
