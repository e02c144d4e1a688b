"""kill -9 of one agent's process under load: what its neighbours feel, and how soon it is back."""

import os
import signal
from collections.abc import Iterator
from time import perf_counter, sleep
from typing import final

from attrs import define, field

from tests.benchmarks.effort import Effort
from tests.benchmarks.figures import AtMost, Baseline, Figure
from tests.benchmarks.histogram import Histogram
from tests.benchmarks.load import Outcome, Plan
from tests.benchmarks.processes import descendants, finished, started_load
from tests.benchmarks.product import Server, caxton_server
from tests.model_server import model_server

_NEIGHBOURS = [f"neighbour-{number}" for number in range(8)]
_SHOTS = 5
"""In a block."""


@final
@define
class Seen:
    """What came of some blocks of load."""

    latencies: Histogram = field(factory=Histogram)
    failed: int = 0
    example: str = ""

    def add(self, outcomes: list[Outcome]) -> None:
        """One block more."""
        for outcome in outcomes:
            self.latencies.merge(outcome.histogram)
            self.failed += outcome.failed
            self.example = self.example or outcome.example


def measure(effort: Effort) -> Iterator[Figure]:
    """Blocks with and without kills, in turns; no victim is shot twice, for that is another story.

    (An agent whose process dies again and again is restarted later each time, then given up.)
    """
    quiet, beside, victims = Seen(), Seen(), Seen()
    back, back_idle = Histogram(), Histogram()
    with model_server() as models, caxton_server(models.url) as server:
        for name in _NEIGHBOURS:
            server.deploy(name)
            server.say(name, "hello")
        for block in range(effort.blocks):
            with started_load(_neighbours(effort, server)) as load:
                quiet.add(finished(load))
            doomed = dict(_living(server, f"victim-{block}-{number}") for number in range(_SHOTS))
            with (
                started_load(_neighbours(effort, server)) as load,
                started_load(_doomed(effort, server, doomed)) as own,
            ):
                _shoot(server, doomed, effort.seconds, back)
                victims.add(finished(own))
                beside.add(finished(load))
            doomed = dict(_living(server, f"idle-{block}-{number}") for number in range(_SHOTS))
            _shoot(server, doomed, effort.seconds / 3, back_idle)
    yield from _figures(quiet, beside, victims, back)
    yield Figure(
        "recovery of a crashed agent on an idle server: from kill -9 to its next answer, p50",
        back_idle.percentile(50) * 1e3,
        "ms",
        must=AtMost(1000),
        aim=AtMost(50),
        note=f"worst {back_idle.percentile(100) * 1e3:.0f} ms",
    )


def _figures(quiet: Seen, beside: Seen, victims: Seen, back: Histogram) -> Iterator[Figure]:
    yield Figure(
        "failed messages of its neighbours, agent's process killed with -9 under load",
        beside.failed,
        "",
        Baseline(quiet.failed, "without kills"),
        AtMost(0),
        note=f"{back.count} kills, {beside.latencies.count:,} messages {beside.example}".strip(),
    )
    base = Baseline(quiet.latencies.percentile(99) * 1e3, "without kills")
    yield Figure(
        "the same, p99 of its neighbours", beside.latencies.percentile(99) * 1e3, "ms", base
    )
    yield Figure(
        "recovery of a crashed agent under load: from kill -9 to its next answer, p50",
        back.percentile(50) * 1e3,
        "ms",
        must=AtMost(1000),
        aim=AtMost(50),
        note=f"worst {back.percentile(100) * 1e3:.0f} ms",
    )
    yield Figure(
        "the same, failed messages of the killed agents themselves",
        victims.failed,
        "",
        note=f"of {victims.latencies.count:,} {victims.example}".strip(),
    )


def _neighbours(effort: Effort, server: Server) -> Plan:
    urls = [server.message_url(name) for name in _NEIGHBOURS]
    return Plan(urls, connections=32, seconds=effort.seconds)


def _doomed(effort: Effort, server: Server, doomed: dict[str, int]) -> Plan:
    urls = [server.message_url(name) for name in doomed]
    return Plan(urls, connections=len(urls), seconds=effort.seconds, pace=0.002)


def _living(server: Server, name: str) -> tuple[str, int]:
    """An agent and the process that it lives in."""
    before = set(descendants(server.pid))
    server.deploy(name)
    server.say(name, "hello")
    [pid] = set(descendants(server.pid)) - before
    return name, pid


def _shoot(server: Server, doomed: dict[str, int], seconds: float, back: Histogram) -> None:
    """Kill one after the other, and wait each time until the agent answers again."""
    for name, pid in doomed.items():
        sleep(seconds / (len(doomed) + 1))
        before = perf_counter()
        os.kill(pid, signal.SIGKILL)
        server.say(name, "are you there")
        back.add(int((perf_counter() - before) * 1e9))
