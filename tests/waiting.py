"""Waiting for what another task or process does, never longer than a bound."""

from collections.abc import Callable
from time import perf_counter, thread_time

import anyio

GLANCE = 0.005
PATIENCE = 20.0
WORK = 0.2


async def until(true: Callable[[], bool]) -> None:
    """Return when it is true, fail when it does not become true."""
    with anyio.fail_after(PATIENCE):
        while not true():  # noqa: ASYNC110 - what is waited for is outside this loop
            await anyio.sleep(GLANCE)


def slowness() -> float:
    """How many times longer than its own work a busy process takes now; 1 on a quiet machine."""
    began, worked = perf_counter(), thread_time()
    while thread_time() - worked < WORK:
        pass
    return (perf_counter() - began) / WORK
