"""Streamed answers, end to end: what the server spends on each piece that it passes on."""

from collections.abc import Iterator
from functools import partial

from tests.benchmarks.answers import checked
from tests.benchmarks.effort import Effort
from tests.benchmarks.figures import AtMost, Baseline, Figure, TimesBaseline, in_turns
from tests.benchmarks.load import Plan
from tests.benchmarks.processes import cpu, load
from tests.benchmarks.product import Server, caxton_server
from tests.benchmarks.sdk import sdk_event_cpu_seconds
from tests.model_server import model_server

_WORDS = 200
_PIECES = _WORDS + 4
"""The load generator's questions have four words, and the model's pieces are words."""


def measure(effort: Effort) -> Iterator[Figure]:
    """Sixteen streams at a time; every piece crosses the server as an event of its own."""
    with model_server() as models, caxton_server(models.url) as server:
        server.deploy("streaming")
        rounds = max(1, effort.calls // 40)
        sdk, relayed = in_turns(
            effort.blocks,
            partial(sdk_event_cpu_seconds, models.at(chunks=_PIECES), _PIECES, rounds),
            partial(_cpu_each, effort, server),
        )
    yield Figure(
        f"streamed event passed on by the server, CPU ({_PIECES} in a stream)",
        relayed.middle * 1e6,
        "µs",
        Baseline(sdk.middle * 1e6, "bare SDK event"),
        TimesBaseline(0.1),
        AtMost(5),
    )


def _cpu_each(effort: Effort, server: Server) -> float:
    plan = Plan(
        [server.message_url("streaming")],
        kind="stream",
        connections=16,
        seconds=effort.seconds,
        words=_WORDS,
        warm_up=0,
    )
    before = cpu(server.pid)
    [outcome] = load(plan)
    used = (cpu(server.pid) - before).total
    return used / checked(outcome).answered / _PIECES
