"""The power is lost: what the disk had been told to keep is all that there is afterwards.

The server is stopped in the middle of its work, the image under its file system is copied as it is
at that moment, and the next server works on the copy. Needs root and loop devices.
"""

import signal
from collections.abc import Iterator
from random import Random
from typing import final

import anyio
from anyio.to_thread import run_sync
from attrs import frozen

from tests.proofs.disks import LoopDisk, loop_disk
from tests.proofs.installation import installation
from tests.proofs.report import Report
from tests.proofs.restarts import End, Witness, tried


@final
@frozen
class PowerLost:
    """So many seconds after the server is ready."""

    disk: LoopDisk
    seconds: float

    async def bring(self, witness: Witness) -> None:
        """Stop it, keep what the device has, forget the rest."""
        await witness.work()
        await anyio.sleep(self.seconds)
        witness.here.signal(signal.SIGSTOP)
        copy = await run_sync(self.disk.freeze)
        await witness.kill()
        await witness.gone()
        await run_sync(self.disk.replace, copy)


def losses(disk: LoopDisk, count: int, seed: int) -> Iterator[End]:
    """At random moments."""
    dice = Random(seed)
    for _ in range(count):
        yield PowerLost(disk, dice.uniform(0.1, 0.8))


async def prove(count: int = 12, *, senders: int = 24, seed: int = 1) -> Report:
    """Lose the power so often, under load from so many senders."""
    with installation() as here, loop_disk(here.directory, here.data) as disk:
        report = await tried(
            "power", losses(disk, count, seed), senders=senders, seed=seed, place=here
        )
        here.close()
    return report
