"""The warden kills what it watches when its owner is gone, and nothing else."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from caxton_adapters.mcp.warden import Warden
from tests.mcp_server.serving import ended
from tests.waiting import until

SLEEPER = [sys.executable, "-I", "-S", "-c", "import time; time.sleep(10**6)"]


@pytest.fixture
def sleepers() -> Iterator[list[int]]:
    """Two groups of one process each, which are nobody's after the test."""
    started = [subprocess.Popen(SLEEPER, start_new_session=True) for _ in range(2)]
    yield [process.pid for process in started]
    for process in started:
        process.kill()
        process.wait()


def guardians() -> list[int]:
    living = (each for each in psutil.Process().children() if each.status() != psutil.STATUS_ZOMBIE)
    return [each.pid for each in living if "guardian.py" in " ".join(each.cmdline())]


async def test_what_is_watched_ends_with_the_warden_and_the_rest_does_not(
    sleepers: list[int],
) -> None:
    watched, forgotten = sleepers
    warden = Warden()
    assert guardians() == []
    warden.watch(watched)
    warden.watch(forgotten)
    await until(lambda: len(guardians()) == 1)  # its command line shows a moment after its start
    warden.forget(forgotten)
    warden.close()
    await ended(watched)
    assert psutil.pid_exists(forgotten)
    assert guardians() == []


async def test_a_warden_that_was_killed_is_replaced_and_told_everything(
    sleepers: list[int],
) -> None:
    first, second = sleepers
    warden = Warden()
    warden.watch(first)
    await until(lambda: len(guardians()) == 1)
    (guardian,) = guardians()
    os.kill(guardian, signal.SIGKILL)
    await ended(guardian)
    warden.watch(second)
    warden.close()
    await ended(first, second)
