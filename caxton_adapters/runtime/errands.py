"""Work beside the turns, begun from anywhere: also from a callback, where no task runs.

A task group of anyio does not begin a task there unless anyio runs the loop, and programs that
embed the runtime run it themselves.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import TypeVarTuple, final

from attrs import define, field

Ts = TypeVarTuple("Ts")


@final
@define(eq=False)
class Errands:
    """Tasks of one owner, who ends them; one that fails is told to the loop, as a defect."""

    _tasks: set[asyncio.Task[None]] = field(factory=set, init=False)
    _loop: asyncio.AbstractEventLoop = field(factory=asyncio.get_running_loop, init=False)

    def start_soon(
        self, errand: Callable[[*Ts], Coroutine[object, object, object]], *args: *Ts
    ) -> None:
        """Begin one."""
        task = self._loop.create_task(_nothing_of(errand(*args)))
        self._tasks.add(task)
        task.add_done_callback(self._over)

    async def cancel(self) -> None:
        """End all that are left, and wait until they have ended."""
        left = tuple(self._tasks)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def _over(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        failed = None if task.cancelled() else task.exception()
        if failed is not None:
            told = {"message": "work beside the turns failed", "exception": failed, "task": task}
            self._loop.call_exception_handler(told)


async def _nothing_of(errand: Coroutine[object, object, object]) -> None:
    await errand
