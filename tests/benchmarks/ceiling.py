"""How quick the yardsticks are: the load generator against the model server, nothing between."""

from collections.abc import Iterator

from tests.benchmarks.effort import Effort
from tests.benchmarks.figures import Figure
from tests.benchmarks.load import Plan
from tests.benchmarks.processes import cpu, load
from tests.model_server import model_server


def measure(effort: Effort) -> Iterator[Figure]:
    """Calls a second and CPU a call of both, with 64 connections."""
    with model_server() as server:
        before = cpu(server.pid)
        plan = Plan(
            targets=[f"{server.url}/chat/completions"],
            kind="chat",
            connections=64,
            seconds=effort.seconds,
        )
        [outcome] = load(plan)
        used = (cpu(server.pid) - before).total
        calls = server.stats().calls
    if outcome.failed:
        raise RuntimeError(outcome.example)
    yield Figure(
        "model server and load generator, 64 connections", outcome.answered / outcome.seconds, "/s"
    )
    yield Figure("model server, CPU per call", used / calls * 1e6, "µs")
    yield Figure("load generator, CPU per call", outcome.client_cpu / calls * 1e6, "µs")
