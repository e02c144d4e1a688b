"""`/events`: what happens on the server, as it happens."""

from functools import partial
from typing import Final, final

import anyio
from attrs import frozen

from caxton_adapters.rest import problem, sse
from caxton_adapters.rest.event_body import named
from caxton_adapters.rest.exchange import Answered, Asked, Streamed, WriteChunk, refusal
from caxton_adapters.rest.problem import Refused, retry_after
from caxton_adapters.rest.refusals import of_runtime
from caxton_adapters.runtime.feed import Dropped, EventFeed, Listener, Told
from caxton_adapters.runtime.refusals import Draining

_DIGITS: Final = 19
_DROPPED: Final = sse.event(b"dropped", {"why": "the client reads more slowly than things happen"})


@final
@frozen
class Events:
    """The resource `/events`."""

    feed: EventFeed
    most: int
    heartbeat: float

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
                    case Told(number, event):
                        await write(sse.numbered(number, *named(event)))
                    case Dropped():
                        await write(_DROPPED)
            beside.cancel_scope.cancel()
        if self.feed.ended:
            await write(sse.SHUTDOWN)


async def _nothing(_: WriteChunk) -> None:
    """Whoever asks for the head alone does not listen."""
