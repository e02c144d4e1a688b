"""Waiting for what another task or process does, never longer than a bound."""

from collections.abc import Callable
from time import perf_counter, sleep, thread_time
from typing import TypeVar

import anyio

T = TypeVar("T")

GLANCE = 0.005
PATIENCE = 20.0
WORK = 0.2


async def until(true: Callable[[], bool]) -> None:
    """Return when it is true, fail when it does not become true."""
    with anyio.fail_after(PATIENCE):
        while not true():  # noqa: ASYNC110 - what is waited for is outside this loop
            await anyio.sleep(GLANCE)


def wait_for(find: Callable[[], T | None]) -> T:
    """What is found, from outside of any event loop; fails when it is not found in time."""
    until_then = perf_counter() + PATIENCE
    while (found := find()) is None:
        assert perf_counter() < until_then, "it did not come in time"
        sleep(10 * GLANCE)
    return found


def slowness() -> float:
    """How many times longer than its own work a busy process takes now; 1 on a quiet machine."""
    began, worked = perf_counter(), thread_time()
    while thread_time() - worked < WORK:
        pass
    return (perf_counter() - began) / WORK
