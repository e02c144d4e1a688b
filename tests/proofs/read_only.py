"""What is written to can only be read: under a server that runs, and before one starts.

The file system meets an error and turns read-only, as ext4 does; then it is repaired. Needs root
and loop devices.
"""

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
        await here.begin({"main": base}, [AGENT])
        crowd = Crowd(here.port, [AGENT.name], turns_each=4)
        with anyio.move_on_after(RECOVERY_SECONDS * 3) as scope:
            async with anyio.create_task_group() as group:
                group.start_soon(crowd.run, senders)
                await anyio.sleep(seconds)
                await run_sync(disk.abort)
                faults += await _while_read_only(here, crowd)
                at_work = len(crowd.begun)
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
        verdict = judged(crowd.turns, models.asked(base), at_work)
    counts = {
        "accepted": f"{verdict.accepted:,}",
        "answered": f"{verdict.answered:,}",
        "lost": f"{verdict.lost:,}",
        "refusals": str(crowd.refusals),
    }
    return Report("read-only", counts, [*faults, *verdict.faults])


def _repaired(disk: LoopDisk) -> None:
    disk.unmount()
    disk.mount()


async def _while_read_only(here: Installation, crowd: Crowd) -> list[str]:
    asking = Asking(here)
    with anyio.move_on_after(NOTICED_SECONDS):
        faults = refused_well(await asking.say(AGENT.name, "turn 1 of new", "new", "new"))
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
