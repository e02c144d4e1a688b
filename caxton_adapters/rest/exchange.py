"""A request that was read whole and what is answered to it, whoever reads and writes them."""

import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextvars import ContextVar
from os import urandom
from typing import Any, Final, TypeAlias, final

import msgspec
from attrs import field, frozen

from caxton_adapters.auth.token import STRANGER, Holder
from caxton_adapters.rest import problem
from caxton_adapters.rest.changes import Hashed
from caxton_adapters.rest.problem import Refused

Scope: TypeAlias = MutableMapping[str, Any]  # the ASGI specification's own types
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Application: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]
Header: TypeAlias = tuple[bytes, bytes]
WriteChunk: TypeAlias = Callable[[bytes], Awaitable[None]]

METHODS_ASKED: Final = "caxton.methods"
"""Marks a request in the ASGI scope that asks for the methods of its path, and nothing else."""

ASKED: Final = "caxton.asked"
"""Where the application behind the front finds the request that the front has read."""

PROBES: Final = frozenset({"/health", "/health/live", "/health/ready", "/health/startup"})
"""Paths whose answers wait for nothing, so that they can be given before everything else."""

JSON: Final = b"application/json"
_WELL_FORMED_ID: Final = re.compile(rb"[A-Za-z0-9_.:-]{1,128}")
_TRACE: Final = re.compile(
    rb"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
)

_encode: Final = msgspec.json.Encoder().encode


@final
@frozen
class RequestContext:
    """What ties the records of one request together; `trace` is the caller's W3C trace id.

    `principal` is the name of whoever asks, as far as a token tells.
    """

    request_id: str
    trace: str | None
    principal: str = "anonymous"


current: Final[ContextVar[RequestContext | None]] = ContextVar("request", default=None)
"""The request in whose name the running task works."""


@final
@frozen
class Asked:
    """A request, its body included; the names of headers are in lower case.

    `on_leave` is told whom to call when the client goes away before it has its answer; `about`,
    for the audit, what the request is about where its path does not say so, and `changed` what of
    the configuration was there before and is there now.
    """

    method: str
    path: str
    headers: Mapping[bytes, bytes]
    body: bytes
    context: RequestContext
    on_leave: Callable[[Callable[[], object]], object] = field(default=lambda _: None)
    query: bytes = b""
    about: Callable[..., object] = field(default=lambda *_: None)
    holder: Holder = STRANGER
    changed: Callable[[Hashed, Hashed], object] = field(default=lambda *_: None)


@final
@frozen
class Answer:
    """An answer that is known whole."""

    status: int
    body: bytes = b""
    headers: tuple[Header, ...] = ()
    content_type: bytes = JSON


@final
@frozen
class Streamed:
    """Server-sent events, or lines: `run` writes them as they stand on the wire, and ends them."""

    run: Callable[[WriteChunk], Awaitable[None]]
    headers: tuple[Header, ...] = ()
    content_type: bytes = b"text/event-stream"


Answered: TypeAlias = Answer | Streamed
Handler: TypeAlias = Callable[[Asked, str], Awaitable[Answered]]
"""Answers a request; the text is the part of the path that names what it is about."""


def context_of(headers: Mapping[bytes, bytes], principal: str = "anonymous") -> RequestContext:
    """The caller's own request id where it is well formed, else a new one."""
    given = headers.get(b"x-request-id")
    if given is not None and _WELL_FORMED_ID.fullmatch(given):
        request_id = given.decode("ascii")
    else:
        request_id = urandom(12).hex()
    parent = headers.get(b"traceparent")
    traced = None if parent is None else _TRACE.match(parent)
    trace = None if traced is None else traced[1].decode("ascii")
    return RequestContext(request_id, trace, principal)


def refusal(refused: Refused, context: RequestContext) -> Answer:
    """The answer that says why not."""
    body = problem.encoded(refused, context.request_id)
    return Answer(refused.status, body, refused.headers, problem.CONTENT_TYPE)


def json_answer(value: object, status: int = 200, headers: tuple[Header, ...] = ()) -> Answer:
    """A value of `wire` as the answer."""
    return Answer(status, _encode(value), headers)


async def write(answer: Answer, context: RequestContext, send: Send) -> None:
    """Send the whole answer."""
    headers: list[Header] = [
        (b"content-length", b"%d" % len(answer.body)),
        (b"x-request-id", context.request_id.encode("ascii")),
        (b"x-content-type-options", b"nosniff"),
        *answer.headers,
    ]
    if answer.body:
        headers.append((b"content-type", answer.content_type))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


async def write_stream(streamed: Streamed, context: RequestContext, send: Send) -> None:
    """Send the events as they come."""
    headers: list[Header] = [
        (b"content-type", streamed.content_type),
        (b"cache-control", b"no-store"),
        (b"x-accel-buffering", b"no"),
        (b"x-request-id", context.request_id.encode("ascii")),
        (b"x-content-type-options", b"nosniff"),
        *streamed.headers,
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})

    async def write_chunk(chunk: bytes) -> None:
        await send({"type": "http.response.body", "body": chunk, "more_body": True})

    await streamed.run(write_chunk)
    await send({"type": "http.response.body", "body": b""})


async def write_any(answered: Answered, context: RequestContext, send: Send) -> None:
    """Send what a handler answered."""
    if isinstance(answered, Answer):
        await write(answered, context, send)
    else:
        await write_stream(answered, context, send)
