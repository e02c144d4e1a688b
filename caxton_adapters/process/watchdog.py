"""Signs of life from the event loop: a loop that is stuck sends none and is restarted."""

import anyio

from caxton_adapters.process.server_process import ServerProcess


async def keep_alive(process: ServerProcess) -> None:
    """Feed the supervisor's watchdog until cancelled; return at once where there is none."""
    if process.watchdog_period is None:
        return
    while True:
        process.alive()
        await anyio.sleep(process.watchdog_period)
