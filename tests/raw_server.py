"""A server that sends exactly the bytes it is told to, and breaks off where it is told to.

    async with raw_server((b"HTTP/1.1 200 OK\\r\\ncontent-length: 2\\r\\n\\r\\nhi",)) as server:
        ...                       # server.url, server.requests, server.accepted, server.open

Each request is answered by the next script, the last one again and again.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from enum import Enum
from ssl import SSLContext
from typing import TypeAlias, cast, final

from anyio import fail_after
from attrs import define, field, frozen
from httptools import HttpParserError, HttpRequestParser


@final
class Act(Enum):
    """What a server may do beside sending bytes."""

    CLOSE = "close"
    RESET = "reset"
    HANG = "hang"


@final
@frozen
class Drip:
    """Bytes that are sent one at a time, so many seconds apart."""

    content: bytes
    seconds: float = 0.02


Script: TypeAlias = Iterable[bytes | Act | Drip]


@final
@define
class Received:
    """A request as it came."""

    target: bytes = b""
    headers: dict[str, str] = field(factory=dict)
    body: bytes = b""


@final
class RawServer:
    """What was asked and how many connections there are."""

    def __init__(self, scripts: tuple[Script, ...]) -> None:
        self._scripts = list(scripts)
        self.address = ("", 0)
        self.scheme = "http"
        self.requests: list[Received] = []
        self.accepted = 0
        self._connections: set[RawConnection] = set()
        self._changed = asyncio.Event()

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.address[0]}:{self.address[1]}"

    @property
    def open(self) -> int:
        return len(self._connections)

    def script(self) -> Script:
        return self._scripts.pop(0) if len(self._scripts) > 1 else self._scripts[0]

    def connected(self, connection: "RawConnection") -> None:
        self.accepted += 1
        self._connections.add(connection)
        self.notify()

    def disconnected(self, connection: "RawConnection") -> None:
        self._connections.discard(connection)
        self.notify()

    def received(self, request: Received) -> None:
        self.requests.append(request)
        self.notify()

    def notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def drop(self) -> None:
        """Close every connection."""
        for connection in tuple(self._connections):
            connection.transport.close()

    async def until_open(self, number: int) -> None:
        """Wait until so many connections are open."""
        with fail_after(20):
            while self.open != number:
                await self._changed.wait()

    async def until_asked(self, number: int) -> None:
        """Wait until so many requests have come."""
        with fail_after(20):
            while len(self.requests) < number:
                await self._changed.wait()


@final
class RawConnection(asyncio.Protocol):
    def __init__(self, server: RawServer) -> None:
        self._server = server
        self._parser = HttpRequestParser(self)
        self._request = Received()
        self._answering: set[asyncio.Task[None]] = set()
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's class is not a subclass
        self._server.connected(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        for task in self._answering:
            task.cancel()
        self._server.disconnected(self)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except HttpParserError:
            self.transport.write(response(b"", status="400 Bad Request"))
            self.transport.close()

    def on_url(self, url: bytes) -> None:
        self._request = Received(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._request.headers[name.decode().lower()] = value.decode()

    def on_body(self, body: bytes) -> None:
        self._request.body += body

    def on_message_complete(self) -> None:
        self._server.received(self._request)
        task = asyncio.ensure_future(self._answer(self._server.script()))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def _answer(self, script: Script) -> None:
        for step in script:
            match step:
                case Act.CLOSE:
                    self.transport.close()
                case Act.RESET:
                    self.transport.abort()
                case Act.HANG:
                    await asyncio.Event().wait()
                case Drip(content, seconds):
                    for byte in content:
                        self.transport.write(bytes([byte]))
                        await asyncio.sleep(seconds)
                case _:
                    self.transport.write(step)
                    await asyncio.sleep(0)


@asynccontextmanager
async def raw_server(*scripts: Script, tls: SSLContext | None = None) -> AsyncIterator[RawServer]:
    """A listening server, ended with all its connections."""
    server = RawServer(scripts)
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(lambda: RawConnection(server), "127.0.0.1", 0, ssl=tls)
    server.address = listening.sockets[0].getsockname()
    server.scheme = "https" if tls else "http"
    try:
        yield server
    finally:
        listening.close()
        server.drop()
        await server.until_open(0)


def response(
    body: bytes, *headers: str, status: str = "200 OK", kind: str = "application/json"
) -> bytes:
    """A response with a length."""
    lines = (f"HTTP/1.1 {status}", f"content-type: {kind}", f"content-length: {len(body)}")
    return "\r\n".join((*lines, *headers, "", "")).encode() + body


def chunked(
    *pieces: bytes,
    end: bytes = b"0\r\n\r\n",
    kind: str = "text/event-stream",
    status: str = "200 OK",
) -> bytes:
    """A response in chunks; without an end it is cut."""
    head = f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ntransfer-encoding: chunked\r\n\r\n"
    return head.encode() + b"".join(b"%x\r\n%b\r\n" % (len(p), p) for p in pieces) + end
