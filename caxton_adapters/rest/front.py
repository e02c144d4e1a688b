"""The way into the server: every request is checked and read here; hot ones are answered here."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Final, TypeAlias, final

import anyio
from attrs import evolve
from returns.result import Failure

from caxton_adapters.auth.token import Holder
from caxton_adapters.rest import problem
from caxton_adapters.rest.audit import NOTHING, Audit, not_audited
from caxton_adapters.rest.changes import Change, Hashed
from caxton_adapters.rest.connection import CONNECTION, Connection
from caxton_adapters.rest.exchange import (
    ASKED,
    METHODS_ASKED,
    Answer,
    Answered,
    Application,
    Asked,
    Handler,
    Header,
    Message,
    Receive,
    RequestContext,
    Scope,
    Send,
    context_of,
    current,
    refusal,
    write,
    write_any,
)
from caxton_adapters.rest.guard import Guard
from caxton_adapters.rest.problem import Refused
from caxton_adapters.rest.request import ClientGoneError, discard_rest, read_body
from caxton_adapters.rest.settings import RestSettings

Methods: TypeAlias = Mapping[str, Handler]
"""The handlers of one path, by method."""

UNIX_PEER: Final = "unix"
"""In the place of an address, of whoever comes through a UNIX socket."""
_LOG: Final = logging.getLogger("caxton.rest")
_PREFLIGHT: Final = (
    (b"access-control-allow-methods", b"GET, POST, PUT, DELETE"),
    (
        b"access-control-allow-headers",
        b"authorization, content-type, idempotency-key, last-event-id, prefer, x-request-id",
    ),
    (b"access-control-max-age", b"600"),
)
_EXPOSED: Final = (
    b"access-control-expose-headers",
    b"idempotent-replayed, location, retry-after, x-request-id",
)
_OK: Final = 200
_BROKEN: Final = Refused(500, problem.INTERNAL, "The server made a mistake; its log says more.")
_ENCODED: Final = Refused(
    415,
    problem.UNSUPPORTED_MEDIA_TYPE,
    "The server reads no compressed bodies.",
    headers=((b"accept-encoding", b"identity"),),
)


@final
class HotRoutes:
    """The few paths that are asked all the time, found without a router.

    `exact` are whole paths; `around` are paths of which the part between a prefix and a suffix
    names what they are about.
    """

    def __init__(
        self, exact: Mapping[str, Methods], around: Mapping[tuple[str, str], Methods]
    ) -> None:
        self._exact = exact
        self._around = tuple((*ends, methods) for ends, methods in around.items())

    def find(self, path: str) -> tuple[Methods, str] | None:
        """The methods of the path, and what it names."""
        exact = self._exact.get(path)
        if exact is not None:
            return exact, ""
        for prefix, suffix, methods in self._around:
            if path.startswith(prefix) and path.endswith(suffix):
                name = path[len(prefix) : len(path) - len(suffix)]
                if name and "/" not in name:
                    return methods, name
        return None


@final
class Front:
    """The ASGI application that uvicorn runs; `behind` answers what is not hot."""

    def __init__(
        self,
        settings: RestSettings,
        guard: Guard,
        hot: HotRoutes,
        behind: Callable[[], Awaitable[Application]],
        audit: Audit = not_audited,
    ) -> None:
        self._guard = guard
        self._audit = audit
        self._settings = settings
        self._hot = hot
        self._behind = behind

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        headers, peer = dict(scope["headers"]), _peer(scope)
        holder = self._guard.holder(headers, peer)
        context = context_of(headers, holder.name)
        reply = _Reply(send, context, self._guard.trusted_origin(headers))
        restore = current.set(context)
        try:
            await self._answer(scope, headers, receive, reply, holder, peer)
        except ClientGoneError:
            reply.started = True
        except anyio.get_cancelled_exc_class():
            reply.started = True  # the server ends at once: nobody waits any more
            raise
        finally:
            current.reset(restore)
            # What went wrong goes on its way to the log, after the line that ties it to the id.
            if not reply.started:
                _say_failed(scope, reply.context)
                await reply.refuse(_BROKEN)
            self._audit(scope["method"], scope["path"], peer, context, reply.status, reply.subject)

    async def _answer(
        self,
        scope: Scope,
        headers: Mapping[bytes, bytes],
        receive: Receive,
        reply: "_Reply",
        holder: Holder,
        peer: str,
    ) -> None:
        method, path = scope["method"], scope["path"]
        refused = self._guard.refusal(method, path, scope["headers"], headers, holder, peer)
        if refused is None and headers.get(b"content-encoding", b"identity") != b"identity":
            refused = _ENCODED
        if refused is not None:
            await reply.refuse(refused)
            return
        read = await read_body(receive, headers.get(b"content-length"), self._settings.max_body)
        if isinstance(read, Failure):
            await reply.refuse(read.failure(), meanwhile=partial(discard_rest, receive))
            return
        body, query = read.unwrap(), scope["query_string"]
        leaver = _leaver(scope)
        asked = Asked(
            method,
            path,
            headers,
            body,
            reply.context,
            leaver,
            query,
            reply.about,
            holder,
            reply.changed,
        )
        if method == "OPTIONS" and b"access-control-request-method" in headers:
            await reply.write(Answer(204, headers=_PREFLIGHT))
            return
        found = self._hot.find(path)
        if found is None:
            await self._pass_on(scope, asked, receive, reply)
        else:
            await reply.write(await _handled(*found, asked))

    async def _pass_on(self, scope: Scope, asked: Asked, receive: Receive, reply: "_Reply") -> None:
        """Let the application behind answer."""
        unread = [asked.body]

        async def replay() -> Message:
            if unread:
                return {"type": "http.request", "body": unread.pop(), "more_body": False}
            return await receive()

        application = await self._behind()
        await application({**_for_litestar(scope), ASKED: asked}, replay, reply.send)


@final
class _Reply:
    """Writes the answer to one request."""

    def __init__(self, send: Send, context: RequestContext, trusted: bytes | None) -> None:
        self._send = send
        self._trusted = trusted
        self.context = context
        self.started = False
        self.status = 0
        """What was answered; 0 where nothing was."""
        self.subject = NOTHING

    def about(self, *subjects: str) -> None:
        """Note what the request is about."""
        self.subject = evolve(self.subject, subjects=(*self.subject.subjects, *subjects))

    def changed(self, before: Hashed, after: Hashed) -> None:
        """Note what the request replaced by what."""
        self.subject = evolve(self.subject, change=Change(before, after))

    async def write(self, answered: Answered) -> None:
        """Write what a handler answered."""
        self.started = True
        self.status = answered.status if isinstance(answered, Answer) else _OK
        await write_any(answered, self.context, self._more())

    async def refuse(
        self, refused: Refused, meanwhile: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        """Say why not; what happens `meanwhile` keeps the connection open for the client."""
        self.started = True
        self.status = refused.status
        send = self._more()
        if meanwhile is not None:
            send = _before_the_end(send, meanwhile)
        await write(refusal(refused, self.context), self.context, send)

    async def send(self, message: Message) -> None:
        """Send on what another application answers, with the headers of every answer."""
        if message["type"] == "http.response.start":
            self.started = True
            self.status = message["status"]
            headers = list(message["headers"])
            if not any(name == b"x-request-id" for name, _ in headers):
                headers.append((b"x-request-id", self.context.request_id.encode("ascii")))
            message = {**message, "headers": headers}
        await self._more()(message)

    def _more(self) -> Send:
        """Sends with what the browser of a trusted page asks for."""
        if self._trusted is None:
            return self._send
        return _with_headers(
            self._send,
            ((b"access-control-allow-origin", self._trusted), (b"vary", b"origin"), _EXPOSED),
        )


def _with_headers(send: Send, more: tuple[Header, ...]) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], *more]}
        await send(message)

    return sending


def _before_the_end(send: Send, meanwhile: Callable[[], Awaitable[None]]) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.body":
            await send({**message, "more_body": True})
            await meanwhile()
            message = {"type": "http.response.body", "body": b""}
        await send(message)

    return sending


def _peer(scope: Scope) -> str:
    """The address that the connection comes from, whatever headers say about it."""
    client = scope.get("client")
    if client:
        address: str = client[0]
        return address
    server = scope.get("server")
    return UNIX_PEER if server is not None and server[1] is None else ""


def _say_failed(scope: Scope, context: RequestContext) -> None:
    _LOG.error(
        "request %s failed: %s %s, trace %s",
        context.request_id,
        scope["method"],
        scope["raw_path"].decode("ascii", "backslashreplace"),
        context.trace or "none",
    )


def _for_litestar(scope: Scope) -> Scope:
    """Litestar has no HEAD, and forgets methods in its own answer to OPTIONS, but not in a 405."""
    match scope["method"]:
        case "HEAD":
            return {**scope, "method": "GET"}
        case "OPTIONS":
            return {**scope, "method": "TRACE", METHODS_ASKED: True}
        case _:
            return scope


async def _handled(methods: Methods, name: str, asked: Asked) -> Answered:
    handler = methods.get("GET" if asked.method == "HEAD" else asked.method)
    if handler is not None:
        return await handler(asked, name)
    allow = (b"allow", ", ".join((*methods, "OPTIONS")).encode("ascii"))
    if asked.method == "OPTIONS":
        return Answer(204, headers=(allow,))
    detail = f"This path does not take {asked.method[:20]}."
    refused = Refused(405, problem.METHOD_NOT_ALLOWED, detail, headers=(allow,))
    return refusal(refused, asked.context)


def _leaver(scope: Scope) -> Callable[[Callable[[], object]], object]:
    connection = scope.get(CONNECTION)
    return connection.on_leave if isinstance(connection, Connection) else _nobody_leaves


def _nobody_leaves(_: Callable[[], object]) -> None:
    """A transport that does not tell when a client goes."""
