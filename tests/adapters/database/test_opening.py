"""What cannot be used is refused in words and left as it was; what is old is brought up to date."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from caxton_adapters.database import StorageUnusable, Synchronous, open_database
from caxton_adapters.database.migrations import migrate, migrations, version_of
from caxton_adapters.database.opening import prepare

NEWEST = len(migrations())
KILLED_AT_EACH_STATEMENT = """
import os, shutil, sys
from itertools import count
from pathlib import Path
from caxton_adapters.database import opening
from caxton_adapters.database.connecting import Synchronous
old, connect = Path(sys.argv[1]), opening.writing
def killed_after(left):
    def watched(*arguments):
        connection = connect(*arguments)
        statements = iter(range(left))
        connection.set_trace_callback(lambda _: next(statements, None) is None and os._exit(9))
        return connection
    return watched
for left in count():
    path = old.with_name(f"{left}.db")
    shutil.copy(old, path)
    child = os.fork()
    if not child:
        opening.writing = killed_after(left)
        opening.prepare(path, Synchronous.NORMAL)
        os._exit(0)
    if os.waitpid(child, 0)[1] == 0:
        break
"""
READ_ONLY = """
import os, sys
from pathlib import Path
from caxton_adapters.database import StorageUnusable, Synchronous
from caxton_adapters.database.migrations import migrations
from caxton_adapters.database.opening import prepare
folder = Path(sys.argv[1])
path, nobody = folder / "caxton.db", 65534
migrations()  # imports what nobody may read
if os.geteuid() == 0:  # whom no directory refuses anything
    os.chown(path, nobody, nobody)
    os.chown(folder, nobody, nobody)
    os.seteuid(nobody)
folder.chmod(0o500)
try:
    prepare(path, Synchronous.FULL)
except StorageUnusable as unusable:
    print(unusable.why)
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
    old(tmp_path / "old.db", 1)
    script = [sys.executable, "-c", KILLED_AT_EACH_STATEMENT, str(tmp_path / "old.db")]
    subprocess.run(script, check=True, timeout=100)
    tried = sorted(tmp_path.glob("[0-9]*.db"))
    statements = sum(map(len, migrations()[1:]))
    assert len(tried) > statements
    for path in tried:
        version, names = held(path)
        assert 1 <= version <= NEWEST
        assert names == ["greeter"]
        prepare(path, Synchronous.NORMAL)
        assert held(path) == (NEWEST, ["greeter"])
    assert not list(tmp_path.glob("*.schema-*"))


async def test_the_copy_that_a_killed_migration_left_is_replaced(tmp_path: Path) -> None:
    path, copy = tmp_path / "caxton.db", tmp_path / "caxton.db.schema-1"
    old(path, 1)
    copy.write_bytes(b"half of a copy")
    await opened(path)
    assert held(path) == (NEWEST, ["greeter"])
    assert not copy.exists()


@pytest.mark.parametrize("version", [1, NEWEST])
def test_a_directory_that_may_not_be_written_is_refused_in_words(version: int) -> None:
    with TemporaryDirectory() as name:  # pytest's own are for its user's eyes alone
        path = Path(name) / "caxton.db"
        old(path, version)
        path.with_name("caxton.db-wal").unlink(missing_ok=True)
        command = [sys.executable, "-c", READ_ONLY, name]
        said = subprocess.run(command, check=True, timeout=60, capture_output=True, text=True)
        Path(name).chmod(0o700)
        assert "cannot be opened or made" in said.stdout or "may not be written" in said.stdout
        assert held(path) == (version, ["greeter"])


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
