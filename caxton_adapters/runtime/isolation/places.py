"""How many agents' processes live at once: who is idle gives its place to who has work."""

import asyncio
from collections import OrderedDict, deque
from typing import Final, Protocol, final

from attrs import define, field

MOST_PROCESSES: Final = 512


class Sleeper(Protocol):
    """Whoever has a process without work."""

    def let_go(self) -> None:
        """End the process; its place is given back when it has ended."""
        ...


@final
@define(eq=False)
class Place:
    """Room for one living process."""

    _places: "Places"
    _left: bool = field(default=False, init=False)

    def leave(self) -> None:
        """The process has ended; nothing happens the second time."""
        if not self._left:
            self._left = True
            self._places.left()


@final
@define(eq=False)
class Places:
    """Places for `most` processes; who waits is served in order.

    When all are taken, the process that has been idle longest is ended for the next one.
    """

    most: int = MOST_PROCESSES
    taken: int = field(default=0, init=False)
    _idle: OrderedDict[Sleeper, None] = field(factory=OrderedDict, init=False)
    _waiting: deque[asyncio.Future[None]] = field(factory=deque, init=False)

    @property
    def waiting(self) -> int:
        """How many wait for a place."""
        return len(self._waiting)

    async def take(self) -> Place:
        """A place, as soon as there is one; whoever gives up waiting is cancelled."""
        if self.taken < self.most:
            self.taken += 1
            return Place(self)
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        if self._idle:
            longest, _ = self._idle.popitem(last=False)
            longest.let_go()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._waiting.remove(turn)
            else:
                self.left()
            raise
        return Place(self)

    def left(self) -> None:
        """A process has ended: its place is the next one's."""
        for turn in tuple(self._waiting):
            if not turn.done():
                self._waiting.remove(turn)
                turn.set_result(None)
                return
        self.taken -= 1

    def rest(self, sleeper: Sleeper) -> None:
        """The sleeper has no work: it ends now if somebody waits, else when somebody does."""
        if self._waiting:
            sleeper.let_go()
        else:
            self._idle[sleeper] = None
            self._idle.move_to_end(sleeper)

    def wake(self, sleeper: Sleeper) -> None:
        """The sleeper has work again, or no process any more."""
        self._idle.pop(sleeper, None)
