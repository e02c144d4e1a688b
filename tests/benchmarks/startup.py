"""What a person waits for: a command's whole process, and the server's first answer."""

import sys
from collections.abc import Iterator
from functools import partial

from tests.benchmarks.effort import Effort
from tests.benchmarks.figures import AtMost, Baseline, Figure, TimesBaseline, in_turns
from tests.benchmarks.processes import CAXTON, environment, wall_seconds
from tests.benchmarks.product import Server, caxton_server, surroundings
from tests.model_server import model_server

_BARE = [sys.executable, "-c", "pass"]


def measure(effort: Effort) -> Iterator[Figure]:
    """The commands beside a bare interpreter, then starts from nothing to /health."""
    with model_server() as models, caxton_server(models.url) as server:
        yield from _commands(effort, server)
        yield from _starts(effort, models.url)


def _commands(effort: Effort, server: Server) -> Iterator[Figure]:
    known = surroundings(server.directory)
    bare, status, version, stopped = in_turns(
        effort.blocks * 4,
        partial(wall_seconds, _BARE, environment()),
        partial(wall_seconds, [str(CAXTON), "server", "status"], known, 0),
        partial(wall_seconds, [str(CAXTON), "version"], known, 0),
        partial(wall_seconds, [str(CAXTON), "server", "status"], _nowhere(known), 3),
    )
    base = Baseline(bare.middle * 1e3, "bare interpreter")
    for what, samples in (
        ("caxton server status, whole process", status),
        ("the same, no server", stopped),
        ("caxton version, whole process", version),
    ):
        yield Figure(what, samples.middle * 1e3, "ms", base, AtMost(100), TimesBaseline(3))


def _nowhere(known: dict[str, str]) -> dict[str, str]:
    return {**known, "CAXTON_URL": "http://127.0.0.1:9"}


def _starts(effort: Effort, model_url: str) -> Iterator[Figure]:
    bare, start = in_turns(
        effort.blocks,
        partial(wall_seconds, _BARE, environment()),
        partial(_seconds_to_health, model_url),
    )
    yield Figure(
        "server start to first answer on /health",
        start.middle * 1e3,
        "ms",
        Baseline(bare.middle * 1e3, "bare interpreter"),
        AtMost(2000),
        AtMost(700),
    )


def _seconds_to_health(model_url: str) -> float:
    with caxton_server(model_url) as server:
        return server.seconds_to_health
