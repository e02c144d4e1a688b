"""The connections of the model server: one protocol object each, no task and no buffer copy."""

import asyncio
from ssl import SSLContext
from typing import cast, final

from httptools import HttpParserError, HttpRequestParser

from tests.model_server.site import BaseUrl, Headers, Never, Now, Site, Slowly


@final
class Connection(asyncio.Protocol):
    """One client, its parser and the answer that is on its way."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._parser = HttpRequestParser(self)
        self._url = b""
        self._headers: Headers = []
        self._body = b""
        self._pending: asyncio.TimerHandle | None = None
        self._unanswered: BaseUrl | None = None
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to listen."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's class is not a subclass
        self._site.open_connections += 1

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Count a call that was given up by its client."""
        self._site.open_connections -= 1
        if self._pending is not None:
            self._pending.cancel()
        if self._unanswered is not None:
            self._unanswered.cancelled += 1

    def data_received(self, data: bytes) -> None:
        """Parse; whatever is not HTTP ends the connection."""
        try:
            self._parser.feed_data(data)
        except HttpParserError:
            self._transport.close()

    def on_url(self, url: bytes) -> None:
        """A request begins."""
        self._url = url
        self._headers = []
        self._body = b""

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header, its name in lower case."""
        self._headers.append((name.lower(), value))

    def on_body(self, body: bytes) -> None:
        """Keep a piece of the body."""
        self._body = self._body + body if self._body else body

    def on_message_complete(self) -> None:
        """Answer."""
        base, route = self._site.find(self._url)
        match route(self._site, base, self._headers, self._body):
            case Now(answer, close):
                self._transport.write(answer)
                if close:
                    self._transport.close()
            case Slowly(pieces, latency, interval, close):
                self._unanswered = base
                self._later(latency, pieces, interval, close)
            case Never(beginning):
                self._unanswered = base
                self._transport.write(beginning)

    def _later(self, wait: float, pieces: tuple[bytes, ...], interval: float, close: bool) -> None:  # noqa: FBT001
        loop = asyncio.get_running_loop()
        self._pending = loop.call_later(wait, self._send, pieces, interval, close)

    def _send(self, pieces: tuple[bytes, ...], interval: float, close: bool) -> None:  # noqa: FBT001
        now, rest = (pieces[:1], pieces[1:]) if interval else (pieces, ())
        self._transport.write(b"".join(now))
        if rest:
            self._later(interval, rest, interval, close)
            return
        self._unanswered = None
        if close:
            self._transport.close()


async def listen(
    site: Site, host: str = "127.0.0.1", port: int = 0, ssl: SSLContext | None = None
) -> asyncio.Server:
    """A listening server; its sockets tell the port."""
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: Connection(site), host, port, ssl=ssl, backlog=4096)
