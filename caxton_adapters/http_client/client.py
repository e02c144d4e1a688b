"""A small HTTP/1.1 client for few servers and many requests."""

import asyncio
import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self, final

from anyio import Lock, move_on_after, to_thread

from caxton_adapters.http_client.connecting import Route, connect, proxy_headers
from caxton_adapters.http_client.connection import READ_SIZE, Connection
from caxton_adapters.http_client.failures import (
    ConnectionLost,
    RequestFailed,
    Stage,
    TimedOut,
    TlsFailed,
)
from caxton_adapters.http_client.limits import Limits, Timeouts, Total
from caxton_adapters.http_client.message import Header, Response, header, request_head
from caxton_adapters.http_client.pool import Lost, Pool
from caxton_adapters.http_client.proxies import proxy_for
from caxton_adapters.http_client.tls import ResumingContext, client_context
from caxton_adapters.http_client.url import Origin, Url


@final
class HttpClient:
    """Keeps connections open and sends requests over them; `endpoint` prepares what is asked often.

    Every operation raises `RequestFailed` and nothing else. A request is sent once: again only
    when a kept connection turns out to be closed before a byte of the response has come.
    Servers are trusted whose certificate the `authorities` (a PEM file) vouch for, or those that
    the system knows. With a `unix_socket` every request goes there, whatever its address.
    """

    def __init__(
        self,
        timeouts: Timeouts | None = None,
        limits: Limits | None = None,
        environment: Mapping[str, str] | None = None,
        *,
        authorities: Path | None = None,
        unix_socket: Path | None = None,
    ) -> None:
        self.timeouts = timeouts or Timeouts()
        self._limits = limits or Limits()
        self._environment = os.environ if environment is None else environment
        self._authorities = authorities
        self._unix_socket = unix_socket
        self._buffer = memoryview(bytearray(READ_SIZE))
        self._pools: dict[Origin, Pool] = {}
        self._tls: ResumingContext | None = None
        self._making_tls = Lock()

    def endpoint(self, method: str, url: str, headers: Mapping[str, str]) -> "Endpoint":
        """Prepare requests to one address; an address or header that cannot be is a ValueError."""
        parsed = Url.parse(url)
        origin = parsed.origin
        proxy = None if self._unix_socket is not None else proxy_for(origin, self._environment)
        target = parsed.path
        more: tuple[tuple[str, str], ...] = ()
        if proxy is not None and not origin.secure:
            target, more = f"http://{origin.host_header}{parsed.path}", proxy_headers(proxy)
        head = request_head(method, target, origin.host_header, (*headers.items(), *more))
        pool = self._pools.setdefault(origin, Pool(self._limits.connections))
        return Endpoint(self, pool, Route(origin, proxy, self._unix_socket), head)

    async def connected(self, route: Route, total: Total, lost: Lost) -> Connection:
        """A new connection."""
        loop = asyncio.get_running_loop()
        make = partial(Connection, loop, self._buffer, self._limits, self.timeouts, lost)
        tls = await self.tls(route.origin) if route.needs_tls else None
        return await connect(route, tls, make, self.timeouts, total)

    async def tls(self, origin: Origin) -> ResumingContext:
        """The TLS context of all connections, made when the first one needs it."""
        async with self._making_tls:
            if self._tls is None:
                try:
                    self._tls = await to_thread.run_sync(client_context, self._authorities)
                except OSError as error:
                    why = f"the authorities in {self._authorities}: {error.strerror or error}"
                    raise RequestFailed(TlsFailed(origin.host, origin.port, why)) from error
            return self._tls

    def remember_session(self, connection: Connection) -> None:
        """Let later connections resume the TLS session of this one."""
        if self._tls is not None and (tls := connection.tls) is not None:
            self._tls.remember(tls)

    async def aclose(self) -> None:
        """Close every connection; requests that run fail."""
        for pool in self._pools.values():
            await pool.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()


@final
class Endpoint:
    """One address of a server, with everything that its requests have in common."""

    __slots__ = ("_client", "_head", "_pool", "_route")

    def __init__(self, client: HttpClient, pool: Pool, route: Route, head: bytes) -> None:
        self._client = client
        self._pool = pool
        self._route = route
        self._head = head

    async def fetch(self, body: bytes = b"", total: float | None = None) -> Response:
        """Send a request and read the whole response; `total` shortens the client's own limit."""
        connection = await self.answered(body, total, streamed=False)
        response = Response(connection.status, connection.headers, connection.body())
        self._pool.give_back(connection)
        return response

    def stream(self, body: bytes = b"", total: float | None = None) -> "StreamedResponse":
        """A response that is read while it comes, inside an `async with` block."""
        return StreamedResponse(self, body, total)

    async def answered(self, body: bytes, total: float | None, *, streamed: bool) -> Connection:
        """A connection on which the request was answered; it has to be given back."""
        after = self._client.timeouts.total
        if total is not None and total < after:
            after = total
        until = Total(after, asyncio.get_running_loop().time() + after)
        request = b"%b%d\r\n\r\n%b" % (self._head, len(body), body)
        connection = self._pool.idle() or await self._fresh(until)
        while True:
            connection.begin(request, until, streamed=streamed)
            try:
                await connection.answered()
            except RequestFailed as error:
                self._pool.give_back(connection)
                if not (connection.stale and isinstance(error.failure, ConnectionLost)):
                    raise
            except BaseException:
                self._pool.give_back(connection)
                raise
            else:
                if not connection.reused:
                    self._client.remember_session(connection)
                return connection
            connection = await self._fresh(until)

    def give_back(self, connection: Connection) -> None:
        """End an exchange."""
        self._pool.give_back(connection)

    async def _fresh(self, until: Total) -> Connection:
        """A new connection, or one that comes back; the wait for it ends with the request's."""
        try:
            async with asyncio.timeout_at(until.at):
                return await self._pool.fresh(
                    lambda lost: self._client.connected(self._route, until, lost)
                )
        except TimeoutError as error:
            raise RequestFailed(TimedOut(Stage.TOTAL, until.after)) from error


@final
class StreamedResponse:
    """A response whose body is read while it comes; leaving its block early closes the connection.

    `status` and `headers` are there inside the block.
    """

    __slots__ = ("_body", "_connection", "_endpoint", "_total", "headers", "status")

    def __init__(self, endpoint: Endpoint, body: bytes, total: float | None) -> None:
        self._endpoint = endpoint
        self._body = body
        self._total = total
        self._connection: Connection | None = None
        self.status = 0
        self.headers: list[Header] = []

    async def __aenter__(self) -> Self:
        connection = await self._endpoint.answered(self._body, self._total, streamed=True)
        self._connection = connection
        self.status = connection.status
        self.headers = connection.headers
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            self._endpoint.give_back(connection)

    def header(self, name: bytes) -> str | None:
        """The first header of this name, which is given in lower case."""
        return header(self.headers, name)

    async def piece(self) -> bytes:
        """What came since the last call, at least one byte; b"" is the end."""
        assert self._connection is not None, "a response is read inside its block"
        return await self._connection.piece()

    async def drain(self, seconds: float) -> None:
        """Let the body end, so that the connection can be used again; give up after so long."""
        with move_on_after(seconds):
            while await self.piece():
                pass

    async def whole(self) -> bytes:
        """The rest of the body."""
        pieces = []
        while piece := await self.piece():
            pieces.append(piece)
        return b"".join(pieces)
