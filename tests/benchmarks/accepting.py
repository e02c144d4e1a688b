"""Durable accepts: many who wait for the disk, beside one commit for each message."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import anyio

from caxton_adapters.database import open_database
from caxton_adapters.journal.sqlite import SqliteJournal
from caxton_adapters.runtime.identity import new_message_id
from caxton_core.events import MessageAccepted
from caxton_core.primitives import AgentId, ConversationId
from tests.benchmarks.effort import Effort
from tests.benchmarks.figures import AtLeast, Baseline, Figure

WRITERS = 64
AGENT = AgentId("0192f0c1-2d3e-7a4b-8c5d-6e7f80910a1b")
TEXT = "x" * 200


def measure(effort: Effort) -> Iterator[Figure]:
    """The best block decides: others use the disk too."""
    journal, bare = [], []
    for _ in range(effort.blocks):
        with TemporaryDirectory() as folder:
            journal.append(anyio.run(_through_the_journal, Path(folder), effort.seconds))
            bare.append(_one_by_one(Path(folder), effort.seconds))
    yield Figure(
        f"durable accepts, {WRITERS} writers",
        max(journal),
        "/s",
        Baseline(max(bare), "one commit for each message"),
        must=AtLeast(5_000),
        aim=AtLeast(15_000),
    )


async def _through_the_journal(folder: Path, seconds: float) -> float:
    accepted = 0
    async with open_database(folder / "caxton.db") as database:
        journal = SqliteJournal(database)
        end = perf_counter() + seconds

        async def accept(number: int) -> None:
            nonlocal accepted
            while perf_counter() < end:
                now = datetime.now(UTC)
                place = ConversationId(f"conversation-{number}")
                stored = MessageAccepted(AGENT, now, new_message_id(), place, TEXT)
                (await journal.append(stored)).unwrap()  # type: ignore[union-attr] # or it raises
                accepted += 1

        async with anyio.create_task_group() as together:
            for number in range(WRITERS):
                together.start_soon(accept, number)
    return accepted / seconds


def _one_by_one(folder: Path, seconds: float) -> float:
    stored = 0
    with closing(sqlite3.connect(folder / "bare.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE messages (id TEXT PRIMARY KEY, text TEXT)")
        end = perf_counter() + seconds
        while perf_counter() < end:
            row = (new_message_id().value, TEXT)
            connection.execute("INSERT INTO messages VALUES (?, ?)", row)
            stored += 1
    return stored / seconds
