"""The wall clock steps back and forth under load: no deadline, order or history is disturbed.

A small library, compiled here and preloaded, adds to the wall clock whatever a file says; the
monotonic clocks go on as ever. Between two starts it only steps back: to a server that is started a
month later a conversation may be over.
"""

import shutil
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import final

import anyio
from attrs import frozen

from tests.proofs import remembering
from tests.proofs.crash import AtAnyMoment
from tests.proofs.installation import AgentFile, installation
from tests.proofs.report import Report
from tests.proofs.restarts import End, Witness, tried

HOUR = 3600
STILL_SECONDS = 10.0
"""How long no answer at all means that the server waits for something that does not come."""
STEPS = (-2 * HOUR, 30 * 24 * HOUR, 0, 12 * HOUR, -30 * 24 * HOUR)
AGENTS = (
    AgentFile("quick"),
    AgentFile("hurried", "slow", more='turn_timeout = "10s"'),
    AgentFile("forgetful", conversation='idle_timeout = "5m"'),
    AgentFile("budgeted", "slow", "process", budget="tokens_per_day = 100000000"),
    AgentFile("streaming", "streaming"),
    remembering.AGENT,
)


@final
@frozen
class SteppingClock:
    """The seconds by which the wall clock of processes with this environment is wrong."""

    path: Path
    library: Path

    def step(self, seconds: int) -> None:
        """Set the clock."""
        with self.path.open("r+b") as file:
            file.write(struct.pack("q", seconds))

    @property
    def variables(self) -> dict[str, str]:
        """What a process finds in its environment."""
        return {"LD_PRELOAD": str(self.library), "CAXTON_PROOF_CLOCK": str(self.path)}


def has_compiler() -> bool:
    """Whether the library can be made."""
    return shutil.which("cc") is not None


def stepping_clock(directory: Path) -> SteppingClock:
    """Compile the library; the clock is right as yet."""
    library = directory / "clock.so"
    source = Path(__file__).with_name("stepping_clock.c")
    compiler = shutil.which("cc")
    assert compiler is not None
    flags = ("-O2", "-shared", "-fPIC", "-o", str(library), str(source), "-ldl")
    subprocess.run([compiler, *flags], check=True, capture_output=True, timeout=60)
    path = directory / "clock.step"
    path.write_bytes(struct.pack("q", 0))
    return SteppingClock(path, library)


@final
@frozen
class ClockSteps:
    """The wall clock is set, one step after the other, while the server works on."""

    clock: SteppingClock
    steps: tuple[int, ...]
    seconds: float

    async def bring(self, witness: Witness) -> None:
        """No process ends; what is promised holds all the same."""
        await witness.work()
        for step in self.steps:
            self.clock.step(step)
            before = witness.crowd.answered
            await anyio.sleep(self.seconds)
            with anyio.move_on_after(STILL_SECONDS) as still:
                while witness.crowd.answered == before:  # noqa: ASYNC110 - not of this loop
                    await anyio.sleep(0.01)
            if still.cancelled_caught:
                witness.faults.append(f"nothing was answered after a step to {step} s")


def steps(clock: SteppingClock, rounds: int, seed: int, seconds: float) -> Iterator[End]:
    """All steps in a random order; then two hours back, a kill, and a start at that time."""
    dice = Random(seed)
    for _ in range(rounds):
        yield ClockSteps(clock, (*dice.sample(STEPS, len(STEPS)), 0, -2 * HOUR), seconds)
        yield AtAnyMoment(0.0)
        yield ClockSteps(clock, (-2 * HOUR,), seconds)


async def prove(
    rounds: int = 5, *, senders: int = 24, seed: int = 1, seconds: float = 0.5
) -> Report:
    """Let the clock step so often, every so many seconds, under load from so many senders."""
    with installation() as here:
        clock = stepping_clock(here.directory)
        return await tried(
            "clock",
            steps(clock, rounds, seed, seconds),
            agents=AGENTS,
            senders=senders,
            seed=seed,
            place=here,
            **clock.variables,
        )
