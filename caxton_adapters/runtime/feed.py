"""Everything that happens, told to whoever listens; a slow listener loses, nobody waits for it."""

from collections import deque
from collections.abc import AsyncIterator, Callable
from itertools import islice
from typing import Final, TypeAlias, final

import anyio
from attrs import frozen

from caxton_core.events import Event

_KEPT: Final = 1024
_QUEUED: Final = 256


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


News: TypeAlias = Told | Dropped


@final
class Listener:
    """Hears the feed; a queue that is full ends with `Dropped`."""

    def __init__(self, missed: list[Told], leave: Callable[["Listener"], object]) -> None:
        self._queue: deque[News] = deque(missed)
        self._wake = anyio.Event()
        self._leave = leave
        self._ended = False

    def tell(self, told: Told) -> None:
        """Queue an event, or give the listener up."""
        if len(self._queue) >= _QUEUED:
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
    """A journal that keeps the last events in memory, for those who listen."""

    def __init__(self) -> None:
        self._number = 0
        self._kept: deque[Told] = deque(maxlen=_KEPT)
        self._listeners: set[Listener] = set()
        self.ended = False

    @property
    def listeners(self) -> int:
        """How many listen."""
        return len(self._listeners)

    async def append(self, *events: Event) -> None:
        """Tell everyone."""
        self.tell(*events)

    def tell(self, *events: Event) -> None:
        """Tell everyone, from where nobody can wait."""
        for event in events:
            self._number += 1
            told = Told(self._number, event)
            self._kept.append(told)
            for listener in tuple(self._listeners):
                listener.tell(told)

    def listen(self, after: int | None = None) -> Listener:
        """Hear what happens from now on, or from the event after this number if it is kept."""
        first = self._kept[0].number if self._kept else 1
        missed = [] if after is None else list(islice(self._kept, max(0, after + 1 - first), None))
        listener = Listener(missed, self._listeners.discard)
        self._listeners.add(listener)
        return listener

    def end(self) -> None:
        """Let every listener go: the server stops."""
        self.ended = True
        for listener in tuple(self._listeners):
            listener.end()
