"""kill -9 at any moment, during the start, and before and after every commit: nothing is lost."""

from collections.abc import Iterator
from random import Random
from typing import final

import anyio
from attrs import frozen

from tests.proofs.crashing_server import KILLED
from tests.proofs.report import Report
from tests.proofs.restarts import End, Witness, tried

FUSE_SECONDS = 5.0
"""How long is waited for a commit that may never come; then the kill comes from outside."""
CRASHING = "tests.proofs.crashing_server"


@final
@frozen
class AtAnyMoment:
    """Kill -9 so many seconds after the server has recovered."""

    seconds: float

    async def bring(self, witness: Witness) -> None:
        """Let it work for a while."""
        await witness.work()
        await anyio.sleep(self.seconds)
        await witness.kill()


@final
@frozen
class WhileItStarts:
    """Kill -9 so many seconds after the process began."""

    seconds: float

    async def bring(self, witness: Witness) -> None:
        """Do not wait until it is ready."""
        await witness.kill()
        witness.here.start()
        await anyio.sleep(self.seconds)
        await witness.kill()


@final
@frozen
class AtACommit:
    """The process ends itself `before` or `after` its commit of this number."""

    moment: str
    number: int

    async def bring(self, witness: Witness) -> None:
        """Start it with a fuse, and let its own commits burn it."""
        await witness.kill()
        witness.here.start(("-m", CRASHING, f"{self.moment}:{self.number}"))
        with anyio.move_on_after(FUSE_SECONDS):
            code = await witness.here.ended()
            if code != KILLED:
                witness.faults.append(f"ended with {code}, not by its fuse: {witness.here.log}")
        witness.died()
        await witness.kill()


def kills(count: int, seed: int) -> Iterator[End]:
    """Of ten kills four are at a random moment, one during the start, five around a commit.

    The commits are counted up: before and after the first, before and after the second ...
    """
    dice = Random(seed)
    commit = 0
    for number in range(count):
        match number % 10:
            case 0 | 2 | 4 | 6:
                yield AtAnyMoment(dice.uniform(0.0, 0.5))
            case 8:
                yield WhileItStarts(dice.uniform(0.02, 0.6))
            case _:
                yield AtACommit(("before", "after")[commit % 2], 1 + commit // 2)
                commit += 1


async def prove(count: int = 200, *, senders: int = 24, seed: int = 1) -> Report:
    """Kill a server so often, under load from so many senders."""
    return await tried("crash", kills(count, seed), senders=senders, seed=seed)
