"""One process for each agent that is busy: the strongest isolation, and the default."""

import asyncio
from typing import Final, Protocol, final

import anyio
from anyio.lowlevel import checkpoint
from attrs import define, field, frozen

from caxton_adapters.runtime import codec
from caxton_adapters.runtime.isolation import worker
from caxton_adapters.runtime.isolation.connection import Connection, resident_bytes
from caxton_adapters.runtime.isolation.forking import Zygote
from caxton_adapters.runtime.isolation.host import HostDied, ResourceUse
from caxton_adapters.runtime.isolation.places import Places
from caxton_core.conversation.past import Past
from caxton_core.conversation.turn import Observation, Step, TurnRules

_LOST: Final = "the process that held the turn ended"


@final
@frozen
class ProcessLimits:
    """What an agent's process may take, and how long it is kept without work (seconds)."""

    memory_bytes: int
    idle: float


class ProcessWatch(Protocol):
    """Who wants to know of an agent's processes."""

    def process_started(self, pid: int) -> None:
        """A process began."""
        ...

    def process_ended(self, pid: int, why: str) -> None:
        """A process ended because nobody needed it any more."""
        ...

    def process_died(self, pid: int, why: str) -> None:
        """A process ended although it was needed."""
        ...


@final
@define(eq=False)
class InProcess:
    """Decides an agent's turns in a process of its own, started on the first turn.

    The process ends when it was idle for long enough, and another one is started when needed.
    """

    rules: TurnRules
    _zygote: Zygote
    _limits: ProcessLimits
    _watch: ProcessWatch
    _places: Places = field(factory=Places)
    _live: Connection | None = field(default=None, init=False)
    _starting: anyio.Lock = field(factory=anyio.Lock, init=False)
    _cpu_before: float = field(default=0.0, init=False)
    _bedtime: asyncio.TimerHandle | None = field(default=None, init=False)
    _closing: bool = field(default=False, init=False)

    async def begin(self, turn: int, past: Past, text: str, *observed: Observation) -> Step:
        """Take up a turn, in a process that is started if none lives."""
        live = self._live or await self._awake()
        self._stay_awake()
        live.turns.add(turn)
        before, since = codec.plain_past(past), codec.plain_observations(observed)
        return await live.ask(turn, [worker.BEGIN, turn, before, text, since])

    async def advance(self, turn: int, observed: Observation) -> Step:
        """Tell what came of the last step."""
        live = self._live
        if live is None or turn not in live.turns:
            raise HostDied(_LOST)
        return await live.ask(turn, [worker.ADVANCE, turn, codec.plain_observation(observed)])

    def forget(self, turn: int) -> None:
        """The turn is over; without turns the process waits a while and ends."""
        live = self._live
        if live is None or turn not in live.turns:
            return
        live.forget(turn)
        if live.turns:
            return
        if self._closing:
            self.let_go()
            return
        self._stay_awake()
        loop = asyncio.get_running_loop()
        self._bedtime = loop.call_later(self._limits.idle, self.let_go)
        self._places.rest(self)

    def use(self) -> ResourceUse:
        """What the agent's processes have taken; memory and id are those of the living one."""
        live = self._live
        if live is None:
            return ResourceUse(self._cpu_before)
        memory = resident_bytes(live.pid) or live.memory_bytes
        return ResourceUse(self._cpu_before + live.cpu_seconds, memory, live.pid)

    async def close(self) -> None:
        """End the process, as soon as the turns that it holds are over."""
        self._closing = True
        if self._live is not None and not self._live.turns:
            self.let_go()
            await checkpoint()  # the loop closes the socket in its next round

    async def _awake(self) -> Connection:
        async with self._starting:
            if self._live is None:
                self._live = await self._started()
            return self._live

    async def _started(self) -> Connection:
        place = await self._places.take()
        connection = Connection(self._over, place)
        try:
            ours, connection.pid = await self._zygote.fork(
                self._limits.memory_bytes, connection.exited
            )
        except BaseException:
            place.leave()
            raise
        loop = asyncio.get_running_loop()
        await loop.create_unix_connection(lambda: connection, sock=ours)
        connection.send([worker.RULES, codec.plain_rules(self.rules)])
        self._watch.process_started(connection.pid)
        return connection

    def _over(self, connection: Connection) -> None:
        connection.place.leave()
        if connection is not self._live:
            self._watch.process_ended(connection.pid, "it was not needed any more")
            return
        self._forget_live(connection)
        self._watch.process_died(connection.pid, connection.why)

    def let_go(self) -> None:
        """End the process, which holds no turn."""
        if self._live is not None:
            self._live.hang_up()
            self._forget_live(self._live)

    def _forget_live(self, live: Connection) -> None:
        self._stay_awake()
        self._cpu_before += live.cpu_seconds
        self._live = None

    def _stay_awake(self) -> None:
        self._places.wake(self)
        if self._bedtime is not None:
            self._bedtime.cancel()
            self._bedtime = None
