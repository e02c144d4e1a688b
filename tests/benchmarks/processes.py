"""Child processes: starting them as a user would, and what they cost in CPU and memory."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter, sleep
from typing import final

import psutil
from attrs import frozen
from msgspec.json import decode, encode

from tests.benchmarks.load import Outcome, Plan

ROOT = Path(__file__).parents[2]
CAXTON = Path(sys.prefix) / "bin" / "caxton"


def environment() -> dict[str, str]:
    """The user's environment: compiled modules are kept, nothing of the product is set."""
    left = {"PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "OPENAI_API_KEY", "PYTHONUNBUFFERED"}
    kept = {name: value for name, value in os.environ.items() if name not in left}
    return {name: value for name, value in kept.items() if not name.startswith("CAXTON_")}


def wall_seconds(command: list[str], surroundings: dict[str, str], expected: int = 0) -> float:
    """From spawn to exit; the exit code must be the expected one."""
    before = perf_counter()
    ended = subprocess.run(command, env=surroundings, check=False, capture_output=True)
    taken = perf_counter() - before
    if ended.returncode != expected:
        message = f"{command} ended with {ended.returncode}: {ended.stderr.decode()}"
        raise RuntimeError(message)
    return taken


def load(plan: Plan) -> list[Outcome]:
    """Run the load generator to its end."""
    with started_load(plan) as running:
        return finished(running)


@contextmanager
def started_load(plan: Plan) -> Iterator[subprocess.Popen[bytes]]:
    """The load generator while it works."""
    command = [sys.executable, "-m", "tests.benchmarks.load"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, env=environment()
    ) as running:
        assert running.stdin is not None
        running.stdin.write(encode(plan))
        running.stdin.close()
        yield running


def finished(running: "subprocess.Popen[bytes]") -> list[Outcome]:
    """The outcomes of a started load."""
    assert running.stdout is not None
    return decode(running.stdout.read(), type=list[Outcome])


@final
@frozen
class Cpu:
    """Seconds of CPU of a process alone, and of everything below it."""

    itself: float
    children: float

    @property
    def total(self) -> float:
        """Both."""
        return self.itself + self.children

    def __sub__(self, earlier: "Cpu") -> "Cpu":
        """What was used in between (processes that ended in between are not in it)."""
        return Cpu(self.itself - earlier.itself, self.children - earlier.children)


def cpu(pid: int) -> Cpu:
    """User and system time of a process and of its living descendants."""
    process = psutil.Process(pid)
    below = (_cpu_seconds(child) for child in process.children(recursive=True))
    return Cpu(_cpu_seconds(process), sum(below))


def _cpu_seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)


def rss(pid: int) -> int:
    """Resident bytes of one process."""
    return int(psutil.Process(pid).memory_info().rss)


def private_memory(pid: int) -> int:
    """Bytes that would be free if this process ended."""
    return int(psutil.Process(pid).memory_full_info().uss)


def descendants(pid: int) -> list[int]:
    """All processes below this one."""
    return [child.pid for child in psutil.Process(pid).children(recursive=True)]


def wait_until_idle(pid: int, seconds: float = 10.0) -> None:
    """Wait until a process tree uses no CPU (bounded): memory is read when nothing moves."""
    limit = perf_counter() + seconds
    before = cpu(pid).total
    while perf_counter() < limit:
        sleep(0.3)
        now = cpu(pid).total
        if now - before < 0.02:
            return
        before = now
