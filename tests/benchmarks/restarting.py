"""A server that starts with a full database: how long until it takes work again."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from time import perf_counter
from typing import final

import anyio
from attrs import frozen

from caxton_adapters.database import open_database
from caxton_adapters.journal.sqlite import SqliteJournal
from caxton_core.primitives import AgentId
from tests.benchmarks import filling
from tests.benchmarks.effort import Effort
from tests.benchmarks.figures import AtMost, Baseline, Figure
from tests.benchmarks.processes import cpu
from tests.model_server import model_server
from tests.proofs.installation import AgentFile, Installation, installation

AGENTS = 100
EACH = 100
"""Messages of a conversation."""
KILLS = 3
"""A message that saw its server die five times is not tried again."""
LATENCY = 60_000
"""Milliseconds of the model: what was begun stays so while others are measured."""


def measure(effort: Effort) -> Iterator[Figure]:
    """Starts after a clean end and after kill -9, and the read of what is unfinished alone."""
    unfinished, stored = effort.conversations, effort.conversations * EACH
    with model_server() as models, installation() as here:
        here.configure({"main": models.at(latency=LATENCY)})
        empty = anyio.run(_filled, here, effort)
        reading = [anyio.run(_read, here.database, unfinished) for _ in range(effort.blocks)]
        clean = anyio.run(_started, here)
        killed = [anyio.run(_started, here) for _ in range(min(effort.blocks, KILLS))]
    what = f"with {unfinished:,} unfinished and {stored:,} stored messages"
    yield Figure(f"read what is unfinished, {what}", min(reading), "s")
    base = Baseline(empty.seconds, "the same server without messages")
    for way, start in (("a clean end", clean), ("kill -9", min(killed))):
        note = f"{start.cpu:.2g} s of CPU, without messages {empty.cpu:.2g} s"
        what_is_ready = f"restart after {way} {what}: ready"
        yield Figure(what_is_ready, start.seconds, "s", base, AtMost(2), AtMost(1), note)


@final
@frozen(order=True)
class Start:
    """Seconds until a server was ready, and what it used of the processors."""

    seconds: float
    cpu: float


async def _filled(here: Installation, effort: Effort) -> Start:
    """Fill the database of a server; how that starts with nothing but its agents."""
    here.start()
    await here.ready()
    for number in range(AGENTS):
        await here.deploy(AgentFile(f"agent-{number}"))
    await _ended(here)
    start = await _started(here)
    agents = _agents(here.database)
    filling.answered(here.database, agents, conversations=effort.conversations, each=EACH)
    await filling.unfinished(here.database, agents, messages=effort.conversations)
    return start


async def _started(here: Installation) -> Start:
    began = perf_counter()
    process = here.start()
    await here.ready()
    start = Start(perf_counter() - began, cpu(process.pid).itself)
    await here.kill()
    return start


async def _ended(here: Installation) -> None:
    here.signal(15)
    await here.ended()


def _agents(path: Path) -> list[AgentId]:
    with closing(sqlite3.connect(path)) as connection:
        return [AgentId(agent) for (agent,) in connection.execute("SELECT id FROM agents")]


async def _read(path: Path, expected: int) -> float:
    async with open_database(path) as database:
        began = perf_counter()
        found = await SqliteJournal(database).unfinished()
        taken = perf_counter() - began
    if len(found.value_or(())) != expected:
        raise RuntimeError(found)
    return taken
