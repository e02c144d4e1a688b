"""Why a connection ended, told by whoever notices it first."""

from typing import final

import anyio
from attrs import define, field


@final
@define(eq=False)
class Ending:
    """Set once; the first reason counts."""

    why: str = field(default="", init=False)
    _told: anyio.Event = field(factory=anyio.Event, init=False)

    @property
    def is_told(self) -> bool:
        """Whether the connection has ended."""
        return self._told.is_set()

    def tell(self, why: str) -> None:
        """Say that it ended."""
        if not self._told.is_set():
            self.why = why
            self._told.set()

    async def wait(self) -> None:
        """Return when it has ended."""
        await self._told.wait()
