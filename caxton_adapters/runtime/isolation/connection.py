"""The server's end of one agent process: frames out, steps in, and how it ended.

An asyncio protocol instead of an anyio stream: two round trips of every message go through here.
"""

import asyncio
import mmap
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Final, cast, final

from caxton_adapters.runtime import codec
from caxton_adapters.runtime.isolation import worker, zygote
from caxton_adapters.runtime.isolation.frames import BrokenFrame, FrameReader, framed
from caxton_adapters.runtime.isolation.host import HostDied
from caxton_adapters.runtime.isolation.places import Place
from caxton_core.conversation.turn import Step

_PAGE: Final = mmap.PAGESIZE


@final
class Connection(asyncio.Protocol):
    """One agent process, as long as it lives."""

    def __init__(self, over: Callable[["Connection"], None], place: Place) -> None:
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
        """The socket is ours."""
        # uvloop's transports are no subclasses of asyncio's.
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        """Take the frames that are complete; who does not keep to the protocol is hung up on."""
        try:
            for frame in self._reader.feed(data):
                self._take(frame)
        except (ValueError, KeyError, TypeError) as error:
            self.why = f"the process does not keep to the protocol: {error!r}"
            if self._transport is not None:
                self._transport.abort()

    def _take(self, frame: object) -> None:
        match frame:
            case [worker.STEP, int() as number, plain]:
                self._answer(number, plain)
            case [
                worker.LAST_STEP,
                int() as number,
                plain,
                float() as cpu_seconds,
                int() as memory,
            ]:
                self.cpu_seconds = cpu_seconds
                self.memory_bytes = memory
                self._held.discard(number)
                self._answer(number, plain)
            case [worker.BROKEN, str() as why]:
                self.why = why
            case _:
                raise BrokenFrame(frame)

    def _answer(self, number: int, plain: object) -> None:
        step = codec.step(plain)  # first: where it is none, who waits is told as the process ends
        waiting = self.waiting.pop(number, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(step)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's
        """The other side hung up; why is known when the zygote has told how it ended."""
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
        """Send what leads to a turn's next step, and wait for that; raises `HostDied`."""
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
        """The turn is over."""
        self.turns.discard(number)
        self.waiting.pop(number, None)
        if self._transport is not None and number in self._held:
            self._held.discard(number)
            self.send([worker.FORGET, number])

    def hang_up(self) -> None:
        """Let the process end."""
        if self._transport is not None:
            self._flush()
            self._transport.close()


def _why(status: int) -> str:
    if status < 0:
        return f"killed by {signal.Signals(-status).name}"
    if status == zygote.OUT_OF_MEMORY:
        return "it reached its memory limit"
    return f"it ended with exit status {status}"


def resident_bytes(pid: int) -> int | None:
    """The memory of a process that is in RAM, shared pages included, where the system tells."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_bytes().split()[1]) * _PAGE
    except (OSError, IndexError):
        return None
