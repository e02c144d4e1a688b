"""What the journal costs: the same messages to a server that records them and to one that does not.

Accepting alone is in `accepting`, reading histories in `histories`, a start with a full database in
`restarting`.
"""

import sys
from collections.abc import Iterator
from functools import partial

from tests.benchmarks.answers import checked
from tests.benchmarks.effort import Effort
from tests.benchmarks.figures import AtLeastTimesBaseline, Baseline, Figure, in_turns
from tests.benchmarks.load import Plan
from tests.benchmarks.processes import load
from tests.benchmarks.product import Server, caxton_server
from tests.model_server import model_server

_UNRECORDED = (sys.executable, "-m", "tests.benchmarks.unrecorded")


def measure(effort: Effort) -> Iterator[Figure]:
    """Messages per second over 16 connections, and one message alone."""
    with (
        model_server() as models,
        caxton_server(models.url) as recording,
        caxton_server(models.url, _UNRECORDED) as unrecorded,
    ):
        for server in (recording, unrecorded):
            server.deploy("agent", "process")
            server.say("agent", "warm up")
        yield from _side_by_side(effort, recording, unrecorded)


def _side_by_side(effort: Effort, recording: Server, unrecorded: Server) -> Iterator[Figure]:
    def plan(server: Server, connections: int) -> Plan:
        url = server.message_url("agent")
        return Plan([url], connections=connections, seconds=effort.seconds)

    with_it, without = in_turns(
        effort.blocks,
        partial(_rate, plan(recording, 16)),
        partial(_rate, plan(unrecorded, 16)),
    )
    base = Baseline(without.middle, "journal in memory")
    yield Figure(
        "messages end to end, 16 connections, recorded",
        with_it.middle,
        "/s",
        base,
        AtLeastTimesBaseline(0.8),
        AtLeastTimesBaseline(0.95),
    )
    alone, alone_without = in_turns(
        effort.blocks,
        partial(_median, plan(recording, 1)),
        partial(_median, plan(unrecorded, 1)),
    )
    base = Baseline(alone_without.middle * 1e3, "journal in memory")
    yield Figure("one message alone, recorded, p50", alone.middle * 1e3, "ms", base)


def _rate(plan: Plan) -> float:
    [outcome] = load(plan)
    return checked(outcome).answered / outcome.seconds


def _median(plan: Plan) -> float:
    [outcome] = load(plan)
    return checked(outcome).histogram.percentile(50)
