"""kill -9, again and again, at any moment and around every commit: nothing accepted is lost.

A crowd talks to a real server while it is killed; each next server works on the same directory.
At last everyone is told what became of each message, and the model says what it was asked.
"""

import time
from collections.abc import Iterator
from random import Random
from typing import TypeAlias, final

import anyio
from attrs import define, field, frozen

from tests.model_server import ModelServer, model_server
from tests.proofs.crashing_server import KILLED
from tests.proofs.crowd import Crowd
from tests.proofs.installation import (
    AgentFile,
    Installation,
    NotReadyError,
    installation,
)
from tests.proofs.report import Report, seconds
from tests.proofs.verdict import Verdict, judged

RECOVERY_SECONDS = 60.0
"""How long everything that was accepted may take to its end after the last start."""
ORPHAN_SECONDS = 5.0
FUSE_SECONDS = 5.0
"""How long is waited for a commit that may never come; then the kill comes from outside."""
KILLS = (-9, KILLED)

CRASHING = "tests.proofs.crashing_server"
AGENTS = (
    AgentFile("quick"),
    AgentFile("slow", "slow"),
    AgentFile("slow-apart", "slow", "process"),
    AgentFile("streaming", "streaming"),
    AgentFile("apart", "main", "process"),
)


@final
@frozen
class AtMoment:
    """Kill -9 so many seconds after the server is ready."""

    seconds: float


@final
@frozen
class WhileStarting:
    """Kill -9 so many seconds after the process began."""

    seconds: float


@final
@frozen
class AtCommit:
    """The process ends itself `before` or `after` its commit of this number."""

    moment: str
    number: int

    def __str__(self) -> str:
        return f"{self.moment}:{self.number}"


Kill: TypeAlias = AtMoment | WhileStarting | AtCommit


def kills(count: int, seed: int) -> Iterator[Kill]:
    """Of ten kills four are at a random moment, one during the start, five around a commit.

    The commits are counted up: before and after the first, before and after the second ...
    """
    dice = Random(seed)
    commit = 0
    for number in range(count):
        match number % 10:
            case 0 | 2 | 4 | 6:
                yield AtMoment(dice.uniform(0.0, 0.5))
            case 8:
                yield WhileStarting(dice.uniform(0.02, 0.6))
            case _:
                yield AtCommit(("before", "after")[commit % 2], 1 + commit // 2)
                commit += 1


@final
@define
class Deaths:
    """What was seen of the kills and of the starts after them."""

    kills: dict[str, int] = field(factory=dict)
    at_work: int = 0
    recoveries: list[float] = field(factory=list)
    faults: list[str] = field(factory=list)

    def count(self, kill: Kill, at_work: int) -> None:
        """One kill more."""
        name = type(kill).__name__
        self.kills[name] = self.kills.get(name, 0) + 1
        self.at_work += at_work


async def prove(count: int = 200, *, senders: int = 24, seed: int = 1) -> Report:
    """Kill a server so often, under load from so many senders."""
    deaths, began = Deaths(), time.monotonic()
    with model_server() as models, installation() as here:
        bases = _bases(models)
        here.configure(bases)
        await _first_start(here)
        crowd = Crowd(here.port, [agent.name for agent in AGENTS], seed)
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as group:
                group.start_soon(crowd.run, senders)
                for kill in kills(count, seed):
                    await _die(here, kill, crowd, deaths)
                await _start(here, deaths)
                crowd.stop()
                scope.deadline = anyio.current_time() + RECOVERY_SECONDS
        if scope.cancelled_caught:
            deaths.faults.append(f"senders still waited {RECOVERY_SECONDS} s after the last start")
        await crowd.audit(RECOVERY_SECONDS)
        asked = [call for url in bases.values() for call in models.asked(url)]
    verdict = judged(crowd.turns, sorted(asked, key=lambda call: call.at), deaths.at_work)
    return _report(verdict, deaths, crowd, time.monotonic() - began)


def _bases(models: ModelServer) -> dict[str, str]:
    return {
        "main": models.at(unique=1, tag="main"),
        "slow": models.at(unique=1, latency=30, tag="slow"),
        "streaming": models.at(unique=1, interval=4, tag="streaming"),
    }


async def _first_start(here: Installation) -> None:
    here.start()
    await here.ready()
    for agent in AGENTS:
        await here.deploy(agent)


async def _die(here: Installation, kill: Kill, crowd: Crowd, deaths: Deaths) -> None:
    """Start the server if it does not run, and end it in the way that is asked for."""
    match kill:
        case AtCommit():
            await here.kill()
            deaths.at_work += crowd.at_work
            here.start(("-m", CRASHING, str(kill)))
            await _until_the_fuse_blows(here)
        case AtMoment(moment):
            if here.ended_with is not None:
                await _start(here, deaths)
            await anyio.sleep(moment)
        case WhileStarting(moment):
            await here.kill()
            deaths.at_work += crowd.at_work
            here.start()
            await anyio.sleep(moment)
    at_work = crowd.at_work
    await here.kill()
    deaths.count(kill, at_work)
    if here.ended_with not in KILLS:
        deaths.faults.append(f"the server ended by itself with {here.ended_with}: {here.log}")
    deaths.faults += await _orphans(here)


async def _until_the_fuse_blows(here: Installation) -> None:
    with anyio.move_on_after(FUSE_SECONDS):
        await here.ended()


async def _start(here: Installation, deaths: Deaths) -> None:
    began = time.monotonic()
    here.start()
    try:
        await here.ready()
    except NotReadyError as error:
        deaths.faults.append(f"the server did not start again: {error}")
        raise
    deaths.recoveries.append(time.monotonic() - began)


async def _orphans(here: Installation) -> list[str]:
    """The processes of a dead server that outlived it."""
    with anyio.move_on_after(ORPHAN_SECONDS):
        while left := here.leftovers():  # noqa: ASYNC110 - not of this loop
            await anyio.sleep(0.01)
        return []
    return [f"{process} outlived its server" for process in left]


def _report(verdict: Verdict, deaths: Deaths, crowd: Crowd, took: float) -> Report:
    ways = ", ".join(f"{count} {name}" for name, count in sorted(deaths.kills.items()))
    shown = ("accepted", "answered", "failed", "lost", "duplicated", "changed", "disordered")
    counts = {
        "kills": f"{sum(deaths.kills.values())} ({ways}) in {took:.0f} s",
        **{name: f"{getattr(verdict, name):,}" for name in shown},
        "model calls": f"{verdict.calls:,}",
        "repeated calls": f"{verdict.repeated} (at work at kills: {verdict.repeatable})",
        "start to ready": seconds(deaths.recoveries),
        "refused for a while": str(crowd.refusals or "none"),
    }
    faults = [*deaths.faults, *verdict.faults]
    if not verdict.accepted:
        faults.append("nothing was accepted: this run proves nothing")
    return Report("crash", counts, faults)
