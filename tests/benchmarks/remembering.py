"""A memory of 100,000 entries: what each operation takes, beside a bare select of SQLite."""

import sqlite3
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Final

import anyio
from attrs import evolve
from returns.result import Success

from caxton_adapters.clock import SystemClock
from caxton_adapters.database import open_database
from caxton_adapters.memory.agent import AgentMemory
from caxton_adapters.memory.sqlite import sqlite_memory
from caxton_core.agent.sections import MemoryRules
from caxton_core.memory.entry import AgentOwner, Bounds, Entry, Owner
from caxton_core.memory.primitives import EntryKey, EntryKind, EntryText, SearchText, Tag
from caxton_core.memory.query import Query
from caxton_core.memory.written import Imported
from caxton_core.ports import MemoryStore
from caxton_core.primitives import AgentId, ConversationId, MessageId
from caxton_core.tools.tool import Caller
from tests.benchmarks.effort import FULL, Effort
from tests.benchmarks.figures import AtMost, Baseline, Figure

ENTRIES: Final = 100_000
FEW: Final = 2_000
PART: Final = 1_000
BIG: Final = AgentId("00000000-0000-4000-8000-000000000001")
SMALL: Final = AgentId("00000000-0000-4000-8000-000000000002")
START: Final = datetime.now(UTC) - timedelta(days=2)  # younger than what is kept by default
_WORDS: Final = 20_000
_Ask = Callable[[], Awaitable[object]]


def measure(effort: Effort) -> Iterator[Figure]:
    """Each operation alone, many times, on the largest owner unless it says otherwise."""
    entries = ENTRIES if effort.agents >= FULL.agents else FEW
    with tempfile.TemporaryDirectory() as directory:
        yield from anyio.run(_measured, Path(directory) / "caxton.db", entries, effort.calls)


async def _measured(path: Path, entries: int, times: int) -> list[Figure]:
    random = Random(20261122)
    async with open_database(path) as database:
        memory = await sqlite_memory(database)
        made = entries_of(random, entries)
        while part := list(islice(made, PART)):
            assert isinstance(await memory.load(part), Success)
        asked = operations(memory, random, entries)
        samples = {what: await times_of(ask, times) for what, ask in asked.items()}
    bare = _bare(path, random, entries, times)
    return [_figure(what, entries, taken, bare) for what, taken in samples.items()]


def entries_of(random: Random, entries: int) -> Iterator[Imported]:
    """Texts as people write them: few words are in most, most words are in few (Zipf)."""
    words = [f"word{number}" for number in range(_WORDS)]
    weights = [1 / (number + 1) for number in range(_WORDS)]
    for number in range(entries):
        owner: Owner = AgentOwner(BIG if number % 10 else SMALL)
        at = START + timedelta(seconds=number)
        said = " ".join(("the", *random.choices(words, weights, k=20)))
        yield Imported(
            Entry(
                owner=owner,
                key=EntryKey(f"key-{number}"),
                text=EntryText(said),
                kind=EntryKind(f"kind-{number % 7}"),
                tags=(Tag(f"tag-{number % 50}"),),
                created_at=at,
                updated_at=at,
            )
        )


def operations(memory: MemoryStore, random: Random, entries: int) -> dict[str, _Ask]:
    """What is measured, by its name."""
    big = AgentOwner(BIG)
    agents = AgentMemory(memory, lambda _: MemoryRules(), SystemClock())
    number = iter(range(10**9))

    def entry(key: str) -> Entry:
        now = datetime.now(UTC)
        text = EntryText(f"the word{random.randrange(_WORDS)} anew")
        return Entry(owner=big, key=EntryKey(key), text=text, created_at=now, updated_at=now)

    def some(rarest: int) -> str:
        return f"word{int(rarest * random.random() ** 2)}"

    def ask(query: Callable[[], Query]) -> _Ask:
        return lambda: memory.search(big, query())

    def words(text: str, **more: object) -> Query:
        return evolve(Query(text=SearchText(text), limit=10), **more)  # type: ignore[arg-type] # tests

    def caller() -> Caller:
        return Caller(BIG, ConversationId("c"), MessageId("m"), "k")

    bounds = Bounds(max_entries=entries)
    return {
        "get": lambda: memory.get(big, EntryKey(f"key-{random.randrange(entries)}")),
        "put a new entry": lambda: memory.put(entry(f"new-{next(number)}")),
        "put in place of one": lambda: memory.put(entry(f"key-{random.randrange(entries)}")),
        "put within bounds": lambda: memory.put(entry(f"b-{next(number)}"), bounds=bounds),
        "forget one": lambda: memory.forget(big, EntryKey(f"key-{random.randrange(entries)}")),
        "list the newest 50": ask(Query),
        "list 50 by kind": ask(lambda: Query(kind=EntryKind(f"kind-{random.randrange(7)}"))),
        "list 50 by tag": ask(lambda: Query(tags=(Tag(f"tag-{random.randrange(50)}"),))),
        "search one word": ask(lambda: words(some(_WORDS))),
        "search a word that all have": ask(lambda: words("the")),
        "search three words": ask(lambda: words(f"the {some(50)} {some(50)}")),
        "search words and kind": ask(lambda: words(some(500), kind=EntryKind("kind-3"))),
        "recall for a message": lambda: agents.recalled(
            caller(), f"what is the {some(_WORDS)} of {some(_WORDS)} and of {some(100)}?"
        ),
        "recall of an empty memory": lambda: agents.recalled(
            evolve(caller(), agent=AgentId("00000000-0000-4000-8000-000000000009")), "the word1"
        ),
    }


async def times_of(ask: _Ask, times: int) -> list[float]:
    """Milliseconds of every call, in order of size."""
    taken: list[float] = []
    for _ in range(times):
        before = perf_counter()
        await ask()
        taken.append((perf_counter() - before) * 1000)
    return sorted(taken)


def _bare(path: Path, random: Random, entries: int, times: int) -> float:
    """Milliseconds of a select by key, prepared, without threads; the 99th of a hundred."""
    taken: list[float] = []
    with closing(sqlite3.connect(path)) as connection:
        for _ in range(times):
            key = f"key-{random.randrange(entries)}"
            before = perf_counter()
            connection.execute(
                "SELECT * FROM memory_entries WHERE owner = 1 AND key = ?", (key,)
            ).fetchall()
            taken.append((perf_counter() - before) * 1000)
    return sorted(taken)[int(len(taken) * 0.99)]


def _figure(what: str, entries: int, taken: list[float], bare: float) -> Figure:
    return Figure(
        f"memory of {entries:,}: {what}, p99",
        taken[int(len(taken) * 0.99)],
        "ms",
        Baseline(bare, "bare select by key, p99"),
        AtMost(10),
        AtMost(5),
        f"median {taken[len(taken) // 2]:.3g} ms",
    )
