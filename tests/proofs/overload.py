"""Far more clients than the server can serve: it says no in time to some, and serves the others."""

import time

import anyio
from attrs import frozen

from tests.model_server import model_server
from tests.proofs.asking import Asking
from tests.proofs.flood import Plan, Seen, seen_by, started
from tests.proofs.installation import AgentFile, installation
from tests.proofs.report import Report
from tests.proofs.watching import MIB, Watcher

MAILBOX = 500
LATENCY_MS = 50
AGENTS = (AgentFile("busy", mailbox=MAILBOX), AgentFile("apart", "main", "process", MAILBOX))


@frozen
class Bounds:
    """What a server under too much load may take; wide, for this is not a benchmark."""

    grown: int = 256 * MIB
    """Bytes more than before the load."""
    answer: float = 30.0
    """Seconds for 99 of 100 answers."""
    health: float = 1.0
    """Seconds for 99 of 100 looks at the health."""
    recovery: float = 5.0
    """Seconds until an answer, once the load has ended."""


BOUNDS = Bounds()


async def prove(seconds: float = 20.0, *, clients: int = 2000, bounds: Bounds = BOUNDS) -> Report:
    """Flood the server so long."""
    with model_server() as models, installation() as here:
        await here.begin({"main": models.at(latency=LATENCY_MS, tag="overload")}, AGENTS)
        for agent in AGENTS:
            await Asking(here).say(agent.name, "hello", "warm-up")
        watcher = Watcher(here)
        before = watcher.look().rss
        plan = Plan(here.port, [agent.name for agent in AGENTS], clients, seconds)
        async with anyio.create_task_group() as beside:
            beside.start_soon(watcher.watch)
            with started(plan) as flood:
                seen = await seen_by(flood)
            beside.cancel_scope.cancel()
        began = time.monotonic()
        reply = await Asking(here).say("busy", "are you there", "after")
        recovery = time.monotonic() - began
        after = watcher.look().rss
        died = here.ended_with is not None
    faults = [*_faults(seen, watcher, before, bounds)]
    if reply.status != 200 or recovery > bounds.recovery or died:
        faults.append(f"after the load: {reply.status} after {recovery:.1f} s; {here.log}")
    counts = {
        "clients": f"{clients:,} for {seconds:g} s",
        "answered": str(seen.statuses),
        "answers": _percentiles(seen),
        "/health/live": f"p50 {watcher.health.percentile(50):.4f} s, "
        f"p99 {watcher.health.percentile(99):.4f} s",
        "memory": f"{before / MIB:.0f} MiB before, at most {watcher.highest / MIB:.0f}, "
        f"{after / MIB:.0f} after",
        "recovery": f"{recovery:.3f} s",
    }
    return Report("overload", counts, faults)


def _percentiles(seen: Seen) -> str:
    answers = seen.answers
    return ", ".join(f"p{at:g} {answers.percentile(at):.3f} s" for at in (50, 99, 100))


def _faults(seen: Seen, watcher: Watcher, before: int, bounds: Bounds) -> list[str]:
    """What of the promises was broken."""
    odd = [status for status in seen.statuses if status[:3] not in {"200", "429", "503"}]
    refused = sum(count for status, count in seen.statuses.items() if status != "200")
    found = {
        f"answers of another kind: {odd}": bool(odd),
        f"{seen.homeless} refusals do not say when to come back": seen.homeless > 0,
        f"{seen.gone} connections ended before their answer": seen.gone > 0,
        f"{seen.mixed_up} answers went to the wrong client": seen.mixed_up > 0,
        "nobody was refused: this was no overload": not refused,
        "nobody was answered": not seen.answers.count,
        "answers take too long": seen.answers.percentile(99) > bounds.answer,
        "the health takes too long": watcher.health.percentile(99) > bounds.health,
        f"the health was not told: {watcher.unhealthy[:3]}": bool(watcher.unhealthy),
        "too much memory is taken": watcher.highest - before > bounds.grown,
    }
    return [fault for fault, is_so in found.items() if is_so]
