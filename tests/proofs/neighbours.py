"""One agent crashes, floods or stalls: what the others feel, beside the same minutes without it."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from statistics import median

import anyio
import psutil

from tests.model_server import model_server
from tests.proofs.flood import Plan, seen_by, started
from tests.proofs.installation import AgentFile, Installation, installation
from tests.proofs.report import Report

NEIGHBOURS = tuple(AgentFile(f"neighbour-{number}") for number in range(8))
BAD = AgentFile("bad", "bad", "process", mailbox=16)
STALLED = AgentFile("stalled", "stalled", more='turn_timeout = "1h"')
PACE = 0.02
Trouble = Callable[[Installation, float], AbstractAsyncContextManager[None]]


@asynccontextmanager
async def _quiet(here: Installation, seconds: float) -> AsyncIterator[None]:  # noqa: ARG001
    yield


@asynccontextmanager
async def _crashes(here: Installation, seconds: float) -> AsyncIterator[None]:
    """Its process is killed as soon as there is one."""
    assert here.process is not None
    server = psutil.Process(here.process.pid)
    with started(Plan(here.port, [BAD.name], 4, seconds, pace=0.05)) as load:
        async with anyio.create_task_group() as beside:
            beside.start_soon(_kill_again_and_again, server)
            yield
            beside.cancel_scope.cancel()
        await seen_by(load)


async def _kill_again_and_again(server: psutil.Process) -> None:
    while True:
        for zygote in server.children():
            for process in zygote.children():
                process.kill()
        await anyio.sleep(0.05)


@asynccontextmanager
async def _floods(here: Installation, seconds: float) -> AsyncIterator[None]:
    """Many more clients than its mailbox holds; they come back when they are told to."""
    with started(Plan(here.port, [BAD.name], 200, seconds)) as load:
        yield
        await seen_by(load)


@asynccontextmanager
async def _stalls(here: Installation, seconds: float) -> AsyncIterator[None]:
    """Its model never answers, and many wait for it."""
    with started(Plan(here.port, [STALLED.name], 200, seconds)) as load:
        yield
        load.kill()


TROUBLES: dict[str, Trouble] = {
    "quiet": _quiet,
    "crashes": _crashes,
    "floods": _floods,
    "stalls": _stalls,
}


async def prove(blocks: int = 5, *, seconds: float = 3.0, bound: float = 1.1) -> Report:
    """Measure so many blocks, in each every trouble once."""
    p99: dict[str, list[float]] = {name: [] for name in TROUBLES}
    faults: list[str] = []
    with model_server() as models, installation() as here:
        bad, hanging = models.at(latency=10, tag="bad"), models.at(fault="hang", tag="stalled")
        providers = {"main": models.url, "bad": bad, "stalled": hanging}
        await here.begin(providers, (*NEIGHBOURS, BAD, STALLED))
        names = [agent.name for agent in NEIGHBOURS]
        for _ in range(blocks):
            for name, trouble in TROUBLES.items():
                async with trouble(here, seconds + 1):
                    plan = Plan(here.port, names, len(names), seconds, pace=PACE)
                    with started(plan) as load:
                        seen = await seen_by(load)
                p99[name].append(seen.answers.percentile(99))
                if set(seen.statuses) != {"200"} or seen.gone or seen.mixed_up:
                    faults.append(f"while it {name}: {seen.statuses}, {seen.gone} gone")
    quiet = median(p99["quiet"])
    ratios = {name: median(found) / quiet for name, found in p99.items() if name != "quiet"}
    faults += [
        f"while one {name}, the p99 of the others is {ratio:.2f} times what it is otherwise"
        for name, ratio in ratios.items()
        if ratio > bound
    ]
    counts = {"p99 when quiet": f"{quiet * 1000:.1f} ms (median of {blocks} blocks)"}
    counts |= {f"while one {name}": f"{ratio:.2f} x" for name, ratio in ratios.items()}
    return Report("neighbours", counts, faults)
