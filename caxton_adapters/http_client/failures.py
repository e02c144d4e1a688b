"""Every way in which a request gets no usable response, as one exception around a closed union."""

from enum import Enum
from typing import TypeAlias, final

from attrs import frozen


@final
class Stage(Enum):
    """Which wait of a request ran out."""

    CONNECT = "connect"
    FIRST_BYTE = "first_byte"
    IDLE = "idle"
    TOTAL = "total"


@final
@frozen
class NameNotResolved:
    """The host name is unknown."""

    host: str


@final
@frozen
class NotConnected:
    """No connection came about: refused, no route, or reset; port 0 is a UNIX socket's."""

    host: str
    port: int
    why: str


@final
@frozen
class TlsFailed:
    """The certificate or the handshake is not acceptable."""

    host: str
    port: int
    why: str


@final
@frozen
class ProxyFailed:
    """The proxy does not make the connection."""

    proxy: str
    why: str


@final
@frozen
class TimedOut:
    """A wait took longer than `after` seconds."""

    stage: Stage
    after: float


@final
@frozen
class ConnectionLost:
    """The other side closed; `received` counts the response's bytes until then."""

    received: int
    why: str


@final
@frozen
class MalformedResponse:
    """What came is not an HTTP response that was asked for."""

    why: str


@final
@frozen
class ResponseTooLarge:
    """A part of the response is larger than the limit, in bytes."""

    part: str
    limit: int


@final
@frozen
class RedirectRefused:
    """The server wants the request sent elsewhere, with the credentials that it carries."""

    status: int
    location: str


@final
@frozen
class ClientClosed:
    """The client was closed while the request waited."""


HttpFailure: TypeAlias = (
    NameNotResolved
    | NotConnected
    | TlsFailed
    | ProxyFailed
    | TimedOut
    | ConnectionLost
    | MalformedResponse
    | ResponseTooLarge
    | RedirectRefused
    | ClientClosed
)


@final
class RequestFailed(Exception):
    """Raised by every operation of the client; `failure` says what happened."""

    def __init__(self, failure: HttpFailure) -> None:
        super().__init__(failure)
        self.failure = failure
