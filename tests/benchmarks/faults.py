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
_PAUSE = 0.1


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
    """Blocks with and without kills, in turns."""
    quiet, beside, victim, back = Seen(), Seen(), Seen(), Histogram()
    with model_server() as models, caxton_server(models.url) as server:
        for name in _NEIGHBOURS:
            server.deploy(name)
            server.say(name, "hello")
        spared = frozenset(descendants(server.pid))
        server.deploy("victim")
        for _ in range(effort.blocks):
            with started_load(_neighbours(effort, server)) as load:
                quiet.add(finished(load))
            with started_load(_neighbours(effort, server)) as load:
                with started_load(_victim(effort, server)) as own:
                    _shoot(server, spared, effort.seconds, back)
                    victim.add(finished(own))
                beside.add(finished(load))
    yield from _figures(quiet, beside, victim, back)


def _figures(quiet: Seen, beside: Seen, victim: Seen, back: Histogram) -> Iterator[Figure]:
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
        "the same, from kill -9 to the victim's next answer, p50",
        back.percentile(50) * 1e3,
        "ms",
        must=AtMost(1000),
        note=f"worst {back.percentile(100) * 1e3:.0f} ms",
    )
    yield Figure(
        "the same, failed messages of the victim itself",
        victim.failed,
        "",
        note=f"of {victim.latencies.count:,} {victim.example}".strip(),
    )


def _neighbours(effort: Effort, server: Server) -> Plan:
    urls = [server.message_url(name) for name in _NEIGHBOURS]
    return Plan(urls, connections=32, seconds=effort.seconds)


def _victim(effort: Effort, server: Server) -> Plan:
    return Plan([server.message_url("victim")], connections=2, seconds=effort.seconds, pace=0.002)


def _shoot(server: Server, spared: frozenset[int], seconds: float, back: Histogram) -> None:
    """Kill the victim's process again and again, and wait each time until it answers."""
    limit = perf_counter() + seconds
    while perf_counter() < limit:
        sleep(_PAUSE)
        for pid in set(descendants(server.pid)) - spared:
            before = perf_counter()
            os.kill(pid, signal.SIGKILL)
            _answered(server)
            back.add(int((perf_counter() - before) * 1e9))


def _answered(server: Server) -> None:
    limit = perf_counter() + 10
    while True:
        try:
            server.say("victim", "are you there")
        except (RuntimeError, OSError):
            if perf_counter() > limit:
                raise
            sleep(0.001)
        else:
            return
