"""The server's side of process isolation: the zygote, and one process for each agent that is busy.

asyncio protocols instead of anyio streams: two round trips of every message go through here.
"""

import asyncio
import mmap
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol, cast, final

import anyio
from anyio.lowlevel import checkpoint
from attrs import define, field, frozen

from caxton_adapters.runtime import codec
from caxton_adapters.runtime.isolation import worker, zygote
from caxton_adapters.runtime.isolation.frames import BrokenFrame, FrameReader, framed
from caxton_adapters.runtime.isolation.host import HostDied, ResourceUse
from caxton_adapters.runtime.isolation.places import Place, Places
from caxton_core.conversation.message import Message
from caxton_core.conversation.turn import Observation, Step, TurnRules

START_WITHIN: Final = 10.0
_PAGE: Final = mmap.PAGESIZE
# What libraries do after a fork is for programs with threads; the hook of `threading` alone would
# take pages of 0.3 MB out of what agents' processes share.
_CODE: Final = (
    "import os, sys; os.register_at_fork = lambda **_: None; sys.path[:] = {path!r}; "
    "from caxton_adapters.runtime.isolation.zygote import main; main({descriptor})"
)


_ENDED: Final = "the zygote ended"
_TOO_SLOW: Final = "the zygote does not start"
_LOST: Final = "the process that held the turn ended"


class ZygoteFailed(HostDied):
    """No process can be forked: the zygote does not start, or the system refuses."""


@final
@define
class Zygote:
    """Forks agents' processes; started on first use and again after it died."""

    _control: socket.socket | None = field(default=None, init=False)
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _ready: anyio.Event = field(factory=anyio.Event, init=False)
    _starting: anyio.Lock = field(factory=anyio.Lock, init=False)
    _asked: dict[int, asyncio.Future[int]] = field(factory=dict, init=False)
    _ends: dict[int, Callable[[int], None]] = field(factory=dict, init=False)
    _count: int = field(default=0, init=False)
    _unread: bytes = field(default=b"", init=False)

    async def fork(self, memory: int, ended: Callable[[int], None]) -> tuple[socket.socket, int]:
        """A new process: our end of its socket, and its id; `ended` is told its exit status."""
        await self.start()
        control = self._control
        if control is None:
            raise ZygoteFailed(_ENDED)
        self._count += 1
        number = self._count
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._asked[number] = answer
        self._ends[number] = ended
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                socket.send_fds(control, [zygote.REQUEST.pack(number, memory)], [theirs.fileno()])
            with anyio.fail_after(START_WITHIN):
                pid = await answer
        except BaseException as error:
            ours.close()
            if isinstance(error, OSError | TimeoutError):
                raise ZygoteFailed(str(error)) from error
            raise
        finally:
            self._asked.pop(number, None)
        return ours, pid

    async def start(self) -> None:
        """Have the zygote running; nothing happens where it runs."""
        async with self._starting:
            if self._control is None:
                self._launch()
            try:
                with anyio.fail_after(START_WITHIN):
                    await self._ready.wait()
            except TimeoutError as error:
                self._gone()
                raise ZygoteFailed(_TOO_SLOW) from error

    def _launch(self) -> None:
        ours, theirs = socket.socketpair()
        code = _CODE.format(path=sys.path, descriptor=theirs.fileno())
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and code
                [sys.executable, "-I", "-c", code],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env={"LANG": "C.UTF-8"},
            )
        ours.setblocking(False)
        self._control = ours
        self._ready = anyio.Event()
        asyncio.get_running_loop().add_reader(ours.fileno(), self._read, ours)

    @property
    def pid(self) -> int | None:
        """The zygote's process id while it runs."""
        return self._process.pid if self._process is not None else None

    def _read(self, control: socket.socket) -> None:
        try:
            received = control.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            received = b""
        if not received:
            self._gone()
            return
        self._unread += received
        size = zygote.REPORT.size
        while len(self._unread) >= size:
            report, self._unread = self._unread[:size], self._unread[size:]
            self._told(*zygote.REPORT.unpack(report))

    def _told(self, what: bytes, number: int, pid: int, status: int) -> None:
        if what == zygote.READY:
            self._ready.set()
        elif what == zygote.ENDED:
            self._ends.pop(number)(status)
        elif (answer := self._asked.get(number)) is not None and not answer.done():
            if what == zygote.STARTED:
                answer.set_result(pid)
            else:
                answer.set_exception(ZygoteFailed(os.strerror(status)))

    def _gone(self) -> None:
        control, self._control, self._unread = self._control, None, b""
        if control is not None:
            asyncio.get_running_loop().remove_reader(control.fileno())
            control.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        for answer in self._asked.values():
            if not answer.done():
                answer.set_exception(ZygoteFailed(_ENDED))
        ends, self._ends = self._ends, {}
        for ended in ends.values():
            ended(-signal.SIGKILL)

    async def close(self) -> None:
        """End the zygote and every process that it forked."""
        control, process = self._control, self._process
        if control is None or process is None:
            return
        asyncio.get_running_loop().remove_reader(control.fileno())
        control.close()
        self._control = None
        with anyio.CancelScope(shield=True), anyio.move_on_after(2.0):
            await anyio.to_thread.run_sync(process.wait)
        self._gone()


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
class _Connection(asyncio.Protocol):
    """One agent process, as long as it lives."""

    def __init__(self, over: Callable[["_Connection"], None], place: Place) -> None:
        self.place = place
        self.pid = 0
        self.waiting: dict[int, asyncio.Future[Step]] = {}
        self.turns: set[int] = set()
        self.cpu_seconds = 0.0
        self.memory_bytes = 0
        self.why = ""
        self._held: set[int] = set()
        self._unsent: list[bytes] = []
        self._reader = FrameReader()
        self._over = over
        self._status: int | None = None
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no subclasses of asyncio's.
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        try:
            for frame in self._reader.feed(data):
                self._take(frame)
        except (ValueError, KeyError, TypeError) as error:
            self.why = f"the process does not keep to the protocol: {error!r}"
            if self._transport is not None:
                self._transport.abort()

    def _take(self, frame: object) -> None:
        match frame:
            case ["step", int() as number, plain]:
                self._answer(number, plain)
            case ["last step", int() as number, plain, float() as cpu_seconds, int() as memory]:
                self.cpu_seconds = cpu_seconds
                self.memory_bytes = memory
                self._held.discard(number)
                self._answer(number, plain)
            case ["broken", str() as why]:
                self.why = why
            case _:
                raise BrokenFrame(frame)

    def _answer(self, number: int, plain: object) -> None:
        waiting = self.waiting.pop(number, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(codec.step(plain))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's
        self._transport = None
        self._end_when_known()

    def exited(self, status: int) -> None:
        """The process is gone; the connection ends by itself."""
        self._status = status
        self._end_when_known()

    def _end_when_known(self) -> None:
        if self._transport is not None or self._status is None:
            return
        self.why = self.why or _why(self._status)
        waiting, self.waiting = self.waiting, {}
        for future in waiting.values():
            if not future.done():
                future.set_exception(HostDied(self.why))
        self._over(self)

    def send(self, content: list[object]) -> None:
        """Write with all that is sent in this round of the loop, so that it wakes once."""
        if not self._unsent:
            asyncio.get_running_loop().call_soon(self._flush)
        self._unsent.append(framed(content))

    def _flush(self) -> None:
        unsent, self._unsent = self._unsent, []
        if self._transport is not None:
            self._transport.write(unsent[0] if len(unsent) == 1 else b"".join(unsent))

    async def ask(self, number: int, content: list[object]) -> Step:
        if self._transport is not None:
            self.send(content)
            self._held.add(number)
        elif self._status is not None:
            raise HostDied(self.why)
        # A process that hung up is told of by the zygote soon: whoever asks meanwhile waits for
        # that, and does not use up its attempts.
        answer: asyncio.Future[Step] = asyncio.get_running_loop().create_future()
        self.waiting[number] = answer
        return await answer

    def forget(self, number: int) -> None:
        self.turns.discard(number)
        self.waiting.pop(number, None)
        if self._transport is not None and number in self._held:
            self._held.discard(number)
            self.send([worker.FORGET, number])

    def hang_up(self) -> None:
        if self._transport is not None:
            self._flush()
            self._transport.close()


def _why(status: int) -> str:
    if status < 0:
        return f"killed by {signal.Signals(-status).name}"
    if status == zygote.OUT_OF_MEMORY:
        return "it reached its memory limit"
    return f"it ended with exit status {status}"


def _resident_bytes(pid: int) -> int | None:
    """The memory of a process that is in RAM, shared pages included, where the system tells."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_bytes().split()[1]) * _PAGE
    except (OSError, IndexError):
        return None


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
    _live: _Connection | None = field(default=None, init=False)
    _starting: anyio.Lock = field(factory=anyio.Lock, init=False)
    _cpu_before: float = field(default=0.0, init=False)
    _bedtime: asyncio.TimerHandle | None = field(default=None, init=False)
    _closing: bool = field(default=False, init=False)

    async def begin(
        self, turn: int, history: tuple[Message, ...], text: str, *observed: Observation
    ) -> Step:
        """Take up a turn, in a process that is started if none lives."""
        live = self._live or await self._awake()
        self._stay_awake()
        live.turns.add(turn)
        before, since = codec.plain_history(history), codec.plain_observations(observed)
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
        memory = _resident_bytes(live.pid) or live.memory_bytes
        return ResourceUse(self._cpu_before + live.cpu_seconds, memory, live.pid)

    async def close(self) -> None:
        """End the process, as soon as the turns that it holds are over."""
        self._closing = True
        if self._live is not None and not self._live.turns:
            self.let_go()
            await checkpoint()  # the loop closes the socket in its next round

    async def _awake(self) -> _Connection:
        async with self._starting:
            if self._live is None:
                self._live = await self._started()
            return self._live

    async def _started(self) -> _Connection:
        place = await self._places.take()
        connection = _Connection(self._over, place)
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

    def _over(self, connection: _Connection) -> None:
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

    def _forget_live(self, live: _Connection) -> None:
        self._stay_awake()
        self._cpu_before += live.cpu_seconds
        self._live = None

    def _stay_awake(self) -> None:
        self._places.wake(self)
        if self._bedtime is not None:
            self._bedtime.cancel()
            self._bedtime = None
