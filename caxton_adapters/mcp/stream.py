"""What every stream of messages has in common: leaving its block closes it."""

from types import TracebackType
from typing import Self


class Stream:
    """A stream that the library may enter and leave."""

    async def aclose(self) -> None:
        """Take or give no more messages."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        await self.aclose()
