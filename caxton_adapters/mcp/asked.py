"""What a server asks of Caxton: no more of it at once than it takes the answers to.

The library has a task for each request of a server until its answer is written, and one that asks
without end and reads nothing would have it keep all of them. What such a server writes further
stays where it is, and when it goes on, the connection ends.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import replace
from typing import Final, Self, TypeAlias, final

import anyio
from attrs import define, field
from mcp.client import Transport
from mcp.shared._stream_protocols import ReadStream, WriteStream
from mcp.shared.message import SessionMessage
from mcp_types import JSONRPCError, JSONRPCRequest, JSONRPCResponse

from caxton_adapters.mcp.brief import TooLarge, brief, weight
from caxton_adapters.mcp.ending import Ending
from caxton_adapters.mcp.stream import Stream

MOST_WAITING: Final = 32
"""As many answers may wait to be taken."""
_HEAVIEST: Final = 5_000
"""Of a request, in values and hundreds of characters."""

_Incoming: TypeAlias = SessionMessage | Exception
_Streams: TypeAlias = tuple[ReadStream[_Incoming], WriteStream[SessionMessage]]


@asynccontextmanager
async def only_so_much_asked(
    transport: Transport, ending: Ending, patience: float
) -> AsyncIterator[_Streams]:
    """The same way; its end is told when answers are not taken for so many seconds."""
    async with transport as (read, write):
        waiting = _Waiting(ending, patience)
        yield _Asking(read, waiting), _Answering(write, waiting)


@final
@define(eq=False)
class _Waiting:
    """How many answers wait."""

    _ending: Ending
    _patience: float
    count: int = field(default=0, init=False)
    _fewer: anyio.Event = field(factory=anyio.Event, init=False)

    @contextmanager
    def one_more(self) -> Iterator[None]:
        """Count one until the block is left."""
        self.count += 1
        try:
            yield
        finally:
            self.count -= 1
            fewer, self._fewer = self._fewer, anyio.Event()
            fewer.set()

    async def have_room(self) -> None:
        """Return when there may be one more; raises `EndOfStream` when that takes too long."""
        if self.count < MOST_WAITING:
            return
        with anyio.move_on_after(self._patience):
            while self.count >= MOST_WAITING:
                await self._fewer.wait()
        if self.count >= MOST_WAITING:
            self._ending.tell("it asks, and does not take the answers")
            raise anyio.EndOfStream


@final
@define(eq=False)
class _Asking(Stream):
    """The messages of the server, as far as it takes answers."""

    _stream: ReadStream[_Incoming]
    _waiting: _Waiting

    async def receive(self) -> _Incoming:
        """The next message; raises what the stream raises."""
        await self._waiting.have_room()
        return _lighter(await self._stream.receive())

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> _Incoming:
        try:
            await self._waiting.have_room()
        except anyio.EndOfStream:
            raise StopAsyncIteration from None
        return _lighter(await self._stream.__anext__())

    async def aclose(self) -> None:
        """Take no more messages."""
        await self._stream.aclose()


@final
@define(eq=False)
class _Answering(Stream):
    """Messages for the server, of which answers are counted until they are taken."""

    _stream: WriteStream[SessionMessage]
    _waiting: _Waiting

    async def send(self, item: SessionMessage, /) -> None:
        """Write one message; raises what the stream raises."""
        is_answer = isinstance(item.message, JSONRPCResponse | JSONRPCError)
        with self._waiting.one_more() if is_answer else nullcontext():
            await self._stream.send(item)

    async def aclose(self) -> None:
        """Write no more messages."""
        await self._stream.aclose()


def _lighter(item: _Incoming) -> _Incoming:
    """The message; a request that would weigh too much while it waits is one for nothing."""
    if not isinstance(item, SessionMessage) or not isinstance(item.message, JSONRPCRequest):
        return item
    if _is_heavy(item.message.params):
        return replace(item, message=item.message.model_copy(update={"params": None}))
    return item


def _is_heavy(params: object) -> bool:
    try:
        return weight(brief(params)) > _HEAVIEST
    except TooLarge:
        return True
