"""What stays in memory: an idle server, agents that only wait, a live agent, past conversations."""

import sys
from collections.abc import Iterator
from subprocess import PIPE, Popen

from tests.benchmarks.answers import checked
from tests.benchmarks.effort import Effort
from tests.benchmarks.figures import AtMost, Baseline, Figure
from tests.benchmarks.load import Plan
from tests.benchmarks.processes import (
    descendants,
    environment,
    load,
    private_memory,
    rss,
    wait_until_idle,
)
from tests.benchmarks.product import Server, caxton_server
from tests.model_server import model_server

_MEGABYTE = 1_000_000


def measure(effort: Effort) -> Iterator[Figure]:
    """In the order in which a server fills."""
    with model_server() as models:
        with caxton_server(models.url) as server:
            yield from _agents(effort, server)
        with caxton_server(models.url) as server:
            yield from _conversations(effort, server)


def _agents(effort: Effort, server: Server) -> Iterator[Figure]:
    idle = _settled_rss(server)
    below = sum(private_memory(pid) for pid in descendants(server.pid)) / _MEGABYTE
    bare = Baseline(_bare_interpreter() / _MEGABYTE, "bare interpreter")
    note = f"processes below it: {below:.1f} MB private"
    yield Figure("RSS of the idle server", idle, "MB", bare, AtMost(100), AtMost(64), note)
    for number in range(effort.agents):
        server.deploy(f"idle-{number}")
    grown = _settled_rss(server) - idle
    what = f"{effort.agents:,} deployed idle agents, RSS on top"
    yield Figure(what, grown, "MB", Baseline(idle, "idle server"), AtMost(30), AtMost(5))
    yield _live_agent(server)


def _live_agent(server: Server) -> Figure:
    before = set(descendants(server.pid))
    for number in range(20):
        server.say("idle-0", f"message {number}")
    wait_until_idle(server.pid)
    started = set(descendants(server.pid)) - before
    private = max(private_memory(pid) for pid in started) / _MEGABYTE
    return Figure(
        "one live agent process, private memory",
        private,
        "MB",
        Baseline(_bare_interpreter() / _MEGABYTE, "bare interpreter, all of it"),
        AtMost(2),
        AtMost(1.2),
        f"{len(started)} process started by 20 messages",
    )


def _conversations(effort: Effort, server: Server) -> Iterator[Figure]:
    server.deploy("talker")
    _talk(server, effort.conversations // 10)
    before = _settled_rss(server)
    below = _below(server)
    _talk(server, effort.conversations)
    grown, grown_below = _settled_rss(server) - before, _below(server) - below
    yield Figure(
        f"{effort.conversations:,} conversations of one message each, RSS growth after them",
        grown,
        "MB",
        Baseline(before, "server before"),
        AtMost(30),
        AtMost(2),
        f"agent processes grew by {grown_below:.1f} MB",
    )


def _talk(server: Server, count: int) -> None:
    plan = Plan([server.message_url("talker")], connections=16, seconds=600, count=count, warm_up=0)
    [outcome] = load(plan)
    checked(outcome)


def _settled_rss(server: Server) -> float:
    wait_until_idle(server.pid)
    return rss(server.pid) / _MEGABYTE


def _below(server: Server) -> float:
    return sum(private_memory(pid) for pid in descendants(server.pid)) / _MEGABYTE


def _bare_interpreter() -> int:
    waiting = [sys.executable, "-c", "print(flush=True); input()"]
    with Popen(waiting, stdin=PIPE, stdout=PIPE, env=environment()) as bare:
        assert bare.stdout is not None
        assert bare.stdin is not None
        bare.stdout.readline()
        resident = rss(bare.pid)
        bare.stdin.write(b"\n")
        bare.stdin.close()
        return resident
