"""What was written is there, whatever happens to the others who write."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path

import anyio
import pytest

from caxton_adapters.database import Database, Grouped, open_database

NUMBERS = Grouped(
    "INSERT INTO numbers SELECT number FROM new WHERE number IS NOT NULL", ("number",)
)


def made(connection: sqlite3.Connection) -> None:
    connection.execute(
        "CREATE TABLE numbers (number INTEGER NOT NULL UNIQUE CHECK (number < 1000))"
    )


def numbers(connection: sqlite3.Connection) -> list[int]:
    return [number for (number,) in connection.execute("SELECT number FROM numbers ORDER BY 1")]


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with open_database(tmp_path / "caxton.db") as opened:
        await opened.change(made)
        yield opened


async def test_those_who_write_together_all_have_their_rows(database: Database) -> None:
    async def write(number: int) -> None:
        await database.write(NUMBERS, (number,))

    async with anyio.create_task_group() as together:
        for number in range(700):
            together.start_soon(write, number)
    assert await database.read(numbers) == list(range(700))


async def test_a_bad_row_fails_alone(database: Database) -> None:
    writes = [database.write(NUMBERS, (number,)) for number in (1, 2000, 2, 1, 3)]
    outcomes: list[object] = []
    for write in writes:
        try:
            await write
            outcomes.append(None)
        except sqlite3.IntegrityError as error:
            outcomes.append(error)
    assert [outcome is None for outcome in outcomes] == [True, False, True, False, True]
    assert await database.read(numbers) == [1, 2, 3]


async def test_rows_of_one_call_are_written_together_or_not_at_all(database: Database) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        await database.write(NUMBERS, (1,), (2000,))
    assert await database.read(numbers) == []


async def test_a_change_that_raises_changes_nothing_and_its_neighbours_stay(
    database: Database,
) -> None:
    def broken(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO numbers VALUES (7)")
        raise ZeroDivisionError

    before, change = database.write(NUMBERS, (1,)), database.change(broken)
    after = database.write(NUMBERS, (2,))
    with pytest.raises(ZeroDivisionError):
        await change
    await before
    await after
    assert await database.read(numbers) == [1, 2]


async def test_whoever_gives_up_waiting_does_not_disturb_the_others(database: Database) -> None:
    for number in range(0, 100, 2):
        with anyio.CancelScope() as scope:
            scope.cancel()
            await database.write(NUMBERS, (number,))
        await database.write(NUMBERS, (number + 1,))
    odd = [number for number in await database.read(numbers) if number % 2]
    assert odd == list(range(1, 100, 2))


async def test_who_reads_cannot_write(database: Database) -> None:
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        await database.read(lambda one: one.execute("INSERT INTO numbers VALUES (1)").rowcount)


async def test_what_is_queued_is_written_before_the_database_closes(tmp_path: Path) -> None:
    path = tmp_path / "caxton.db"
    async with open_database(path) as database:
        await database.change(made)
        writes = [asyncio.ensure_future(database.write(NUMBERS, (one,))) for one in range(900)]
    assert {write.done() for write in writes} == {True}
    assert not path.with_name("caxton.db-wal").exists()
    with closing(sqlite3.connect(path)) as connection:
        assert numbers(connection) == list(range(900))


async def test_a_closed_database_says_so(tmp_path: Path) -> None:
    async with open_database(tmp_path / "caxton.db") as database:
        pass
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        await database.write(NUMBERS, (1,))


async def test_a_lock_that_is_gone_soon_is_waited_for(database: Database) -> None:
    with closing(sqlite3.connect(database.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        write = database.write(NUMBERS, (1,))
        other.execute("COMMIT")
        await write
    assert not database.health.failing


async def test_a_full_database_says_so_reads_on_and_recovers(database: Database) -> None:
    def asked(pragma: str) -> Callable[[sqlite3.Connection], int]:
        return lambda one: int(one.execute(f"PRAGMA {pragma}").fetchone()[0])

    def big(connection: sqlite3.Connection) -> None:
        connection.execute("CREATE TABLE big AS SELECT zeroblob(1000000) AS zeros")

    pages = await database.change(asked("page_count"))
    await database.change(asked(f"max_page_count = {pages}"))
    with pytest.raises(sqlite3.OperationalError, match="full"):
        await database.change(big)
    assert database.health.failing
    assert database.health.error is not None
    assert "full" in database.health.error
    assert await database.read(numbers) == []
    await database.change(asked("max_page_count = 1000000"))
    await database.change(big)
    assert not (await database.probe()).failing
