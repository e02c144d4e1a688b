"""Waiting for what another task or process does, never longer than a bound."""

from collections.abc import Callable

import anyio

GLANCE = 0.005
PATIENCE = 20.0


async def until(true: Callable[[], bool]) -> None:
    """Return when it is true, fail when it does not become true."""
    with anyio.fail_after(PATIENCE):
        while not true():  # noqa: ASYNC110 - what is waited for is outside this loop
            await anyio.sleep(GLANCE)
