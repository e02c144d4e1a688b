"""What a turn waits for before its model is asked: the past of a long conversation."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TypeAlias

import anyio
from returns.result import Failure, Result

from caxton_adapters.database import open_database
from caxton_adapters.journal.sqlite import SqliteConversations
from caxton_adapters.runtime.pasts import Pasts
from caxton_core.conversation.past import ConversationKey, Past
from caxton_core.primitives import AgentId, ConversationId
from caxton_core.storage import NotRead
from tests.benchmarks import filling
from tests.benchmarks.effort import Effort
from tests.benchmarks.figures import Baseline, Below, Figure

AGENT = AgentId("0192f0c1-2d3e-7a4b-8c5d-6e7f80910a1b")
PLACE = ConversationKey(ConversationId("conversation-0"), AGENT)
SUMMARISED = ConversationKey(ConversationId("conversation-1"), AGENT)
SINCE = 20
"""Exchanges after the summary, which are read whole."""
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
MOST = 50
"""Exchanges that an agent reads where its file says nothing."""
ALL = 10
"""How often a whole conversation is read in a block: it takes its time."""

Read: TypeAlias = Callable[[], Awaitable[Result[Past, NotRead]]]


def measure(effort: Effort) -> Iterator[Figure]:
    """A conversation amid others, read to its end, in part, and from what is at hand."""
    yield from anyio.run(_measured, effort)


async def _measured(effort: Effort) -> list[Figure]:
    each = effort.conversations
    async with _conversations(each) as stored:
        pasts = Pasts(stored, 1 << 30)
        at_hand: Read = partial(
            pasts.of, PLACE, at_most=MOST, now=0.0, today=datetime.now(UTC), idle=86_400.0
        )
        some: Read = partial(stored.past, PLACE, at_most=MOST, since=LONG_AGO)
        since_a_summary: Read = partial(stored.past, SUMMARISED, at_most=None, since=LONG_AGO)
        whole: Read = partial(stored.past, PLACE, at_most=None, since=LONG_AGO)
        await _median(at_hand, 1, MOST)
        medians = {
            "at hand": await _median(at_hand, effort.calls, MOST),
            f"the newest {MOST} exchanges": await _median(some, effort.calls, MOST),
            f"a summary and the {SINCE} exchanges since": await _median(
                since_a_summary, effort.calls, SINCE
            ),
            "all of them": await _median(whole, min(effort.calls, ALL), each),
        }
    nothing = Baseline(await _bare(effort.calls), "a thread of the database and back")
    return [
        Figure(f"past of {each:,} messages: {what}, p50", taken, "ms", nothing, _bound(what))
        for what, taken in medians.items()
    ]


def _bound(what: str) -> Below | None:
    """Nobody's model is shown ten thousand exchanges: that one is for scale."""
    return None if what.startswith("all") else Below(5)


@asynccontextmanager
async def _conversations(each: int) -> AsyncIterator[SqliteConversations]:
    """A long conversation among nine others."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "caxton.db"
        async with open_database(path):
            pass
        filling.answered(path, [AGENT], conversations=10, each=each)
        async with open_database(path) as database:
            await database.change(
                lambda one: one.execute(
                    "UPDATE conversations SET summary = ?, begins_after = exchanges - ?"
                    " WHERE conversation = ?",
                    ('"Of everything before."', SINCE, SUMMARISED.conversation.value),
                )
            )
            yield SqliteConversations(database)


async def _median(read: Read, times: int, exchanges: int) -> float:
    """Milliseconds; each read is of so many exchanges."""
    taken = []
    for _ in range(times):
        began = perf_counter()
        past = await read()
        taken.append((perf_counter() - began) * 1e3)
        if isinstance(past, Failure) or len(past.unwrap().messages) != 2 * exchanges:
            raise RuntimeError(past)
    return sorted(taken)[len(taken) // 2]


async def _bare(times: int) -> float:
    """Milliseconds of a read that reads nothing."""
    taken = []
    with TemporaryDirectory() as folder:
        async with open_database(Path(folder) / "caxton.db") as database:
            for _ in range(times):
                began = perf_counter()
                await database.read(lambda _: None)
                taken.append((perf_counter() - began) * 1e3)
    return sorted(taken)[times // 2]
