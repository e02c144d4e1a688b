"""One socket, which carries one exchange after another."""

import asyncio
import socket
from collections.abc import Callable
from math import inf
from ssl import SSLObject
from typing import final

from caxton_adapters.http_client.deadline import Deadline
from caxton_adapters.http_client.failures import RequestFailed, Stage, TimedOut
from caxton_adapters.http_client.incoming import Incoming
from caxton_adapters.http_client.limits import Limits, Timeouts, Total
from caxton_adapters.http_client.message import Header

READ_SIZE = 64 * 1024


@final
class Connection(asyncio.BufferedProtocol):
    """Sends a request and waits for its response: `begin`, `answered`, then `body` or `piece`.

    All connections of a client read into its one buffer: the bytes are parsed before anything else
    can run. `finish` ends an exchange; a connection whose exchange was left early is closed then,
    so none is ever used again in the middle of something.
    """

    __slots__ = (
        "_buffer",
        "_deadline",
        "_incoming",
        "_limits",
        "_loop",
        "_lost",
        "_paused",
        "_stage",
        "_streamed",
        "_timeouts",
        "_total",
        "_transport",
        "_waiter",
        "reused",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        buffer: memoryview,
        limits: Limits,
        timeouts: Timeouts,
        lost: "Callable[[Connection], None]",
    ) -> None:
        self._loop = loop
        self._buffer = buffer
        self._limits = limits
        self._timeouts = timeouts
        self._lost = lost
        self._incoming = Incoming(limits)
        self._deadline = Deadline(loop, self._time_is_up)
        self._total = Total(inf, inf)
        self._stage = Stage.IDLE
        self._streamed = False
        self._paused = False
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[None] | None = None
        self.reused = False

    @property
    def usable(self) -> bool:
        """Whether an exchange may begin."""
        return self._incoming.done and self._incoming.reusable and self._transport is not None

    @property
    def transport(self) -> asyncio.Transport | None:
        """What it is connected through, as long as it is."""
        return self._transport

    @property
    def tls(self) -> SSLObject | None:
        """Its TLS state, if it has one."""
        found = self._transport.get_extra_info("ssl_object") if self._transport else None
        return found if isinstance(found, SSLObject) else None

    @property
    def status(self) -> int:
        """The response's status, once it is answered."""
        return self._incoming.status

    @property
    def headers(self) -> list[Header]:
        """The response's headers, once it is answered."""
        return self._incoming.headers

    @property
    def stale(self) -> bool:
        """Whether it was used before and not one byte of this response has come."""
        return self.reused and self._incoming.received == 0

    def begin(
        self, request: bytes, total: Total, *, streamed: bool = False, tunnel: bool = False
    ) -> None:
        """Send a request; a streamed response is answered by its head, another by its whole."""
        self._incoming.expect(tunnel=tunnel)
        self._total = total
        self._streamed = streamed or tunnel
        if self._transport is None:
            self._incoming.end("closed before the request was sent")
        else:
            self._transport.write(request)

    async def answered(self) -> None:
        """Wait for the head of the response, and for its whole body unless it is streamed."""
        incoming = self._incoming
        while not (incoming.done or (self._streamed and incoming.head_done)):
            await self._progress(Stage.FIRST_BYTE, self._timeouts.first_byte)
        self._raise_failure()

    def body(self) -> bytes:
        """What has come of the body and was not taken yet."""
        return self._incoming.take()

    async def piece(self) -> bytes:
        """Wait for what comes next of the body; b"" is its end."""
        incoming = self._incoming
        while not incoming.pieces and not incoming.done:
            await self._progress(Stage.IDLE, self._timeouts.idle)
        if self._paused and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()
        return incoming.take()

    def finish(self) -> bool:
        """End the exchange; a connection that cannot carry another one is closed."""
        transport = self._transport
        if transport is None or not self.usable or transport.get_write_buffer_size():
            self.abort()
            return False
        self.reused = True
        self._deadline.move(self._loop.time() + self._limits.keep_alive)
        return True

    def abort(self) -> None:
        """Close at once."""
        self._incoming.reusable = False
        self._deadline.cancel()
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take over a connected socket."""
        # uvloop's transports are no subclasses of asyncio's.
        self._transport = transport  # type: ignore[assignment] # a socket's
        plain = transport.get_extra_info("socket")
        if plain is not None:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def secured(self, transport: asyncio.Transport) -> None:
        """Go on through TLS, with a parser that has seen nothing."""
        self._transport = transport
        self._incoming = Incoming(self._limits)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 (the loop's signature)
        """Where the next bytes go."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Parse what came, wake whoever waits for it, and read no further ahead than allowed."""
        incoming = self._incoming
        incoming.feed(self._buffer[:nbytes])
        if not incoming.reusable and incoming.done and self._waiter is None:
            self.abort()
        elif incoming.done or incoming.failure is not None:
            self._wake()
        elif self._streamed:
            if incoming.head_done:
                self._wake()
            if incoming.unread > self._limits.ahead and not self._paused and self._transport:
                self._paused = True
                self._transport.pause_reading()
        else:
            self._expect(Stage.IDLE, self._timeouts.idle)

    def connection_lost(self, exc: Exception | None) -> None:
        """End the exchange, well or badly."""
        self._transport = None
        self._incoming.end(str(exc) if exc else "closed by the server")
        self._wake()
        self._deadline.cancel()
        self._lost(self)

    def resume_writing(self) -> None:
        """Count the wait for an answer from when a large request has left."""
        if self._waiter is not None and self._incoming.received == 0:
            self._expect(Stage.FIRST_BYTE, self._timeouts.first_byte)

    async def _progress(self, stage: Stage, seconds: float) -> None:
        self._raise_failure()
        self._waiter = self._loop.create_future()
        self._expect(stage, seconds)
        await self._waiter
        self._raise_failure()

    def _raise_failure(self) -> None:
        failure = self._incoming.failure
        if failure is not None:
            raise RequestFailed(failure)

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None:
            self._deadline.move(inf)
            if not waiter.done():
                waiter.set_result(None)

    def _expect(self, stage: Stage, seconds: float) -> None:
        at = self._loop.time() + seconds
        if at >= self._total.at:
            stage, at = Stage.TOTAL, self._total.at
        self._stage = stage
        self._deadline.move(at)

    def _time_is_up(self) -> None:
        if self._waiter is None:
            self.abort()
            return
        waits = self._timeouts
        after = {
            Stage.CONNECT: waits.connect,
            Stage.FIRST_BYTE: waits.first_byte,
            Stage.IDLE: waits.idle,
            Stage.TOTAL: self._total.after,
        }[self._stage]
        self._incoming.stop(TimedOut(self._stage, after))
        self._wake()
