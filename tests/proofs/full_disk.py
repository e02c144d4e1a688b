"""The disk is full, then not: new work is refused, the rest goes on, and nobody restarts anything.

Where we may mount, it is a small file system filled to its last byte, the server's log on it too.
Elsewhere no file of the server may grow; room that is kept for deletions does not help there.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import anyio
from attrs import define, field

from tests.model_server import model_server
from tests.proofs.asking import Asking, refused_well
from tests.proofs.connection import Gone
from tests.proofs.crowd import Crowd
from tests.proofs.disks import FileSizeLimit, Room, SmallDisk, may_mount, small_disk
from tests.proofs.installation import AgentFile, Installation, installation
from tests.proofs.report import Report
from tests.proofs.verdict import judged

NOTICED_SECONDS = 10.0
RECOVERY_SECONDS = 15.0
AGENTS = (AgentFile("quick"), AgentFile("apart", isolation="process"))
PROBED = AgentFile("probed", "probes")
SPARE = AgentFile("spare")
READ = ("/agents", "/agents/quick", "/health", "/health/live")


@define
class _Seen:
    faults: list[str] = field(factory=list)
    refused: str = ""
    back: float = 0.0


@contextmanager
def _room(here: Installation) -> Iterator[Room]:
    if may_mount():
        here.environment = {"CAXTON_LOG_FILE": str(here.data / "server.log")}
        with small_disk(here.data) as disk:
            yield disk
            here.close()
    else:
        yield FileSizeLimit(here)


async def prove(seconds: float = 2.0, *, senders: int = 12) -> Report:
    """Work, be full, and work again, for so many seconds each."""
    seen = _Seen()
    with model_server() as models, installation() as here, _room(here) as room:
        base = models.at(unique=1, tag="full")
        await here.begin({"main": base, "probes": models.url}, (*AGENTS, PROBED, SPARE))
        crowd = Crowd(here.port, [agent.name for agent in AGENTS], turns_each=4)
        with anyio.move_on_after(RECOVERY_SECONDS * 3 + seconds * 3):
            async with anyio.create_task_group() as group:
                group.start_soon(crowd.run, senders)
                await anyio.sleep(seconds)
                room.take()
                await _while_full(here, crowd, seen)
                if isinstance(room, SmallDisk):
                    await _delete(here, seen)
                await anyio.sleep(seconds)
                room.give_back()
                await _afterwards(here, seen)
                await anyio.sleep(seconds)
                crowd.stop()
        await crowd.audit(RECOVERY_SECONDS)
        await here.kill()
        here.start()
        await here.ready()
        await crowd.audit(RECOVERY_SECONDS)
        # A step that could not be recorded is taken again: what counts is one answer.
        asked = models.asked(base)
        verdict = judged(crowd.turns, asked, len(asked))
        if isinstance(room, SmallDisk) and await Asking(here).status("/agents/spare") != "404":
            seen.faults.append("an agent that was deleted is there again")
    counts = {
        "way": type(room).__name__,
        "accepted": f"{verdict.accepted:,}",
        "answered": f"{verdict.answered:,}",
        "lost": f"{verdict.lost:,}",
        "refused with": seen.refused,
        "refusals": str(crowd.refusals),
        "back after": f"{seen.back:.2f} s",
    }
    return Report("full-disk", counts, [*seen.faults, *verdict.faults])


async def _while_full(here: Installation, crowd: Crowd, seen: _Seen) -> None:
    asking = Asking(here)
    with anyio.move_on_after(NOTICED_SECONDS) as noticed:
        reply = await asking.say(PROBED.name, "turn 1 of full", "full", "full")
        while reply.status == 200:
            reply = await asking.say(PROBED.name, "turn 1 of full", f"full-{time.monotonic_ns()}")
    if noticed.cancelled_caught:
        seen.faults.append(f"new work is neither taken nor refused after {NOTICED_SECONDS} s")
    else:
        seen.faults += refused_well(reply)
        seen.refused = f"{reply.status} {reply.code}, come back in {reply.headers['retry-after']} s"
    answered = next(turn for turn in crowd.turns if turn.state == "answered")
    for path in (*READ, f"/messages/{answered.ids[0]}"):
        status = await asking.status(path)
        if status != "200" and not (path == "/health" and status == "503"):
            seen.faults.append(f"while the disk is full, GET {path} is answered {status}")


async def _delete(here: Installation, seen: _Seen) -> None:
    deleted = await Asking(here).delete(SPARE.name)
    if deleted.status != 204:
        seen.faults.append(f"while the disk is full, DELETE is answered {deleted.body[:200]!r}")


async def _afterwards(here: Installation, seen: _Seen) -> None:
    asking, began = Asking(here), time.monotonic()
    while time.monotonic() - began < RECOVERY_SECONDS:
        try:
            reply = await asking.say(PROBED.name, "turn 1 of after", "after", "after")
        except Gone as gone:
            seen.faults.append(f"the server went away: {gone}; {here.log}")
            return
        if reply.status == 200:
            seen.back = time.monotonic() - began
            return
        await anyio.sleep(0.05)
    seen.faults.append(f"no new work {RECOVERY_SECONDS} s after there was space again")
