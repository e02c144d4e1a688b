"""Everything that happens, told to whoever listens; a slow listener loses, nobody waits for it."""

from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from itertools import islice
from typing import Final, TypeAlias, final

import anyio
from attrs import frozen

from caxton_core.conversation.turn import AskModel, ModelAnswered, Reply
from caxton_core.conversation.window import text_bytes
from caxton_core.events import Event, MessageAccepted, MessageEnded, Observed, StepTaken

_KEPT: Final = 1024
_QUEUED: Final = 256
_KEPT_BYTES: Final = 8 * 1024 * 1024


@final
@frozen
class Told:
    """An event with its number since the server started; the numbers have no gaps."""

    number: int
    event: Event


@final
@frozen
class Dropped:
    """The listener was too slow and has lost what happened since."""


@final
@frozen
class Missed:
    """What happened after this number is not known any more; what follows begins with `first`.

    A number that is not reached yet was given by an earlier run of the server.
    """

    after: int
    first: int


News: TypeAlias = Missed | Told | Dropped


@final
class Listener:
    """Hears the feed; a queue that is full ends with `Dropped`."""

    def __init__(self, missed: Iterable[News], leave: Callable[["Listener"], object]) -> None:
        self._queue: deque[News] = deque(missed)
        self._most = len(self._queue) + _QUEUED
        self._wake = anyio.Event()
        self._leave = leave
        self._ended = False

    def tell(self, told: Told) -> None:
        """Queue an event, or give the listener up."""
        if len(self._queue) >= self._most:
            self._queue.append(Dropped())
            self.end()
        else:
            self._queue.append(told)
        self._wake.set()

    def end(self) -> None:
        """Let the listener hear what is queued, and then the end."""
        self._ended = True
        self._leave(self)
        self._wake.set()

    async def news(self) -> AsyncIterator[News]:
        """What happens, until the listener is dropped or the feed ends."""
        try:
            while self._queue or not self._ended:
                while self._queue:
                    yield self._queue.popleft()
                if not self._ended:
                    self._wake = anyio.Event()
                    await self._wake.wait()
        finally:
            self._leave(self)


@final
class EventFeed:
    """Keeps the last events in memory, within a bound, for those who listen."""

    def __init__(self, most_bytes: int = _KEPT_BYTES) -> None:
        self._number = 0
        self._most_bytes = most_bytes
        self._bytes = 0
        self._kept: deque[Told] = deque()
        self._listeners: set[Listener] = set()
        self.ended = False

    @property
    def listeners(self) -> int:
        """How many listen."""
        return len(self._listeners)

    def tell(self, *events: Event) -> None:
        """Tell everyone."""
        for event in events:
            self._number += 1
            told = Told(self._number, event)
            self._keep(told)
            for listener in tuple(self._listeners):
                listener.tell(told)

    def _keep(self, told: Told) -> None:
        self._kept.append(told)
        self._bytes += _text_bytes(told.event)
        while len(self._kept) > _KEPT or (self._bytes > self._most_bytes and len(self._kept) > 1):
            self._bytes -= _text_bytes(self._kept.popleft().event)

    def listen(self, after: int | None = None) -> Listener:
        """Hear what happens from now on, or from the event after this number.

        Where that is not kept any more, `Missed` comes first, then everything that is kept.
        """
        listener = Listener(() if after is None else self._since(after), self._listeners.discard)
        self._listeners.add(listener)
        return listener

    def _since(self, after: int) -> Iterator[News]:
        first = self._kept[0].number if self._kept else self._number + 1
        if after > self._number or after + 1 < first:
            yield Missed(after, first)
            yield from self._kept
        else:
            yield from islice(self._kept, after + 1 - first, None)

    def end(self) -> None:
        """Let every listener go: the server stops."""
        self.ended = True
        for listener in tuple(self._listeners):
            listener.end()


def _text_bytes(event: Event) -> int:
    """How much text an event holds, roughly; what it holds beside that is small."""
    if isinstance(event, MessageAccepted):
        return len(event.text)
    if isinstance(event, StepTaken) and isinstance(event.step, AskModel):
        return sum(map(text_bytes, event.step.request.messages))
    if isinstance(event, StepTaken) and isinstance(event.step, Reply):
        return sum(map(text_bytes, event.step.said))
    if isinstance(event, MessageEnded):
        return sum(map(text_bytes, event.said))
    if isinstance(event, Observed) and isinstance(event.observation, ModelAnswered):
        return len(event.observation.completion.text)
    return 0
