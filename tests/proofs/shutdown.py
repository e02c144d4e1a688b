"""Told to end at any moment: exit code 0 in time, and what was accepted is finished, now or later.

A second signal ends at once, with the same promise.
"""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from random import Random
from typing import final

import anyio
from attrs import frozen

from tests.proofs.installation import AgentFile
from tests.proofs.report import Report
from tests.proofs.restarts import AGENTS, End, Witness, tried

DRAIN_SECONDS = 0.5
"""Shorter than the slowest model takes: some of the work has to wait for the next start."""
SLACK_SECONDS = 5.0
"""What a loaded machine may add to a drain."""
AT_ONCE_SECONDS = 2.0


@final
@frozen
class Told:
    """SIGTERM so many seconds after the server is ready."""

    seconds: float

    async def bring(self, witness: Witness) -> None:
        """It drains and ends well."""
        await _work(witness, self.seconds)
        began = time.monotonic()
        witness.here.signal(signal.SIGTERM)
        await _see_the_end(witness, 0, began, DRAIN_SECONDS + SLACK_SECONDS)


@final
@frozen
class ToldTwice:
    """SIGTERM, and again a moment later."""

    seconds: float
    between: float

    async def bring(self, witness: Witness) -> None:
        """It ends at once."""
        await _work(witness, self.seconds)
        witness.here.signal(signal.SIGTERM)
        await anyio.sleep(self.between)
        again = witness.here.ended_with is None
        began = time.monotonic()
        witness.here.signal(signal.SIGTERM)
        code = 128 + signal.SIGTERM if again else 0
        await _see_the_end(witness, code, began, AT_ONCE_SECONDS)


@final
@frozen
class Stopped:
    """`caxton server stop` so many seconds after the server is ready."""

    seconds: float

    async def bring(self, witness: Witness) -> None:
        """The command waits for the end and says 0."""
        await _work(witness, self.seconds)
        began = time.monotonic()
        flags = ("--data-dir", str(witness.here.data))
        command = [sys.executable, "-m", "caxton_cli", "server", "stop", *flags]
        stopped = await anyio.run_process(command, check=False, stdin=subprocess.DEVNULL)
        if stopped.returncode != 0:
            witness.faults.append(f"`server stop` ended with {stopped.returncode}")
        await _see_the_end(witness, 0, began, DRAIN_SECONDS + SLACK_SECONDS)


async def _work(witness: Witness, seconds: float) -> None:
    await witness.work()
    await anyio.sleep(seconds)


async def _see_the_end(witness: Witness, code: int, began: float, limit: float) -> None:
    witness.died()
    try:
        ended = await witness.here.ended()
    except TimeoutError:
        witness.faults.append(f"the server had not ended after 30 s: {witness.here.log}")
        return
    took = time.monotonic() - began
    if ended != code:
        witness.faults.append(f"ended with {ended}, not {code}: {witness.here.log}")
    if took > limit:
        witness.faults.append(f"took {took:.1f} s to end, more than {limit} s")


def ends(count: int, seed: int) -> Iterator[End]:
    """Half of them one signal, a third two, the others the command."""
    dice = Random(seed)
    for number in range(count):
        moment = dice.uniform(0.0, 0.6)
        match number % 6:
            case 1 | 3:
                yield ToldTwice(moment, dice.uniform(0.0, 0.3))
            case 2:
                yield Stopped(moment)
            case _:
                yield Told(moment)


async def prove(count: int = 24, *, senders: int = 24, seed: int = 1) -> Report:
    """End a server so often, under load from so many senders."""
    agents = (*AGENTS, AgentFile("late", "late"))
    drain = f"{DRAIN_SECONDS * 1000:.0f}ms"
    return await tried(
        "shutdown",
        ends(count, seed),
        agents=agents,
        senders=senders,
        seed=seed,
        CAXTON_DRAIN_TIMEOUT=drain,
    )
