"""A full disk is one from which something can be deleted."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from caxton_adapters.database import open_database
from caxton_adapters.database.reserve import GIVEN, WHOLE, Reserve


def size(database: Path) -> int:
    return database.with_name(f"{database.name}-reserve").stat().st_size


def test_what_is_kept_is_given_piece_by_piece_and_taken_again(tmp_path: Path) -> None:
    database = tmp_path / "caxton.db"
    reserve = Reserve(database)
    reserve.fill()
    assert size(database) == WHOLE
    assert reserve.give()
    assert size(database) == WHOLE - GIVEN
    reserve.fill()
    assert size(database) == WHOLE


def test_when_all_is_given_there_is_no_more(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path / "caxton.db")
    reserve.fill()
    given = 0
    while reserve.give():
        given += GIVEN
    assert given == WHOLE


def test_nothing_to_give_is_no_failure(tmp_path: Path) -> None:
    assert not Reserve(tmp_path / "none" / "caxton.db").give()


def test_without_room_it_takes_what_it_gets(tmp_path: Path) -> None:
    script = (
        "import resource, sys; from pathlib import Path\n"
        "from caxton_adapters.database.reserve import Reserve\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))\n"
        "Reserve(Path(sys.argv[1])).fill()\n"
    )
    database = tmp_path / "caxton.db"
    done = subprocess.run([sys.executable, "-c", script, database], check=False)
    assert done.returncode == 0
    assert 0 < size(database) <= 1_000_000


async def test_a_removal_finds_room_where_a_change_finds_none(tmp_path: Path) -> None:
    async with open_database(tmp_path / "caxton.db") as database:
        met: list[int] = []

        def until_there_is_room(_: sqlite3.Connection) -> int:
            met.append(size(database.path))
            if met[-1] > WHOLE - 2 * GIVEN:
                full = sqlite3.OperationalError("database or disk is full")
                full.sqlite_errorcode = sqlite3.SQLITE_FULL
                raise full
            return len(met)

        with pytest.raises(sqlite3.OperationalError):
            await database.change(until_there_is_room)
        assert await database.remove(until_there_is_room) == 4
        assert met == [WHOLE, WHOLE, WHOLE - GIVEN, WHOLE - 2 * GIVEN]
