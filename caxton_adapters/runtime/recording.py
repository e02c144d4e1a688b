"""Recording what has to be recorded, whatever the store does meanwhile."""

from typing import Final

import anyio
from returns.result import Failure

from caxton_core.events import TurnEvent
from caxton_core.ports import Journal

_SHORTEST_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 1.0


async def recorded(journal: Journal, *events: TurnEvent) -> None:
    """Have the events recorded, however long the store takes to be usable again."""
    pause = _SHORTEST_PAUSE
    while isinstance(await journal.append(*events), Failure):
        await anyio.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)
