"""Both memories keep the promises of the port, and answer alike whatever is asked of them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from caxton_adapters.database import open_database
from caxton_adapters.memory.in_memory import InMemoryMemory
from caxton_adapters.memory.sqlite import sqlite_memory
from caxton_adapters.testing.memory import MemoryContract
from caxton_core.ports import MemoryStore


class TestInMemoryMemory(MemoryContract):
    @pytest.fixture
    def memory(self) -> MemoryStore:
        return InMemoryMemory()


class TestSqliteMemory(MemoryContract):
    @pytest.fixture
    async def memory(self, tmp_path: Path) -> AsyncIterator[MemoryStore]:
        async with open_database(tmp_path / "caxton.db") as database:
            yield await sqlite_memory(database)
