"""Messages that ended long ago are removed, where the operator wants them to be."""

import logging
from datetime import timedelta
from typing import Final

import anyio
from returns.result import Failure

from caxton_adapters.runtime.archive import Archive
from caxton_core.primitives import Duration

PERIOD: Final = 3600.0
_LOG: Final = logging.getLogger("caxton.runtime")


async def keep_for(archive: Archive, age: Duration, *, period: float = PERIOD) -> None:
    """Remove what ended longer ago, now and after every `period` (seconds), until cancelled."""
    while True:
        await remove_older(archive, age)
        await anyio.sleep(period)


async def remove_older(archive: Archive, age: Duration) -> None:
    """Remove what ended longer ago; where the disk does not let us, the next round tries."""
    before = archive.runtime.world.clock.now() - timedelta(seconds=age.value)
    removed = await archive.forget_ended(before)
    if isinstance(removed, Failure):
        _LOG.warning("old messages could not be removed: %s", removed.failure().why)
    elif removed.unwrap():
        _LOG.info("%d messages were removed that ended before %s", removed.unwrap(), before)
