"""Which call gets which answer: base URLs with their counters, and the routes below them."""

from collections.abc import Callable
from time import monotonic
from typing import TypeAlias, final

from attrs import Factory, define, evolve, frozen
from msgspec import DecodeError
from msgspec.json import encode

from tests.model_server import encoding
from tests.model_server.answering import Answer, Said, answer
from tests.model_server.behaviour import (
    Behaviour,
    Fault,
    Framing,
    UnknownOptionError,
    read_behaviour,
)
from tests.model_server.request import ChatRequest, decode_chat_request

Headers: TypeAlias = list[tuple[bytes, bytes]]

MODEL = "echo"
MISSING_MODEL = "missing"


@final
@define
class BaseUrl:
    """One base URL: its behaviour, and what was called there."""

    behaviour: Behaviour
    calls: int = 0
    struck: int = 0
    cancelled: int = 0
    last_headers: Headers = Factory(list)
    last_body: bytes = b""
    asked: list[tuple[float, list[tuple[str, str]]]] = Factory(list)
    """When (monotonic seconds), and role and text of each message but the system's."""


@final
@frozen
class Now:
    """An answer in one piece."""

    answer: bytes
    close: bool = False


@final
@frozen
class Slowly:
    """An answer in pieces, `interval` seconds apart after `latency` seconds; closed or kept."""

    pieces: tuple[bytes, ...]
    latency: float
    interval: float
    close: bool = False


@final
@frozen
class Never:
    """No answer, or no more of it than `beginning`."""

    beginning: bytes = b""


WRONG_KEY = Now(encoding.refused(401, "invalid_api_key", "Incorrect API key provided."))

Exchange: TypeAlias = Now | Slowly | Never
Route: TypeAlias = Callable[["Site", BaseUrl, Headers, bytes], Exchange]


@final
class Site:
    """All base URLs of one server."""

    def __init__(self) -> None:
        self.bases: dict[str, BaseUrl] = {}
        self.open_connections = 0
        self._routes: dict[bytes, tuple[BaseUrl, Route]] = {}
        self._serial = 0

    def find(self, url: bytes) -> tuple[BaseUrl, Route]:
        """The base URL and the route of a request target; remembered: a call is one look-up."""
        found = self._routes.get(url)
        if found is None:
            found = self._routes[url] = self._resolve(url.decode().partition("?")[0])
        return found

    def _resolve(self, path: str) -> tuple[BaseUrl, Route]:
        options = ""
        if path.startswith("/o/"):
            options, _, path = path.removeprefix("/o/").partition("/")
        try:
            behaviour = read_behaviour(options)
        except UnknownOptionError as error:
            return BaseUrl(Behaviour()), _refusal(400, "unknown_option", str(error))
        base = self.bases.setdefault(options, BaseUrl(behaviour))
        path = "/" + path.strip("/").removeprefix("v1/")
        return base, _ROUTES.get(path) or _refusal(404, "not_found", f"nothing at {path}")

    def chat(self, base: BaseUrl, headers: Headers, body: bytes) -> Exchange:
        """One chat completion, with the fault that is due."""
        base.calls += 1
        base.last_headers, base.last_body = headers, body
        self._serial += 1
        behaviour = base.behaviour
        if _is_locked(base, headers):
            return WRONG_KEY
        struck = behaviour.strikes(base.calls)
        base.struck += struck
        fault = behaviour.fault if struck else Fault.NONE
        if struck and behaviour.status != 200:
            return self._late(behaviour, Now(_error(behaviour)))
        try:
            request = decode_chat_request(body)
        except DecodeError as error:
            return Now(encoding.refused(400, "", str(error)))
        return self._late(behaviour, self._answered(base, request, behaviour, fault))

    def _answered(
        self, base: BaseUrl, request: ChatRequest, behaviour: Behaviour, fault: Fault
    ) -> Exchange:
        tokens = request.prompt_tokens
        if behaviour.unique:
            prompt = [(each.role, each.text) for each in request.messages]
            base.asked.append((monotonic(), [each for each in prompt if each[0] != "system"]))
        refusal = _refused_request(request, tokens, behaviour)
        if refusal is not None:
            return Now(refusal)
        said = self._said(request, behaviour, fault)
        usage = encoding.usage_member(tokens, said) if behaviour.usage else b""
        if not request.stream:
            body = encoding.plain(said, serial=self._serial, model=request.model, usage=usage)
            return _plain(body, behaviour, fault)
        wanted = request.stream_options is not None and request.stream_options.include_usage
        events = encoding.events(
            said,
            serial=self._serial,
            model=request.model,
            pieces=behaviour.chunks,
            usage=usage if wanted else b"",
        )
        return _streamed(tuple(events), behaviour, fault)

    def _said(self, request: ChatRequest, behaviour: Behaviour, fault: Fault) -> Answer:
        said = answer(request, behaviour, fault)
        if behaviour.unique and isinstance(said, Said):
            return evolve(said, text=f"{said.text} #{self._serial}")
        return said

    def _late(self, behaviour: Behaviour, exchange: Exchange) -> Exchange:
        if behaviour.latency and isinstance(exchange, Now):
            return Slowly((exchange.answer,), behaviour.latency, 0, close=exchange.close)
        return exchange


def _refused_request(request: ChatRequest, tokens: int, behaviour: Behaviour) -> bytes | None:
    if request.model.startswith(MISSING_MODEL):
        text = f"The model `{request.model}` does not exist or you do not have access to it."
        return encoding.refused(404, "model_not_found", text)
    if tokens > behaviour.context:
        text = f"This model's maximum context length is {behaviour.context} tokens."
        return encoding.refused(400, "context_length_exceeded", text)
    return None


def _error(behaviour: Behaviour) -> bytes:
    headers = b""
    if behaviour.retry_after:
        headers += b"retry-after: %b\r\n" % behaviour.retry_after.encode()
    if 300 <= behaviour.status < 400:
        headers += b"location: /v1/chat/completions\r\n"
    return encoding.refused(behaviour.status, behaviour.code, "told to fail", headers)


def _plain(body: bytes, behaviour: Behaviour, fault: Fault) -> Exchange:
    if fault is Fault.NONE and behaviour.framing is Framing.LENGTH and not behaviour.padding:
        return Now(encoding.framed(body))
    body += b" " * behaviour.padding
    whole = encoding.framed(body, behaviour.framing)
    middle = len(whole) - len(body) // 2
    match fault:
        case Fault.GARBAGE:
            return Now(encoding.framed(body[: len(body) // 2], behaviour.framing))
        case Fault.EMPTY:
            return Now(encoding.framed(b'{"id":"x","object":"chat.completion","choices":[]}'))
        case _:
            return _broken(fault, whole, middle) or Now(
                whole, close=behaviour.framing is Framing.CLOSE or fault is Fault.CLOSE
            )


def _streamed(events: tuple[bytes, ...], behaviour: Behaviour, fault: Fault) -> Exchange:
    if fault is Fault.EMPTY:
        events = ()
    if fault is Fault.GARBAGE:
        events = (*events[:-1], b'data: {"id": \n\n')
    pieces = [encoding.chunk(event) for event in (*events, encoding.DONE)]
    pieces[0] = encoding.STREAM_HEAD + pieces[0]
    pieces[-1] += encoding.STREAM_END
    sent = b"".join(pieces[: max(1, len(pieces) // 2)])
    broken = _broken(fault, sent, len(sent))
    if broken is not None:
        return broken
    close = fault is Fault.CLOSE
    if not behaviour.interval and not behaviour.latency:
        return Now(b"".join(pieces), close=close)
    return Slowly(tuple(pieces), behaviour.latency, behaviour.interval, close=close)


def _broken(fault: Fault, whole: bytes, middle: int) -> Exchange | None:
    match fault:
        case Fault.DROP:
            return Now(b"", close=True)
        case Fault.HANG:
            return Never()
        case Fault.CUT:
            return Now(whole[:middle], close=True)
        case Fault.STALL:
            return Never(whole[:middle])
        case Fault.NOT_HTTP:
            return Now(b"220 mail.example ESMTP\r\n", close=True)
        case _:
            return None


def _is_locked(base: BaseUrl, headers: Headers) -> bool:
    key = base.behaviour.key
    return bool(key) and (b"authorization", b"Bearer " + key.encode()) not in headers


def _models(_site: Site, base: BaseUrl, headers: Headers, _body: bytes) -> Exchange:
    if _is_locked(base, headers):
        return WRONG_KEY
    meta = {"n_ctx_train": base.behaviour.context}
    model = {"id": MODEL, "object": "model", "created": 0, "owned_by": "tests", "meta": meta}
    return Now(encoding.framed(encode({"object": "list", "data": [model]})))


def _model(_site: Site, _base: BaseUrl, _headers: Headers, _body: bytes) -> Exchange:
    return Now(encoding.framed(encode({"id": MODEL, "object": "model", "owned_by": "tests"})))


def _props(_site: Site, base: BaseUrl, _headers: Headers, _body: bytes) -> Exchange:
    behaviour = base.behaviour
    settings = {"n_ctx": behaviour.context}
    modalities = {"vision": behaviour.vision, "audio": False}
    props = {"default_generation_settings": settings, "modalities": modalities, "total_slots": 1024}
    return Now(encoding.framed(encode(props)))


def _stats(site: Site, base: BaseUrl, _headers: Headers, _body: bytes) -> Exchange:
    counted = {
        "calls": base.calls,
        "struck": base.struck,
        "cancelled": base.cancelled,
        "total_calls": sum(each.calls for each in site.bases.values()),
        "open_connections": site.open_connections,
        "last_headers": {name.decode(): value.decode() for name, value in base.last_headers},
        "last_body": base.last_body.decode(errors="replace"),
    }
    return Now(encoding.framed(encode(counted)))


def _asked(_site: Site, base: BaseUrl, _headers: Headers, _body: bytes) -> Exchange:
    return Now(encoding.framed(encode(base.asked)))


def _health(_site: Site, _base: BaseUrl, _headers: Headers, _body: bytes) -> Exchange:
    return Now(encoding.framed(b'{"status":"ok"}'))


def _refusal(status: int, code: str, message: str) -> Route:
    refused = Now(encoding.refused(status, code, message))
    return lambda _site, _base, _headers, _body: refused


_ROUTES: dict[str, Route] = {
    "/chat/completions": Site.chat,
    "/models": _models,
    f"/models/{MODEL}": _model,
    "/props": _props,
    "/stats": _stats,
    "/asked": _asked,
    "/health": _health,
}
