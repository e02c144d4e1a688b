"""One response after another, assembled from the bytes of a connection; no socket in sight."""

from typing import final

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from caxton_adapters.http_client.failures import (
    ConnectionLost,
    HttpFailure,
    MalformedResponse,
    RedirectRefused,
    ResponseTooLarge,
)
from caxton_adapters.http_client.limits import Limits
from caxton_adapters.http_client.message import SUCCESSES, Header, header

FIRST_FINAL_STATUS = 200
REDIRECTS = range(300, 400)


@final
class Incoming:
    """What has come of a response so far.

    `head_done` and `done` tell how far it is, `failure` why it will get no further; `pieces` holds
    the body that nobody has taken yet, `unread` its size. `reusable` stays true as long as the
    connection holds nothing that belongs to no response.
    """

    __slots__ = (
        "_body_size",
        "_framing",
        "_limits",
        "_parser",
        "_tunnel",
        "done",
        "failure",
        "head_done",
        "headers",
        "pieces",
        "received",
        "reusable",
        "status",
        "unread",
    )

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._parser = HttpResponseParser(self)
        self._tunnel = False
        self.reusable = True
        self.expect()
        self.done = True

    def expect(self, *, tunnel: bool = False) -> None:
        """Make ready for the next response; that to a CONNECT request ends with its head."""
        self._tunnel = tunnel
        self.failure: HttpFailure | None = None
        self.status = 0
        self.headers: list[Header] = []
        self.pieces: list[bytes] = []
        self.head_done = self.done = False
        self.received = self.unread = self._framing = self._body_size = 0

    def feed(self, received: memoryview) -> None:
        """Take bytes from the connection."""
        if self.done:
            self.reusable = False
            return
        self.received += len(received)
        self._framing += len(received)
        try:
            self._parser.feed_data(received)
        except (HttpParserError, HttpParserUpgrade) as error:
            self.reusable = False
            self._fail(MalformedResponse(f"not HTTP: {error}"))
        if self._framing > self._limits.framing:
            self._fail(ResponseTooLarge("headers", self._limits.framing))

    def end(self, why: str) -> None:
        """The connection is gone: that is the end of a body without a length, or too early."""
        self.reusable = False
        if self.head_done and not self._framed():
            self.done = True
        self._fail(ConnectionLost(self.received, why))

    def stop(self, failure: HttpFailure) -> None:
        """Give the response up."""
        self.reusable = False
        self._fail(failure)

    def take(self) -> bytes:
        """The body that nobody has taken yet."""
        pieces, self.pieces, self.unread = self.pieces, [], 0
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def on_message_begin(self) -> None:
        """Notice a response that nobody asked for."""
        if self.done:
            self.reusable = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Collect a header; trailers are dropped."""
        if not self.head_done:
            self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Judge a final head; an interim one is passed over."""
        status = self._parser.get_status_code()
        if status < FIRST_FINAL_STATUS or self.done:
            return
        self.status = status
        self.head_done = True
        if status in REDIRECTS:
            location = header(self.headers, b"location") or ""
            self._fail(RedirectRefused(status, location))
        elif self._tunnel and status in SUCCESSES:
            self.done = True
        for name, value in self.headers:
            # Of dozens of headers two matter: their lengths tell them apart at the least cost.
            if len(name) == 14 or len(name) == 16:  # noqa: PLR2004 (the two lengths)
                self._judge(name.lower(), value)

    def on_body(self, body: bytes) -> None:
        """Collect a piece of the body."""
        if self.done:
            self.reusable = False
            return
        size = len(body)
        self._framing = 0
        self._body_size += size
        self.unread += size
        self.pieces.append(body)
        if self._body_size > self._limits.body:
            self._too_large()

    def on_message_complete(self) -> None:
        """Note the end of the response, or forget an interim one."""
        if not self.head_done:
            self.headers.clear()
            return
        self.done = True
        if not self._parser.should_keep_alive():
            self.reusable = False

    def _judge(self, name: bytes, value: bytes) -> None:
        if name == b"content-length" and int(value) > self._limits.body:
            self._too_large()
        elif name == b"content-encoding" and value.strip().lower() != b"identity":
            self._fail(MalformedResponse("the body is compressed, which was not asked for"))

    def _too_large(self) -> None:
        self.pieces.clear()
        self._fail(ResponseTooLarge("body", self._limits.body))

    def _framed(self) -> bool:
        return (
            header(self.headers, b"content-length") is not None
            or header(self.headers, b"transfer-encoding") is not None
        )

    def _fail(self, failure: HttpFailure) -> None:
        """Keep the first reason; a response that is complete cannot fail any more."""
        if self.failure is None and not self.done:
            self.failure = failure
