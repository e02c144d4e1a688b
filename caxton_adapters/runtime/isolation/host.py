"""The port to whatever decides an agent's turns, and the host that decides them in place."""

import time
from collections.abc import Awaitable
from typing import ClassVar, Protocol, final

from attrs import define, field, frozen

from caxton_core.conversation.past import Past
from caxton_core.conversation.turn import Observation, Step, Turn, TurnRules, advance, begin


@final
@frozen
class ResourceUse:
    """What an agent has taken so far; without a process of its own `pid` and memory are None."""

    cpu_seconds: float
    memory_bytes: int | None = None
    pid: int | None = None


class HostDied(Exception):
    """The host lost the turn: begin it again after so many seconds, and tell what was observed."""

    pause: ClassVar[float] = 0.0


class Host(Protocol):
    """Decides the turns of one agent; `turn` is a number that the caller chooses for each."""

    def begin(self, turn: int, past: Past, text: str, *observed: Observation) -> Awaitable[Step]:
        """Take up a turn, with what was observed in it before; raises `HostDied`."""
        ...

    def advance(self, turn: int, observed: Observation) -> Awaitable[Step]:
        """Tell what came of the last step; raises `HostDied`."""
        ...

    def forget(self, turn: int) -> None:
        """The turn is over, whether or not it ended by itself."""
        ...

    def use(self) -> ResourceUse:
        """What the agent has taken so far."""
        ...

    def close(self) -> Awaitable[None]:
        """End whatever the host runs in, once the turns that it holds are over."""
        ...


@final
@define
class InPlace:
    """Decides turns in the server's own process: the densest isolation, and the weakest.

    CPU time is that of deciding; what the server does for the agent beside that is not counted.
    """

    rules: TurnRules
    _turns: dict[int, Turn] = field(factory=dict, init=False)
    _cpu_seconds: float = field(default=0.0, init=False)

    async def begin(self, turn: int, past: Past, text: str, *observed: Observation) -> Step:
        """Take up a turn."""
        before = time.thread_time()
        begun = begin(self.rules, past, text)
        for observation in observed:
            begun = advance(begun, observation)
        return self._keep(turn, begun, before)

    async def advance(self, turn: int, observed: Observation) -> Step:
        """Tell what came of the last step."""
        before = time.thread_time()
        return self._keep(turn, advance(self._turns[turn], observed), before)

    def _keep(self, turn: int, decided: Turn, before: float) -> Step:
        self._turns[turn] = decided
        self._cpu_seconds += time.thread_time() - before
        return decided.step

    def forget(self, turn: int) -> None:
        """The turn is over."""
        self._turns.pop(turn, None)

    def use(self) -> ResourceUse:
        """What deciding has taken so far."""
        return ResourceUse(self._cpu_seconds)

    async def close(self) -> None:
        """Nothing runs here."""
