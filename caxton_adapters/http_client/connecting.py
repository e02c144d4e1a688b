"""From an origin to a connection that may carry requests: name, socket, proxy, TLS."""

import asyncio
import base64
import socket
import ssl
from collections.abc import Callable
from math import inf
from pathlib import Path
from typing import final

from attrs import frozen

from caxton_adapters.http_client.connection import Connection
from caxton_adapters.http_client.failures import (
    ConnectionLost,
    HttpFailure,
    NameNotResolved,
    NotConnected,
    ProxyFailed,
    RequestFailed,
    Stage,
    TimedOut,
    TlsFailed,
)
from caxton_adapters.http_client.limits import Timeouts, Total
from caxton_adapters.http_client.message import SUCCESSES
from caxton_adapters.http_client.racing import connected_socket
from caxton_adapters.http_client.tls import ResumingContext
from caxton_adapters.http_client.url import Origin, Url


@final
@frozen
class Route:
    """Where a request goes and through what; a UNIX socket leads there without a name or a port."""

    origin: Origin
    proxy: Url | None
    unix_socket: Path | None = None

    @property
    def needs_tls(self) -> bool:
        """Whether any part of the way is encrypted."""
        return self.origin.secure or (self.proxy is not None and self.proxy.origin.secure)


async def connect(
    route: Route,
    tls: ResumingContext | None,
    make: Callable[[], Connection],
    timeouts: Timeouts,
    total: Total,
) -> Connection:
    """Open a connection to the origin, or through the proxy, within the connect timeout."""
    loop = asyncio.get_running_loop()
    at = loop.time() + timeouts.connect
    try:
        async with asyncio.timeout_at(min(at, total.at)):
            if route.unix_socket is not None:
                return await _open_unix(route.unix_socket, make)
            if route.proxy is None:
                return await _open(route.origin, make, tls)
            return await _through(route.proxy, route.origin, make, tls)
    except TimeoutError as error:
        failure = (
            TimedOut(Stage.CONNECT, timeouts.connect)
            if at <= total.at
            else TimedOut(Stage.TOTAL, total.after)
        )
        raise RequestFailed(failure) from error


async def _open(
    origin: Origin, make: Callable[[], Connection], tls: ResumingContext | None
) -> Connection:
    loop = asyncio.get_running_loop()
    name = origin.host if origin.secure else None
    context = tls if origin.secure else None
    try:
        opened = await connected_socket(origin.host, origin.port)
        _, connection = await loop.create_connection(
            make, sock=opened, ssl=context, server_hostname=name
        )
    except (OSError, UnicodeError) as error:
        raise RequestFailed(_connect_failure(origin, error)) from error
    return connection


async def _open_unix(path: Path, make: Callable[[], Connection]) -> Connection:
    loop = asyncio.get_running_loop()
    try:
        _, connection = await loop.create_unix_connection(make, str(path))
    except OSError as error:
        raise RequestFailed(NotConnected(str(path), 0, error.strerror or str(error))) from error
    return connection


def _connect_failure(origin: Origin, error: OSError | UnicodeError) -> HttpFailure:
    """What an error of the socket or of the TLS layer means."""
    match error:
        case socket.gaierror() | UnicodeError():
            return NameNotResolved(origin.host)
        case ssl.SSLCertVerificationError():
            return TlsFailed(origin.host, origin.port, error.verify_message)
        case ssl.SSLError():
            return TlsFailed(origin.host, origin.port, error.reason or str(error))
        case ConnectionResetError() | ConnectionAbortedError() if origin.secure:
            return TlsFailed(origin.host, origin.port, "closed during the handshake")
        case OSError():
            return NotConnected(origin.host, origin.port, error.strerror or str(error))


async def _through(
    proxy: Url, origin: Origin, make: Callable[[], Connection], tls: ResumingContext | None
) -> Connection:
    try:
        connection = await _open(proxy.origin, make, tls)
    except RequestFailed as error:
        raise RequestFailed(ProxyFailed(proxy.origin.authority, _words(error.failure))) from error
    if not origin.secure:
        return connection
    try:
        await _tunnel(connection, proxy, origin)
        await _secure(connection, origin, tls)
    except BaseException:
        connection.abort()
        raise
    return connection


async def _tunnel(connection: Connection, proxy: Url, origin: Origin) -> None:
    lines = [f"CONNECT {origin.authority} HTTP/1.1", f"Host: {origin.authority}"]
    lines += [f"{name}: {value}" for name, value in proxy_headers(proxy)]
    request = "\r\n".join((*lines, "", "")).encode("ascii")
    connection.begin(request, Total(inf, inf), tunnel=True)
    try:
        await connection.answered()
    except RequestFailed as error:
        raise RequestFailed(ProxyFailed(proxy.origin.authority, _words(error.failure))) from error
    if connection.status not in SUCCESSES:
        why = f"it answers CONNECT with status {connection.status}"
        raise RequestFailed(ProxyFailed(proxy.origin.authority, why))


async def _secure(connection: Connection, origin: Origin, tls: ResumingContext | None) -> None:
    plain = connection.transport
    if plain is None or tls is None:
        raise RequestFailed(ConnectionLost(0, "closed by the proxy"))
    loop = asyncio.get_running_loop()
    try:
        secure = await loop.start_tls(plain, connection, tls, server_hostname=origin.host)
    except OSError as error:
        raise RequestFailed(_connect_failure(origin, error)) from error
    if secure is None:
        raise RequestFailed(TlsFailed(origin.host, origin.port, "closed during the handshake"))
    connection.secured(secure)


def proxy_headers(proxy: Url) -> tuple[tuple[str, str], ...]:
    """The credentials of the proxy's address, as Basic authentication."""
    if proxy.user is None:
        return ()
    pair = f"{proxy.user}:{proxy.password or ''}".encode()
    return (("Proxy-Authorization", f"Basic {base64.b64encode(pair).decode('ascii')}"),)


def _words(failure: HttpFailure) -> str:
    match failure:
        case NotConnected(_, _, why) | TlsFailed(_, _, why) | ConnectionLost(_, why):
            return why
        case NameNotResolved():
            return "its name is unknown"
        case _:
            return type(failure).__name__
