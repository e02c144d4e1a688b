"""The server's side of the zygote: it is started, asked for processes, and listened to."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from typing import Final, final

import anyio
from attrs import define, field

from caxton_adapters.runtime.isolation import zygote
from caxton_adapters.runtime.isolation.host import HostDied

START_WITHIN: Final = 10.0
_ABREAST: Final = 64  # many more requests at once would not fit into the socket
# What libraries do after a fork is for programs with threads; the hook of `threading` alone would
# take pages of 0.3 MB out of what agents' processes share.
_CODE: Final = (
    "import os, sys; os.register_at_fork = lambda **_: None; sys.path[:] = {path!r}; "
    "from caxton_adapters.runtime.isolation.zygote import main; main({descriptor})"
)
_ENDED: Final = "the zygote ended"
_TOO_SLOW: Final = "the zygote does not start"


class ZygoteFailed(HostDied):
    """No process can be forked: the zygote does not start, or the system refuses."""

    pause = 0.5


@final
@define
class Zygote:
    """Forks agents' processes; started on first use and again after it died."""

    _control: socket.socket | None = field(default=None, init=False)
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _ready: anyio.Event = field(factory=anyio.Event, init=False)
    _starting: anyio.Lock = field(factory=anyio.Lock, init=False)
    _turns: anyio.Semaphore = field(factory=lambda: anyio.Semaphore(_ABREAST), init=False)
    _asked: dict[int, asyncio.Future[int]] = field(factory=dict, init=False)
    _ends: dict[int, Callable[[int], None]] = field(factory=dict, init=False)
    _count: int = field(default=0, init=False)
    _unread: bytes = field(default=b"", init=False)

    async def fork(self, memory: int, ended: Callable[[int], None]) -> tuple[socket.socket, int]:
        """A new process: our end of its socket, and its id; `ended` is told its exit status."""
        async with self._turns:
            return await self._forked(memory, ended)

    async def _forked(self, memory: int, ended: Callable[[int], None]) -> tuple[socket.socket, int]:
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
            if isinstance(error, ZygoteFailed):
                self._ends.pop(number, None)
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
