"""The disk fails now and then: what was answered with 2xx is there, whatever failed.

libfiu (Debian: fiu-utils) makes every twentieth fdatasync and pwrite fail with an I/O error.
"""

import shutil
import sqlite3

import anyio

from tests.model_server import model_server
from tests.proofs.crowd import Crowd
from tests.proofs.installation import AgentFile, Installation, NotReadyError, installation
from tests.proofs.report import Report
from tests.proofs.verdict import judged

RECOVERY_SECONDS = 30.0
POINTS = ("posix/io/sync/fdatasync", "posix/io/rw/pwrite")
AGENTS = (AgentFile("quick"), AgentFile("slow", "slow"), AgentFile("apart", isolation="process"))


def has_libfiu() -> bool:
    """Whether failures can be injected."""
    return shutil.which("fiu-run") is not None


def failing(probability: float) -> tuple[str, ...]:
    """The program under which a share of the calls fails; without pipes that nobody removes."""
    enabled = (f"enable_random name={point},probability={probability}" for point in POINTS)
    return ("fiu-run", "-x", "-f", "", *(word for each in enabled for word in ("-c", each)))


async def prove(seconds: float = 8.0, *, senders: int = 16, probability: float = 0.05) -> Report:
    """Work so long on a disk that fails, then on one that does not."""
    faults: list[str] = []
    answered = at_work = 0
    with model_server() as models, installation() as here:
        bases = {name: models.at(unique=1, tag=name, latency=ms) for name, ms in _LATENCIES}
        await here.begin(bases, AGENTS)
        await here.kill()
        crowd = Crowd(here.port, [agent.name for agent in AGENTS], turns_each=4)
        with anyio.move_on_after(seconds + RECOVERY_SECONDS) as scope:
            async with anyio.create_task_group() as group:
                await _start_under(here, failing(probability))
                group.start_soon(crowd.run, senders)
                await anyio.sleep(seconds)
                if here.ended_with is not None:
                    faults.append(f"the server ended with {here.ended_with}: {here.log}")
                answered, at_work = crowd.answered, len(crowd.begun)
                await here.kill()
                here.start()
                await here.ready()
                crowd.stop()
        if scope.cancelled_caught:
            faults.append(f"senders still wait {RECOVERY_SECONDS} s after the last error")
        await crowd.audit(RECOVERY_SECONDS)
        asked = [call for url in bases.values() for call in models.asked(url)]
        sound = integrity(here)
    # A step whose record failed is taken again, so its call is made again: what counts is that
    # there is one answer and one history.
    verdict = judged(crowd.turns, sorted(asked, key=lambda call: call.at), len(asked))
    faults += [f"the database is damaged: {sound}"] if sound != "ok" else []
    faults += [] if answered else ["nothing was answered while the disk failed"]
    counts = {
        "failing": f"{probability:.0%} of fdatasync and pwrite for {seconds:g} s",
        "accepted": f"{verdict.accepted:,} ({answered:,} answered meanwhile)",
        "answered": f"{verdict.answered:,}",
        "lost": f"{verdict.lost:,}",
        "repeated calls": f"{verdict.repeated} ({at_work} at work at the end)",
        "refused": str(crowd.refusals),
        "integrity": sound,
    }
    return Report("io-errors", counts, [*faults, *verdict.faults])


_LATENCIES = (("main", 0), ("slow", 30))


async def _start_under(here: Installation, before: tuple[str, ...]) -> None:
    """Start on the failing disk; where that fails too, again."""
    for _ in range(20):
        here.start(before=before)
        try:
            await here.ready()
        except NotReadyError:
            continue
        return
    await here.ready()


def integrity(here: Installation) -> str:
    """What SQLite says of the file."""
    connection = sqlite3.connect(here.database)
    try:
        (said,) = connection.execute("PRAGMA integrity_check").fetchone()
    finally:
        connection.close()
    return str(said)
