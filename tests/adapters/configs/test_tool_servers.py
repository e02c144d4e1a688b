"""Registrations of tool servers outlive the server that was told of them."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from returns.result import Failure, Success

from caxton_adapters.configs.tool_servers import SqliteToolServers
from caxton_adapters.database import StorageUnusable, open_database
from caxton_core.primitives import JsonObject

FILES = JsonObject.of({"command": "npx", "args": ["files"]})
OTHER = JsonObject.of({"url": "https://tools.example.org/mcp"})


async def test_registrations_are_there_again_after_the_store_was_closed(tmp_path: Path) -> None:
    async with open_database(tmp_path / "caxton.db") as database:
        store = SqliteToolServers(database)
        assert await store.save("files", OTHER) == Success(None)
        assert await store.save("files", FILES) == Success(None)
        assert await store.save("another", OTHER) == Success(None)
    async with open_database(tmp_path / "caxton.db") as database:
        store = SqliteToolServers(database)
        assert await store.stored() == (("another", OTHER), ("files", FILES))
        assert await store.remove("another") == Success(None)
        assert await store.stored() == (("files", FILES),)


async def test_a_database_that_fails_is_no_surprise(tmp_path: Path) -> None:
    path = tmp_path / "caxton.db"
    async with open_database(path) as database:
        store = SqliteToolServers(database)
        with closing(sqlite3.connect(path)) as other:
            other.execute("DROP TABLE tool_servers")
            other.commit()
        assert isinstance(await store.save("files", FILES), Failure)
        with pytest.raises(StorageUnusable, match="tool_servers"):
            await store.stored()
