"""What is written to can only be read: under a server that runs, and before one starts.

The file system meets an error and turns read-only, as ext4 does; then it is repaired. Needs root
and loop devices.
"""

import signal

import anyio
from anyio.to_thread import run_sync

from tests.model_server import model_server
from tests.proofs.asking import Asking, refused_well
from tests.proofs.crowd import Crowd
from tests.proofs.damage import REFUSED
from tests.proofs.disks import LoopDisk, loop_disk
from tests.proofs.installation import AgentFile, Installation, NotReadyError, installation
from tests.proofs.report import Report
from tests.proofs.verdict import judged

AGENT = AgentFile("quick")
PROBED = AgentFile("probed", "probes")
STOPPED_SECONDS = 0.3
"""Until every thread of a stopped server has come back from the kernel."""
NOTICED_SECONDS = 10.0
RECOVERY_SECONDS = 15.0


async def prove(seconds: float = 1.0, *, senders: int = 8) -> Report:
    """Work, turn read-only, repair, and work again."""
    faults: list[str] = []
    with (
        model_server() as models,
        installation() as here,
        loop_disk(here.directory, here.data) as disk,
    ):
        base = models.at(unique=1, tag="read-only")
        await here.begin({"main": base, "probes": models.url}, [AGENT, PROBED])
        crowd = Crowd(here.port, [AGENT.name], turns_each=4)
        with anyio.move_on_after(RECOVERY_SECONDS * 3) as scope:
            async with anyio.create_task_group() as group:
                group.start_soon(crowd.run, senders)
                await anyio.sleep(seconds)
                await _turned_read_only(here, disk)
                faults += await _while_read_only(here, crowd)
                await here.kill()
                faults += await _start_is_refused(here)
                await run_sync(_repaired, disk)
                here.start()
                await here.ready()
                await anyio.sleep(seconds)
                crowd.stop()
        if scope.cancelled_caught:
            faults.append("senders still wait after the repair")
        await crowd.audit(RECOVERY_SECONDS)
        here.close()
        asked = models.asked(base)
    # A step that could not be recorded is taken again: what counts is one answer, one history.
    verdict = judged(crowd.turns, asked, len(asked))
    counts = {
        "accepted": f"{verdict.accepted:,}",
        "answered": f"{verdict.answered:,}",
        "lost": f"{verdict.lost:,}",
        "refusals": str(crowd.refusals),
    }
    return Report("read-only", counts, [*faults, *verdict.faults])


async def _turned_read_only(here: Installation, disk: LoopDisk) -> None:
    """Between two system calls of the server: half-way ext4 says yes to what it cannot keep."""
    here.signal(signal.SIGSTOP)
    await anyio.sleep(STOPPED_SECONDS)
    await run_sync(disk.abort)
    here.signal(signal.SIGCONT)


def _repaired(disk: LoopDisk) -> None:
    disk.unmount()
    disk.mount()


async def _while_read_only(here: Installation, crowd: Crowd) -> list[str]:
    asking = Asking(here)
    with anyio.move_on_after(NOTICED_SECONDS):
        faults = refused_well(await asking.say(PROBED.name, "turn 1 of new", "new", "new"))
        answered = next(turn for turn in crowd.turns if turn.state == "answered")
        for path in ("/agents", "/health/live", f"/messages/{answered.ids[0]}"):
            status = await asking.status(path)
            if status != "200":
                faults.append(f"while nothing can be written, GET {path} is answered {status}")
        return faults
    return [f"new work is neither taken nor refused after {NOTICED_SECONDS} s"]


async def _start_is_refused(here: Installation) -> list[str]:
    here.start()
    try:
        await here.ready()
    except NotReadyError:
        said = here.log
        if here.ended_with == REFUSED and "CX2" in said and "Traceback" not in said:
            return []
        return [f"the start was not refused in words: {here.ended_with} {said}"]
    await here.kill()
    return ["a server started where nothing can be written"]
