"""What cannot be used is refused in words and left as it was; what is old is brought up to date."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path

import pytest

from caxton_adapters.database import StorageUnusable, Synchronous, open_database
from caxton_adapters.database.migrations import migrate, migrations, version_of
from caxton_adapters.database.opening import prepare

NEWEST = len(migrations())
KILLED = """
import os, sqlite3, sys
from contextlib import closing, suppress
from pathlib import Path
from caxton_adapters.database import opening
from caxton_adapters.database.connecting import Synchronous
path, left = Path(sys.argv[1]), int(sys.argv[2])
connect = opening.writing
def watched(*arguments):
    connection = connect(*arguments)
    def count(statement):
        global left
        left -= 1
        if left < 0:
            os._exit(9)
    connection.set_trace_callback(count)
    return connection
opening.writing = watched
opening.prepare(path, Synchronous.FULL)
"""


def old(path: Path, version: int) -> None:
    """A database as an earlier Caxton left it, with an agent in it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        migrate(connection, migrations()[:version])
        row = ("id", "greeter", "text", "running", "since", "", "created", "updated")
        connection.execute("INSERT INTO agents VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)


def held(path: Path) -> tuple[int, list[str]]:
    """The version of the schema and the names of the agents."""
    with closing(sqlite3.connect(path)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM agents")]
        return version_of(connection), names


def modes(folder: Path) -> dict[str, int]:
    """The files of a folder and who may do what with them."""
    return {each.name: each.stat().st_mode & 0o777 for each in folder.iterdir()}


async def opened(path: Path) -> None:
    async with open_database(path) as database:
        await database.probe()


@pytest.mark.parametrize("version", range(1, NEWEST + 1))
async def test_every_earlier_schema_is_brought_up_to_date(tmp_path: Path, version: int) -> None:
    path = tmp_path / "caxton.db"
    old(path, version)
    await opened(path)
    assert held(path) == (NEWEST, ["greeter"])
    assert sorted(modes(tmp_path)) == ["caxton.db", "caxton.db-reserve"]


def test_a_migration_that_is_killed_anywhere_is_done_by_the_next_start(tmp_path: Path) -> None:
    for left in range(0, 200, 4):
        path = tmp_path / f"{left}.db"
        old(path, 1)
        arguments = [sys.executable, "-c", KILLED, str(path), str(left)]
        ended = subprocess.run(arguments, check=False, timeout=60)
        assert ended.returncode in (0, 9)
        version, names = held(path)
        assert version in range(1, NEWEST + 1)
        assert names == ["greeter"]
        if ended.returncode == 0:
            assert version == NEWEST
            return
    pytest.fail("the migration never came to its end")


async def test_an_empty_file_becomes_a_database(tmp_path: Path) -> None:
    path = tmp_path / "caxton.db"
    path.touch()
    await opened(path)
    assert version_of(sqlite3.connect(path)) == NEWEST


async def test_the_file_is_for_our_own_eyes(tmp_path: Path) -> None:
    path = tmp_path / "caxton.db"
    async with open_database(path) as database:
        await database.probe()
        assert set(modes(tmp_path).values()) == {0o600}


async def test_the_database_of_another_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "caxton.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE songs (name)")
    before = path.read_bytes()
    with pytest.raises(StorageUnusable, match="another program"):
        await opened(path)
    assert path.read_bytes() == before


async def test_a_database_that_another_program_holds_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "caxton.db"
    old(path, 1)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StorageUnusable, match="holds it locked"):
            await opened(path)
    assert held(path) == (1, ["greeter"])


@pytest.mark.parametrize("end", [1, 50, 100, 4095, 4096, 8191])
async def test_a_cut_file_is_refused_or_read_but_never_a_crash(tmp_path: Path, end: int) -> None:
    path = tmp_path / "caxton.db"
    old(path, 1)
    os.truncate(path, end)
    with pytest.raises(StorageUnusable):
        await opened(path)


def test_flipped_bytes_are_refused_or_read_but_never_a_crash(tmp_path: Path) -> None:
    whole = tmp_path / "whole.db"
    old(whole, NEWEST)
    content = whole.read_bytes()
    for place in range(0, len(content), 509):
        path = tmp_path / "flipped.db"
        flipped = bytearray(content)
        flipped[place] ^= 0xFF
        path.write_bytes(flipped)
        with suppress(StorageUnusable):  # anything else that is raised is a crash
            prepare(path, Synchronous.NORMAL)
        for each in tmp_path.glob("flipped.db*"):
            each.unlink()
