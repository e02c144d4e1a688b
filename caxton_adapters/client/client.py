"""The operations of a server as methods: typed answers, deadlines, and safe repetition."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeAlias, TypeVar, final
from urllib.parse import quote, urlencode
from uuid import uuid4

import anyio
import msgspec
from attrs import frozen

from caxton_adapters.client import wire
from caxton_adapters.client.events import NamedEvent, NamedEvents
from caxton_adapters.client.failures import CallFailed, NoAnswer, NotUnderstood, refused
from caxton_adapters.http_client import (
    ConnectionLost,
    Endpoint,
    HttpClient,
    RequestFailed,
    Response,
    StreamedResponse,
    Timeouts,
)
from caxton_adapters.secrets import Secret

T = TypeVar("T")
P = TypeVar("P", wire.AgentPage, wire.MessagePage, wire.ConversationPage)

DEFAULT_URL: Final = "http://127.0.0.1:8080"
UNIX: Final = "unix://"
PAGE: Final = 200
TRIES: Final = 3
FAREWELL: Final = 2.0
_encode: Final = msgspec.json.Encoder().encode
KEY: Final = "idempotency-key"
_REFUSALS: Final = 400
_UNAVAILABLE: Final = 503
_NONE: Final[Mapping[str, str]] = {}
_JSON: Final = {"content-type": "application/json"}
_TOML: Final = {"content-type": "application/toml"}


@final
@frozen
class FailedCall:
    """A tool call of which somebody knows that it failed."""

    why: str


Results: TypeAlias = Mapping[str, str | FailedCall]
_NOTHING_KNOWN: Final[Results] = {}


@final
class Client:
    """Talks to one server; every operation raises `CallFailed` and nothing else.

    A message is sent with a key of its own, so it is sent again where the connection was lost and
    answered once. `timeout` (seconds) bounds a call, `patience` the wait for an agent's answer.
    The server of an https address is known by its certificate: `authorities`, a PEM file, takes
    the place of the authorities that the system trusts. `unix:///PATH` is the UNIX socket of a
    server on this machine.
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        token: str | Secret | None = None,
        timeout: float = 30.0,
        patience: float = 150.0,
        authorities: str | Path | None = None,
    ) -> None:
        unix_socket = Path(url.removeprefix(UNIX)) if url.startswith(f"{UNIX}/") else None
        self._url = url.rstrip("/") if unix_socket is None else "http://localhost"
        self._token = Secret(token) if isinstance(token, str) else token
        self._timeout = timeout
        self._patience = patience
        waits = Timeouts(first_byte=patience, idle=patience, total=max(timeout, patience))
        trusted = None if authorities is None else Path(authorities)
        self._http = HttpClient(waits, authorities=trusted, unix_socket=unix_socket)

    async def health(self) -> wire.Health:
        """How the server does, also where it takes no new work."""
        response = await self._answer("GET", "/health")
        if response.status not in (200, _UNAVAILABLE):
            raise _failed(response.status, response.body, response.header)
        return _read(response.status, response.body, wire.Health)

    async def deploy(self, text: str) -> wire.Agent:
        """Run a new agent that the text of an agent file describes."""
        return await self._call(wire.Agent, "POST", "/agents", text.encode(), _TOML)

    async def replace(self, agent: str, text: str) -> wire.Agent:
        """Give an agent another file of the same name."""
        return await self._call(wire.Agent, "PUT", _path(agent), text.encode(), _TOML)

    async def show(self, agent: str) -> wire.Agent:
        """All there is to know about an agent, by its name or identity."""
        return await self._call(wire.Agent, "GET", _path(agent))

    async def agents(self) -> AsyncIterator[wire.AgentSummary]:
        """Every agent, the oldest first; pages are asked for as they are needed."""
        async for page in self._pages(wire.AgentPage, "/agents"):
            for agent in page.agents:
                yield agent

    async def start(self, agent: str) -> wire.Agent:
        """Have an agent take messages."""
        return await self._call(wire.Agent, "POST", f"{_path(agent)}/start")

    async def stop(self, agent: str) -> wire.Agent:
        """Have an agent take no more messages."""
        return await self._call(wire.Agent, "POST", f"{_path(agent)}/stop")

    async def delete(self, agent: str, *, force: bool = False) -> None:
        """Remove an agent; one that is answering only by force."""
        query = "?force=true" if force else ""
        await self._fetch("DELETE", _path(agent) + query)

    async def send(self, agent: str, text: str, conversation: str | None = None) -> wire.Answer:
        """Say something to an agent and wait for its answer.

        A caller who is cancelled cancels the message.
        """
        path, body, headers = _message(agent, text, conversation)
        try:
            return await self._call(wire.Answer, "POST", path, body, headers)
        except anyio.get_cancelled_exc_class():
            await self._leave(path, body, headers)
            raise

    @asynccontextmanager
    async def stream(
        self, agent: str, text: str, conversation: str | None = None
    ) -> AsyncIterator["Pieces"]:
        """Say something to an agent and read its answer while it comes.

        Leaving the block early cancels the message.
        """
        path, body, headers = _message(agent, text, conversation)
        asked = self._headers({**headers, "accept": "text/event-stream"})
        endpoint = self._http.endpoint("POST", self._url + path, asked)
        try:
            async with endpoint.stream(body, self._patience) as response:
                if response.status >= _REFUSALS:
                    raise _failed(response.status, await response.whole(), response.header)
                pieces = Pieces(response)
                try:
                    yield pieces
                finally:
                    if not pieces.ended:
                        await self._leave(path, body, headers)
        except RequestFailed as error:
            raise CallFailed(NoAnswer(error.failure)) from error

    async def cancel(self, message: str) -> None:
        """Stop answering a message; nothing happens where it was answered."""
        await self._fetch("DELETE", f"/messages/{quote(message, safe='')}")

    async def message(self, message: str) -> wire.Message:
        """A message and what became of it."""
        return await self._call(wire.Message, "GET", f"/messages/{quote(message, safe='')}")

    async def messages(self, **wanted: str) -> AsyncIterator[wire.Message]:
        """Every message, the newest first; `agent`, `conversation` and `state` choose."""
        async for page in self._pages(wire.MessagePage, "/messages", **wanted):
            for message in page.messages:
                yield message

    async def retry(self, message: str, results: Results = _NOTHING_KNOWN) -> None:
        """Have a message that failed go on, with what came of its unknown calls by their ids.

        Calls that are not told are made again.
        """
        told = {call: _told(came) for call, came in results.items()}
        path = f"/messages/{quote(message, safe='')}/retry"
        await self._fetch("POST", path, _encode({"results": told}), _JSON)

    async def conversations(self, agent: str | None = None) -> AsyncIterator[wire.Conversation]:
        """Every conversation, or those of an agent alone, the one used last first."""
        async for page in self._pages(wire.ConversationPage, "/conversations", **_whose(agent)):
            for conversation in page.conversations:
                yield conversation

    async def said(
        self, conversation: str, agent: str | None = None
    ) -> AsyncIterator[wire.Message]:
        """The messages of a conversation, oldest first; `agent` says whose it is."""
        async for page in self._pages(wire.MessagePage, _talk(conversation), **_whose(agent)):
            for message in page.messages:
                yield message

    async def reset(self, conversation: str, agent: str | None = None) -> wire.Conversation:
        """Have a conversation begin anew; what was said stays readable."""
        path = f"{_talk(conversation)}/reset?{urlencode(_whose(agent))}"
        return await self._call(wire.Conversation, "POST", path)

    async def delete_conversation(
        self, conversation: str, agent: str | None = None, *, force: bool = False
    ) -> None:
        """Remove a conversation and its messages; those at work are cancelled by force only."""
        query = _whose(agent) | ({"force": "true"} if force else {})
        await self._fetch("DELETE", f"{_talk(conversation)}?{urlencode(query)}")

    async def aclose(self) -> None:
        """Close every connection."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def _leave(self, path: str, body: bytes, headers: Mapping[str, str]) -> None:
        """Cancel a message of which only the key is known: sent again, it tells its identity."""
        again = {**headers, "prefer": "respond-async"}
        with anyio.move_on_after(FAREWELL, shield=True), suppress(CallFailed):
            accepted = await self._call(wire.Accepted, "POST", path, body, again)
            await self.cancel(accepted.message_id)

    async def _pages(self, form: type[P], path: str, **query: str) -> AsyncIterator[P]:
        """The pages of a list, each asked for when it is needed."""
        asked = {"limit": str(PAGE), **query}
        while True:
            page = await self._call(form, "GET", f"{path}?{urlencode(asked)}")
            yield page
            if page.next is None:
                return
            asked["cursor"] = page.next

    async def _call(
        self,
        form: type[T],
        method: str,
        path: str,
        body: bytes = b"",
        headers: Mapping[str, str] = _NONE,
    ) -> T:
        response = await self._fetch(method, path, body, headers)
        return _read(response.status, response.body, form)

    async def _fetch(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] = _NONE
    ) -> Response:
        response = await self._answer(method, path, body, headers)
        if response.status >= _REFUSALS:
            raise _failed(response.status, response.body, response.header)
        return response

    async def _answer(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] = _NONE
    ) -> Response:
        endpoint = self._http.endpoint(method, self._url + path, self._headers(headers))
        keyed = KEY in headers
        tries = TRIES if keyed or method == "GET" else 1
        total = self._patience if keyed else self._timeout
        return await _answered(endpoint, body, total, tries)

    def _headers(self, headers: Mapping[str, str]) -> Mapping[str, str]:
        if self._token is None:
            return headers
        return {**headers, "authorization": f"Bearer {self._token.reveal()}"}


@final
class Pieces:
    """An answer while it comes: iterate over its pieces, then ask for the whole."""

    def __init__(self, response: StreamedResponse) -> None:
        self._response = response
        self._answer: wire.Answer | None = None
        self.ended = False

    async def __aiter__(self) -> AsyncIterator[str]:
        async for event in self._events():
            match event.name:
                case "delta":
                    yield _read(200, event.data, wire.Delta).text
                case "message":
                    self.ended = True
                    self._answer = _read(200, event.data, wire.Answer)
                case "error":
                    self.ended = True
                    problem = _read(200, event.data, wire.Problem)
                    raise CallFailed(refused(problem))
                case _:
                    pass

    async def whole(self) -> wire.Answer:
        """The whole answer, once it is there."""
        if self._answer is None:
            async for _ in self:
                pass
        if self._answer is None:
            raise CallFailed(NotUnderstood(200, "the stream ended without an answer"))
        return self._answer

    async def _events(self) -> AsyncIterator[NamedEvent]:
        reader = NamedEvents()
        while piece := await self._response.piece():
            for event in reader.feed(piece):
                yield event


async def _answered(endpoint: Endpoint, body: bytes, total: float, tries: int) -> Response:
    while True:
        tries -= 1
        try:
            return await endpoint.fetch(body, total)
        except RequestFailed as error:
            if not tries or not isinstance(error.failure, ConnectionLost):
                raise CallFailed(NoAnswer(error.failure)) from error


def _message(
    agent: str, text: str, conversation: str | None
) -> tuple[str, bytes, Mapping[str, str]]:
    said = {"text": text}
    if conversation is not None:
        said["conversation_id"] = conversation
    return f"{_path(agent)}/message", _encode(said), {**_JSON, KEY: uuid4().hex}


def _talk(conversation: str) -> str:
    return f"/conversations/{quote(conversation, safe='')}"


def _whose(agent: str | None) -> dict[str, str]:
    return {} if agent is None else {"agent": agent}


def _told(came: str | FailedCall) -> str | dict[str, str]:
    return came if isinstance(came, str) else {"failed": came.why}


def _path(agent: str) -> str:
    return f"/agents/{quote(agent, safe='')}"


def _read(status: int, body: bytes, form: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=form)
    except msgspec.DecodeError as error:
        raise CallFailed(NotUnderstood(status, str(error))) from error


def _failed(status: int, body: bytes, header: Callable[[bytes], str | None]) -> CallFailed:
    problem = _read(status, body, wire.Problem)
    return CallFailed(refused(problem, header(b"retry-after")))
