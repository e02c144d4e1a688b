"""Opens the way to a server, whichever way that is; loading this loads the library."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Self, TypeAlias, final

import httpx2
from attrs import define
from mcp.client import Transport
from mcp.shared._stream_protocols import ReadStream, WriteStream
from mcp.shared.message import SessionMessage

from caxton_adapters.mcp.asked import only_so_much_asked
from caxton_adapters.mcp.ending import Ending
from caxton_adapters.mcp.homes import Home
from caxton_adapters.mcp.registration import Registration
from caxton_adapters.mcp.session import Session, session
from caxton_adapters.mcp.stdio import StdioTransport
from caxton_adapters.mcp.stream import Stream
from caxton_adapters.mcp.warden import Warden
from caxton_adapters.mcp.watcher import Watcher

_Incoming: TypeAlias = SessionMessage | Exception
_Streams: TypeAlias = tuple[ReadStream[_Incoming], WriteStream[SessionMessage]]


def open_session(  # noqa: PLR0913 - all that a connection has for it
    server: str,
    written: Registration,
    home: Home,
    warden: Warden,
    watcher: Watcher,
    *,
    legacy: bool,
    auth: httpx2.Auth | None = None,
) -> AbstractAsyncContextManager[Session]:
    """A conversation with the server, for as long as the context lasts."""
    transport: Transport = (
        StdioTransport(written, home, warden, watcher.ending, watcher.said)
        if written.url is None
        else _noticed(_http(written, auth), watcher.ending)
    )
    bounded = only_so_much_asked(transport, watcher.ending, written.connect_timeout.value)
    return session(server, written, bounded, watcher, legacy=legacy)


def _http(written: Registration, auth: httpx2.Auth | None) -> Transport:
    from caxton_adapters.mcp.http import http_transport  # noqa: PLC0415 - for those who need it

    assert written.url is not None
    return http_transport(
        written.url.value,
        headers={name: header.value for name, header in written.headers.items()},
        connect_timeout=written.connect_timeout.value,
        max_bytes=written.max_frame.value,
        private_network=written.private_network,
        auth=auth,
    )


@asynccontextmanager
async def _noticed(transport: Transport, ending: Ending) -> AsyncIterator[_Streams]:
    """The same way, whose end is told."""
    async with transport as (read, write):
        yield _Noticed(read, ending), write


@final
@define(eq=False)
class _Noticed(Stream):
    """A stream of messages that tells when it ends."""

    _stream: ReadStream[_Incoming]
    _ending: Ending

    async def receive(self) -> _Incoming:
        """The next message; raises what the stream raises."""
        return await self._stream.receive()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> _Incoming:
        try:
            return await self._stream.__anext__()
        except StopAsyncIteration:
            self._ending.tell("the server is gone")
            raise

    async def aclose(self) -> None:
        """Take no more messages."""
        await self._stream.aclose()
