"""`/events`: what happens on the server, as it happens."""

from functools import partial
from typing import Final, final

import anyio
from attrs import field, frozen

from caxton_adapters.rest import problem, sse
from caxton_adapters.rest.event_body import named
from caxton_adapters.rest.exchange import Answered, Asked, Streamed, WriteChunk, refusal
from caxton_adapters.rest.problem import Refused, retry_after
from caxton_adapters.rest.refusals import of_runtime
from caxton_adapters.runtime.feed import Dropped, EventFeed, Listener, Missed, Told
from caxton_adapters.runtime.refusals import Draining

_DIGITS: Final = 19
_REMEMBERED: Final = 512
_DROPPED: Final = sse.event(b"dropped", {"why": "the client reads more slowly than things happen"})


@final
@frozen
class Written:
    """The last events as they stand on the wire: each is written out once for all listeners."""

    _by_number: dict[int, bytes] = field(factory=dict)

    def __len__(self) -> int:
        return len(self._by_number)

    def of(self, told: Told) -> bytes:
        """The event as it is sent."""
        known = self._by_number.get(told.number)
        if known is None:
            known = sse.numbered(told.number, *named(told.event))
            self._by_number[told.number] = known
            if len(self._by_number) > _REMEMBERED:
                del self._by_number[next(iter(self._by_number))]
        return known


@final
@frozen
class Events:
    """The resource `/events`."""

    feed: EventFeed
    most: int
    heartbeat: float
    _written: Written = field(factory=Written, init=False)

    def listen(self, asked: Asked) -> Answered:
        """Every event from now on, or from the one after `Last-Event-ID`."""
        if self.feed.ended:
            return refusal(of_runtime(Draining()), asked.context)
        if self.feed.listeners >= self.most:
            detail = f"{self.most} clients listen already, as many as may."
            refused = Refused(503, problem.TOO_MANY_LISTENERS, detail, headers=(retry_after(5),))
            return refusal(refused, asked.context)
        if asked.method == "HEAD":
            return Streamed(_nothing)
        last = asked.headers.get(b"last-event-id", b"")
        listener = self.feed.listen(int(last) if last.isdigit() and len(last) < _DIGITS else None)
        asked.on_leave(listener.end)
        return Streamed(partial(self._tell, listener))

    async def _tell(self, listener: Listener, write: WriteChunk) -> None:
        await write(sse.KEEP_ALIVE)
        async with anyio.create_task_group() as beside:
            beside.start_soon(sse.keep_alive, write, self.heartbeat)
            async for news in listener.news():
                match news:
                    case Told():
                        await write(self._written.of(news))
                    case Missed(after, first):
                        await write(sse.event(b"missed", {"after": after, "first": first}))
                    case Dropped():
                        await write(_DROPPED)
            beside.cancel_scope.cancel()
        if self.feed.ended:
            await write(sse.SHUTDOWN)


async def _nothing(_: WriteChunk) -> None:
    """Whoever asks for the head alone does not listen."""
