"""Whether what has to last can be stored, and a way to find out where nobody stores anything."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final, Protocol

import anyio

from caxton_adapters.database import DatabaseHealth
from caxton_adapters.health.component import Component, Part, Status
from caxton_core.ports import Clock

SILENCE: Final = timedelta(seconds=30)
"""After so long without a change the database is tried."""
PAUSE: Final = 1.0


class Stored(Protocol):
    """The part of the database that tells how it fares."""

    @property
    def health(self) -> DatabaseHealth:
        """How the last changes went."""
        ...

    def probe(self) -> Awaitable[DatabaseHealth]:
        """The health after a small change that was tried just now."""
        ...


def database(health: Callable[[], DatabaseHealth]) -> Part:
    """Whether the last change of the database succeeded."""

    def look() -> Component:
        found = health()
        facts = {"last_success": found.succeeded.isoformat(timespec="milliseconds")}
        if found.error is None:
            return Component("database", facts=facts)
        return Component("database", Status.FAIL, found.error, facts)

    return look


async def keep_probing(stored: Stored, clock: Clock, pause: float = PAUSE) -> None:
    """Try the database while it fails or is silent: a server that takes nothing new stores nothing.

    So it is found out when it works again.
    """
    while True:
        await anyio.sleep(pause)
        health = stored.health
        if health.failing or clock.now() - health.succeeded > SILENCE:
            await stored.probe()
