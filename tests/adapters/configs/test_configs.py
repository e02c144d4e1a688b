"""Both stores of deployed agents keep the promises of the port; SQLite some more."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
from returns.result import Failure

from caxton_adapters.configs.in_memory import InMemoryConfigs
from caxton_adapters.configs.sqlite import sqlite_configs
from caxton_adapters.database import StorageUnusable
from caxton_adapters.testing.configs import ConfigsContract, record
from caxton_core.ports import Configs
from caxton_core.storage import NotStored
from tests.acceptance.criteria import criterion


class TestInMemoryConfigs(ConfigsContract):
    @pytest.fixture
    def configs(self) -> Configs:
        return InMemoryConfigs()


class TestSqliteConfigs(ConfigsContract):
    @pytest.fixture
    async def configs(self, tmp_path: Path) -> AsyncIterator[Configs]:
        async with sqlite_configs(tmp_path / "caxton.db") as opened:
            yield opened


@criterion("STORY-046.6")
async def test_agents_are_there_again_after_the_store_was_closed(tmp_path: Path) -> None:
    async with sqlite_configs(tmp_path / "caxton.db") as configs:
        await configs.save(record(1, "greeter"))
    async with sqlite_configs(tmp_path / "caxton.db") as configs:
        assert list(await configs.stored()) == [record(1, "greeter")]


async def test_a_schema_of_a_later_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "caxton.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 999")
    with pytest.raises(StorageUnusable, match="999"):
        async with sqlite_configs(path):
            pass
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (999,)


async def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "caxton.db"
    path.write_bytes(b"this is no database, whatever its name says" * 50)
    before = path.read_bytes()
    with pytest.raises(StorageUnusable, match="not a database"):
        async with sqlite_configs(path):
            pass
    assert path.read_bytes() == before


async def test_a_folder_in_its_place_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StorageUnusable):
        async with sqlite_configs(tmp_path):
            pass


async def test_what_cannot_be_written_changes_nothing_and_says_why(tmp_path: Path) -> None:
    path = tmp_path / "caxton.db"
    async with sqlite_configs(path) as configs:
        await configs.save(record(1, "greeter"))
        with closing(sqlite3.connect(path)) as connection:
            for step in ("INSERT", "DELETE"):
                refuses = "BEGIN SELECT RAISE(FAIL, 'disk is full'); END"
                connection.execute(f"CREATE TRIGGER {step}s BEFORE {step} ON agents {refuses}")
        assert await configs.save(record(2, "helper")) == Failure(NotStored("disk is full"))
        assert await configs.remove(record(1, "greeter").id) == Failure(NotStored("disk is full"))
        assert list(await configs.stored()) == [record(1, "greeter")]


async def test_a_store_that_holds_nonsense_says_so(tmp_path: Path) -> None:
    path = tmp_path / "caxton.db"
    async with sqlite_configs(path) as configs:
        await configs.save(record(1, "greeter"))
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("UPDATE agents SET state = 'dancing'")
        with pytest.raises(StorageUnusable, match="dancing"):
            await configs.stored()
