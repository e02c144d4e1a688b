"""A copy is whole or not there, and puts back what it was made of."""

import sqlite3
from contextlib import closing
from pathlib import Path

import anyio
import pytest
from anyio.to_thread import run_sync
from returns.result import Failure, Success

from caxton_adapters.configs.sqlite import SqliteConfigs
from caxton_adapters.database import Grouped, open_database
from caxton_adapters.database.backup import CopyNotMade, CopyUnusable, back_up, restore, verify
from caxton_adapters.testing.configs import record

COUNTED = Grouped(
    "INSERT INTO counted SELECT number FROM new WHERE number IS NOT NULL", ("number",)
)


async def database_with(path: Path, *names: str) -> None:
    async with open_database(path) as database:
        for number, name in enumerate(names):
            await SqliteConfigs(database).save(record(number, name))


async def names_in(path: Path) -> list[str]:
    async with open_database(path) as database:
        return [stored.name.value for stored in await SqliteConfigs(database).stored()]


async def test_what_was_backed_up_is_there_again_after_restoring(tmp_path: Path) -> None:
    path, copy = tmp_path / "caxton.db", tmp_path / "copy.db"
    await database_with(path, "greeter", "helper")
    made = back_up(path, copy)
    assert isinstance(made, Success)
    assert made.unwrap().agents == 2
    await database_with(path, "other")
    restored = restore(copy, path)
    assert isinstance(restored, Success)
    assert await names_in(path) == ["greeter", "helper"]


async def test_the_database_before_is_kept_aside_with_its_log(tmp_path: Path) -> None:
    path, copy = tmp_path / "caxton.db", tmp_path / "copy.db"
    await database_with(path, "greeter")
    back_up(path, copy)
    with closing(sqlite3.connect(path)) as left_open:
        left_open.execute("UPDATE agents SET name = 'renamed'")
        left_open.commit()
        restored = restore(copy, path)
    assert isinstance(restored, Success)
    aside = restored.unwrap().aside
    assert aside is not None
    assert await names_in(aside) == ["renamed"]
    assert await names_in(path) == ["greeter"]


async def test_a_copy_made_under_load_is_one_moment_of_the_database(tmp_path: Path) -> None:
    path = tmp_path / "caxton.db"
    async with open_database(path) as database:
        await database.change(lambda one: one.execute("CREATE TABLE counted (number)").rowcount)

        async def write() -> None:
            for number in range(100_000):
                await database.write(COUNTED, (2 * number,), (2 * number + 1,))

        async with anyio.create_task_group() as writing:
            for _ in range(8):
                writing.start_soon(write)
            for copy in range(3):
                made = await run_sync(back_up, path, tmp_path / f"{copy}.db")
                assert isinstance(made, Success), made
            writing.cancel_scope.cancel()
    for copy in range(3):
        with closing(sqlite3.connect(tmp_path / f"{copy}.db")) as read:
            odd = read.execute("SELECT count(*) FROM counted GROUP BY number % 2").fetchall()
        assert len({count for (count,) in odd}) <= 1


async def test_nothing_is_put_in_place_of_a_file(tmp_path: Path) -> None:
    path, copy = tmp_path / "caxton.db", tmp_path / "copy.db"
    await database_with(path, "greeter")
    copy.write_text("mine")
    assert back_up(path, copy) == Failure(CopyNotMade(copy, "there is a file already"))
    assert copy.read_text() == "mine"


async def test_a_copy_is_for_our_own_eyes_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path, copies = tmp_path / "caxton.db", tmp_path / "copies"
    copies.mkdir()
    await database_with(path, "greeter")
    back_up(path, copies / "copy.db")
    verify(copies / "copy.db")
    assert [each.name for each in copies.iterdir()] == ["copy.db"]
    assert (copies / "copy.db").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [b"", b"no database" * 500])
def test_what_is_no_database_is_not_restored(tmp_path: Path, content: bytes) -> None:
    path, copy = tmp_path / "caxton.db", tmp_path / "copy.db"
    copy.write_bytes(content)
    path.write_bytes(b"what was there")
    refused = restore(copy, path)
    assert isinstance(refused, Failure)
    assert isinstance(refused.failure(), CopyUnusable)
    assert path.read_bytes() == b"what was there"


async def test_a_damaged_copy_is_not_restored(tmp_path: Path) -> None:
    path, copy = tmp_path / "caxton.db", tmp_path / "copy.db"
    await database_with(path, *(f"agent-{number}" for number in range(60)))
    back_up(path, copy)
    pages = bytearray(copy.read_bytes())
    pages[4096 : 4096 * 3] = bytes(4096 * 2)
    copy.write_bytes(pages)
    assert isinstance(verify(copy), Failure)
    assert isinstance(restore(copy, path), Failure)
    assert len(await names_in(path)) == 60


def test_there_is_nothing_to_copy_where_there_is_no_file(tmp_path: Path) -> None:
    assert isinstance(back_up(tmp_path / "caxton.db", tmp_path / "copy.db"), Failure)
    assert isinstance(verify(tmp_path / "caxton.db"), Failure)
    assert list(tmp_path.iterdir()) == []
