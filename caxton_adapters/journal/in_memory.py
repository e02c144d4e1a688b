"""The last events, in memory, and whoever follows them."""

from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, final

import anyio
from attrs import define, field

from caxton_core.events import Event

KEPT: Final = 1000
MOST_UNREAD: Final = 1000


class FellBehind(Exception):
    """A follower was too slow: events passed that it has not seen."""


@final
@define(eq=False)
class Follower:
    """Events since it began to follow, in order."""

    _unread: deque[Event] = field(factory=deque, init=False)
    _lost: bool = field(default=False, init=False)
    _news: anyio.Event = field(factory=anyio.Event, init=False)

    async def __aiter__(self) -> AsyncIterator[Event]:
        """Every event as it comes; raises `FellBehind`."""
        while True:
            while self._unread:
                yield self._unread.popleft()
            if self._lost:
                raise FellBehind
            self._news = anyio.Event()
            await self._news.wait()

    def take(self, events: Sequence[Event]) -> None:
        """New events, unless too many are unread."""
        self._lost = self._lost or len(self._unread) + len(events) > MOST_UNREAD
        if not self._lost:
            self._unread.extend(events)
        self._news.set()


@final
@define(eq=False)
class InMemoryJournal:
    """Keeps the last `KEPT` events."""

    _events: deque[Event] = field(factory=lambda: deque(maxlen=KEPT), init=False)
    _followers: list[Follower] = field(factory=list, init=False)

    async def append(self, *events: Event) -> None:
        """Record the events."""
        self._events.extend(events)
        for follower in self._followers:
            follower.take(events)

    def recent(self) -> Sequence[Event]:
        """The last events, oldest first."""
        return tuple(self._events)

    @contextmanager
    def following(self) -> Iterator[Follower]:
        """A follower of all events from now on, to the end of the block."""
        follower = Follower()
        self._followers.append(follower)
        try:
            yield follower
        finally:
            self._followers.remove(follower)
