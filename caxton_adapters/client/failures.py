"""Why a server did not do what it was asked, as one exception around a closed union."""

from typing import TypeAlias, final

from attrs import frozen

from caxton_adapters.client.wire import ErrorItem, Problem
from caxton_adapters.http_client import (
    ClientClosed,
    ConnectionLost,
    HttpFailure,
    MalformedResponse,
    NameNotResolved,
    NotConnected,
    ProxyFailed,
    RedirectRefused,
    ResponseTooLarge,
    TimedOut,
    TlsFailed,
)


@final
@frozen
class Refused:
    """The server says no: `code` is explained by `caxton explain`, `errors` have their lines."""

    status: int
    code: str
    detail: str
    request_id: str
    errors: tuple[ErrorItem, ...] = ()
    retry_after: float | None = None


@final
@frozen
class NoAnswer:
    """There is no answer, and it is not known whether the server did it."""

    why: HttpFailure


@final
@frozen
class NotUnderstood:
    """What answered is no Caxton server, or one of a time to come."""

    status: int
    why: str


Failure: TypeAlias = Refused | NoAnswer | NotUnderstood


@final
class CallFailed(Exception):
    """Raised by every operation of the client; `failure` says what happened."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(_in_words(failure))
        self.failure = failure


def refused(problem: Problem, retry_after: str | None = None) -> Refused:
    """The problem that the server sent, with the seconds after which it may be tried again."""
    seconds = float(retry_after) if retry_after and retry_after.isdecimal() else None
    return Refused(
        problem.status, problem.code, problem.detail, problem.request_id, problem.errors, seconds
    )


def _in_words(failure: Failure) -> str:
    match failure:
        case Refused(_, code, detail, _, errors):
            return "\n".join([f"{code}: {detail}", *map(_line, errors)])
        case NoAnswer(why):
            return f"no answer: {_told(why)}"
        case NotUnderstood(status, why):
            return f"not an answer of a Caxton server ({status}): {why}"


def _told(why: HttpFailure) -> str:
    match why:
        case NameNotResolved(host):
            return f"nobody knows the host {host}"
        case NotConnected(host, port, reason) | TlsFailed(host, port, reason):
            return f"{host}:{port}: {reason}" if port else f"{host}: {reason}"
        case ProxyFailed(proxy, reason):
            return f"the proxy {proxy}: {reason}"
        case TimedOut(stage, after):
            return f"nothing within {after:g} s ({stage.value})"
        case ConnectionLost(received, reason):
            return f"the connection was lost after {received} bytes: {reason}"
        case MalformedResponse(reason):
            return f"what came is no HTTP response: {reason}"
        case ResponseTooLarge(part, limit):
            return f"the {part} is larger than {limit} bytes"
        case RedirectRefused(status, location):
            return f"the server sends elsewhere ({status}): {location}"
        case ClientClosed():
            return "the client was closed"


def _line(item: ErrorItem) -> str:
    place = "" if item.line is None else f"{item.line}:{item.column}: "
    return f"  {place}{item.code} {item.message}"
