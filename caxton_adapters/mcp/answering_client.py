"""A client whose requests are always answered: what fails on the way comes back as an answer.

The SDK hands an answer to whoever asked, but an exception to its whole connection.
"""

from collections.abc import AsyncIterator, Callable
from typing import Any, Final, final

import httpx2
import msgspec
from anyio import current_time, sleep_until
from mcp.client.auth import OAuthFlowError
from mcp.client.streamable_http import MCP_SESSION_ID

from caxton_adapters.mcp.visible import one_line

NOT_CONNECTED: Final = -32000
REFUSED: Final = -32603
FAREWELL: Final = 2.0
BETWEEN_STREAMS: Final = 0.1
_LONGEST_WHY: Final = 500
_ERROR: Final = 400
_NOT_FOUND: Final = 404
_BAD_GATEWAY: Final = 502


@final
class Interrupted(httpx2.StreamError):
    """The server stopped in the middle of an answer."""


@final
class AnsweringClient(httpx2.AsyncClient):
    """Calls `gone` when a server that answered before is not there any more, or forgot us."""

    def __init__(
        self,
        transport: httpx2.AsyncBaseTransport,
        timeout: httpx2.Timeout,
        *,
        auth: httpx2.Auth | None,
        gone: Callable[[], None],
    ) -> None:
        super().__init__(transport=transport, timeout=timeout, auth=auth, trust_env=False)
        self._gone = gone
        self._answered = False
        self._listens_at = 0.0

    async def send(
        self,
        request: httpx2.Request,
        **options: Any,  # noqa: ANN401 (they are the library's)
    ) -> httpx2.Response:
        """The server's answer, or one that says why there is none."""
        _set_patience(request)
        if request.method == "GET":
            await self._pace()
        try:
            response = await super().send(request, **options)
        except (httpx2.HTTPError, httpx2.StreamError, OAuthFlowError) as error:
            return self._unanswered(request, error)
        self._answered = True
        if response.status_code == _NOT_FOUND and _in_session(request):
            self._gone()
        if response.status_code >= _ERROR and response.status_code != _NOT_FOUND:
            return await _explained(request, response)
        if isinstance(response.stream, httpx2.AsyncByteStream):
            response.stream = Body(response.stream)
        return response

    async def _pace(self) -> None:
        """A server may ask to be listened to again at once, for ever."""
        self._listens_at = max(current_time(), self._listens_at + BETWEEN_STREAMS)
        await sleep_until(self._listens_at)

    def _unanswered(self, request: httpx2.Request, error: Exception) -> httpx2.Response:
        if isinstance(error, httpx2.ConnectError) and request.method == "POST" and self._answered:
            self._gone()
        return _answer(request, _BAD_GATEWAY, NOT_CONNECTED, _why(error))


@final
class Body(httpx2.AsyncByteStream):
    """A body whose interruption is the failure of one answer."""

    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for piece in self._stream:
                yield piece
        except httpx2.TransportError as error:
            raise Interrupted(_why(error)) from error

    async def aclose(self) -> None:
        """Let the connection go."""
        await self._stream.aclose()


def _set_patience(request: httpx2.Request) -> None:
    """A stream of what the server has to say may be silent for ever, a farewell not for long."""
    timeout = dict(request.extensions.get("timeout", {}))
    if request.method == "GET":
        timeout["read"] = None
    elif request.method == "DELETE":
        timeout = dict.fromkeys(("connect", "read", "write", "pool"), FAREWELL)
    request.extensions = {**request.extensions, "timeout": timeout}


def _in_session(request: httpx2.Request) -> bool:
    return request.method == "POST" and MCP_SESSION_ID in request.headers


async def _explained(request: httpx2.Request, response: httpx2.Response) -> httpx2.Response:
    """The SDK passes on an error of the protocol, and of all others that there was one."""
    try:
        if b'"jsonrpc"' in await response.aread():
            return response
    except (httpx2.TransportError, httpx2.StreamError):
        await response.aclose()
    said = f"the server answers {response.status_code} {response.reason_phrase}".rstrip()
    return _answer(request, response.status_code, REFUSED, said)


def _answer(request: httpx2.Request, status: int, code: int, message: str) -> httpx2.Response:
    error = {"code": code, "message": message}
    body = msgspec.json.encode({"jsonrpc": "2.0", "id": None, "error": error})
    headers = {"content-type": "application/json"}
    return httpx2.Response(status, headers=headers, content=body, request=request)


def _why(error: Exception) -> str:
    return one_line(str(error), _LONGEST_WHY) or type(error).__name__
