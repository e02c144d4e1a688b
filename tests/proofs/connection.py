"""HTTP as a witness speaks it: one request at a time, nothing retried, a lost answer said aloud."""

import asyncio
from collections.abc import Callable, Mapping
from json import loads
from typing import Any, cast, final

import anyio
from attrs import define, field, frozen
from httptools import HttpParserError, HttpResponseParser

LIMIT = 60.0
"""Seconds after which an answer counts as lost."""

Heard = Callable[[bytes], None]


class Gone(ConnectionError):
    """The server went away before its answer was whole."""


@final
@frozen
class Reply:
    """An answer; the names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        """The body as a JSON object; anything else is empty."""
        try:
            found = loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def code(self) -> str:
        """The code of a problem."""
        return str(self.json().get("code", ""))


@final
class _Line(asyncio.Protocol):
    """One connection and the answer that is awaited on it."""

    def __init__(self) -> None:
        self._parser = HttpResponseParser(self)
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []
        self._heard: Heard | None = None
        self._awaited: asyncio.Future[Reply] | None = None
        self._kept = True
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's class is not a subclass

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        if self._awaited is not None and not self._awaited.done():
            self._awaited.set_exception(Gone("the connection ended before the answer"))

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except HttpParserError:
            self.transport.abort()

    def on_message_begin(self) -> None:
        self._headers, self._body = {}, []

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        self._body.append(body)
        if self._heard is not None:
            self._heard(body)

    def on_message_complete(self) -> None:
        self._kept = self._parser.should_keep_alive()
        if self._awaited is not None and not self._awaited.done():
            status = self._parser.get_status_code()
            self._awaited.set_result(Reply(status, self._headers, b"".join(self._body)))

    @property
    def usable(self) -> bool:
        """Whether another request can be sent."""
        return self._kept and not self.transport.is_closing()

    async def exchange(self, request: bytes, heard: Heard | None) -> Reply:
        """Send, and wait for the whole answer."""
        self._heard = heard
        self._awaited = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return await self._awaited


@final
@define
class Client:
    """Asks one server, on one connection at a time."""

    port: int
    limit: float = LIMIT
    _line: _Line | None = field(default=None, init=False)

    async def ask(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        heard: Heard | None = None,
    ) -> Reply:
        """One request; `heard` is given every piece of the body. Raises `Gone`."""
        request = _written(method, path, body, headers or {})
        try:
            with anyio.fail_after(self.limit):
                line = await self._connected()
                return await line.exchange(request, heard)
        except (OSError, TimeoutError) as error:
            self.close()
            raise Gone(str(error) or type(error).__name__) from error

    def close(self) -> None:
        """Hang up."""
        if self._line is not None:
            self._line.transport.abort()
            self._line = None

    async def _connected(self) -> _Line:
        if self._line is None or not self._line.usable:
            self.close()
            loop = asyncio.get_running_loop()
            _, self._line = await loop.create_connection(_Line, "127.0.0.1", self.port)
        return self._line


def _written(method: str, path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "host: 127.0.0.1", f"content-length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join((*lines, "", "")).encode("latin-1") + body
