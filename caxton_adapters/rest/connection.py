"""One client's connection: uvicorn's protocol, with the limits that uvicorn leaves to a proxy."""

import asyncio
import socket
from collections.abc import Callable, Coroutine
from typing import Any, Final, final

import httptools
from uvicorn._types import ASGI3Application
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)
from uvicorn.server import ServerState

from caxton_adapters.rest import problem
from caxton_adapters.rest.exchange import PROBES, context_of
from caxton_adapters.rest.gathering import GatheringTransport
from caxton_adapters.rest.problem import Refused, encoded
from caxton_adapters.rest.settings import RestSettings

CONNECTION: Final = "caxton.connection"
"""Where the front finds the connection in the ASGI scope."""

_TOO_LONG: Final = Refused(414, problem.URL_TOO_LONG, "The URL is longer than the server reads.")
_TOO_LARGE: Final = Refused(
    431, problem.HEADERS_TOO_LARGE, "The headers are larger than the server reads."
)
_TOO_MANY: Final = Refused(
    503,
    problem.TOO_MANY_CONNECTIONS,
    "The server has as many connections as it takes.",
    headers=(problem.retry_after(1),),
)
_TOO_SLOW: Final = Refused(
    408, problem.REQUEST_TOO_SLOW, "The request did not arrive within the time for it."
)
_MALFORMED: Final = Refused(400, problem.MALFORMED_REQUEST, "This is not an HTTP/1.1 request.")
_TWO_HOSTS: Final = Refused(
    400, problem.BAD_HOST, "The URL names another host than the Host header."
)


_HAVE_MORE: Final = frozenset({b"content-length", b"transfer-encoding", b"expect"})


class _StopError(Exception):
    """Stops the parser; uvicorn answers it with `send_400_response`."""


@final
class Connection(HttpToolsProtocol):
    """Refuses heads that are too large; knows since when it waits for its client.

    `waiting_since` is for a request, `blocked_since` for room to send more of an answer. The server
    looks at them once a second, which costs a request nothing.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        limits: RestSettings,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._limits = limits
        self.waiting_since: float | None = None
        self.blocked_since: float | None = None
        self._refused = _MALFORMED
        self._answering: RequestResponseCycle | None = None
        self._head = 0
        self._on_leave: Callable[[], object] | None = None

    def on_leave(self, call: Callable[[], object]) -> None:
        """Call this if the client goes away before the running request is answered."""
        self._on_leave = call

    def give_up(self) -> None:
        """End a request that does not arrive; one that never began needs no answer."""
        if self._head == 0:
            self.transport.close()
            return
        self.send_refusal(_TOO_SLOW)
        if self._answering is not None:
            self._answering.disconnected = True
            self._answering.message_event.set()

    def send_refusal(self, refused: Refused) -> None:
        """Answer outside of the application, and hang up."""
        if self.transport.is_closing():
            return
        answering = self._answering
        if answering is None or answering.response_complete or not answering.response_started:
            self.transport.write(_written(refused))
        self.transport.close()

    # What follows is called by the loop and the parser.

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the client, if there is room for one more."""
        super().connection_made(GatheringTransport(transport, self.loop))
        _send_at_once(transport)
        self.waiting_since = self.loop.time()
        if len(self.connections) > self._limits.max_connections:
            self.send_refusal(_TOO_MANY)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever works for the client."""
        super().connection_lost(exc)
        if self._on_leave is not None:
            self._on_leave()
            self._on_leave = None

    def data_received(self, data: bytes) -> None:
        """Feed the parser, with an eye on heads that never end."""
        if self.transport.is_closing():
            return
        self._head += len(data)
        super().data_received(data)
        if self._head > self._limits.max_headers + self._limits.max_url:
            self.send_refusal(_TOO_LARGE)

    def on_message_begin(self) -> None:
        """Begin to wait for the rest of a request."""
        super().on_message_begin()
        self.waiting_since = self.loop.time()
        self.scope[CONNECTION] = self  # type: ignore[typeddict-unknown-key] # ours, beside ASGI's

    def on_headers_complete(self) -> None:
        """Hand the request on, unless its head is too large or contradicts itself."""
        self._head = -(1 << 62)  # what comes now is the body, which the front counts
        if len(self.url) > self._limits.max_url:
            self._stop(_TOO_LONG)
        if sum(len(name) + len(value) for name, value in self.headers) > self._limits.max_headers:
            self._stop(_TOO_LARGE)
        if not self.url.startswith(b"/"):
            self._check_host()
        super().on_headers_complete()
        self._answering = self.cycle

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        """Answer a probe at once: under load a task would wait for all that the loop has to do."""
        if not self._is_probe():
            super()._start_asgi_task(cycle, app)
            return
        cycle.more_body = False
        cycle.message_event.set()
        _run_to_its_end(cycle.run_asgi(app))
        assert isinstance(self.transport, GatheringTransport)
        self.transport.flush()

    def _is_probe(self) -> bool:
        """Whether the whole request is here, and nothing keeps its answer waiting."""
        return (
            self.scope["path"] in PROBES
            and self.scope["method"] == "GET"
            and not self.flow.write_paused
            and all(name not in _HAVE_MORE for name, _ in self.headers)
        )

    def on_message_complete(self) -> None:
        """The request is here."""
        self._head = 0
        self.waiting_since = None
        super().on_message_complete()

    def pause_writing(self) -> None:
        """The client does not read what is sent to it."""
        super().pause_writing()
        self.blocked_since = self.loop.time()

    def resume_writing(self) -> None:
        """The client reads again."""
        super().resume_writing()
        self.blocked_since = None

    def on_response_complete(self) -> None:
        """Nobody works for the client any more."""
        self._on_leave = None
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - our own words
        """Say what was wrong with the head."""
        self.send_refusal(self._refused)

    def _check_host(self) -> None:
        url = httptools.parse_url(self.url)
        host = b"%s:%d" % (url.host, url.port) if url.port else url.host
        if [value for name, value in self.headers if name == b"host"] != [host]:
            self._stop(_TWO_HOSTS)

    def _stop(self, refused: Refused) -> None:
        self._refused = refused
        raise _StopError


def _run_to_its_end(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run what never waits, without a task."""
    try:
        coroutine.send(None)
    except StopIteration:
        return
    coroutine.close()
    message = "the answer to a probe waits for something"
    raise AssertionError(message)


def _send_at_once(transport: asyncio.Transport) -> None:
    """Let no packet wait for another; asyncio does so only where a socket knows its protocol."""
    connected = transport.get_extra_info("socket")
    if connected is not None and connected.family != socket.AF_UNIX:
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _written(refused: Refused) -> bytes:
    """A refusal as it stands on the wire, for when there is no application to send it."""
    context = context_of({})
    body = encoded(refused, context.request_id)
    headers = (
        *refused.headers,
        (b"content-type", problem.CONTENT_TYPE),
        (b"content-length", b"%d" % len(body)),
        (b"x-request-id", context.request_id.encode("ascii")),
        (b"connection", b"close"),
    )
    lines = (b"%s: %s\r\n" % header for header in headers)
    return b"".join((STATUS_LINE[refused.status], *lines, b"\r\n", body))
