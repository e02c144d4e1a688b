"""The address of this machine to which a browser returns after a login (RFC 8252)."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final, final
from urllib.parse import parse_qs

from anyio import Event, fail_after
from mcp.client.auth import AuthorizationCodeResult, OAuthFlowError

HOST: Final = "127.0.0.1"
PATH: Final = "/callback"
_LONGEST: Final = 16 * 1024
_REQUEST_WITHIN: Final = 5.0
_THANKS: Final = b"<!doctype html><title>Caxton</title><p>You may close this window."
_UNKNOWN: Final = b"This is not the login that was begun."


@final
class Loopback:
    """Waits for the one request that carries the state which the login began with."""

    def __init__(self) -> None:
        self.port = 0
        self._state: str | None = None
        self._returned: Mapping[str, str] = {}
        self._over = Event()

    @property
    def redirect_uri(self) -> str:
        """Where the browser is to return."""
        return f"http://{HOST}:{self.port}{PATH}"

    def begin(self, authorization_url: str) -> None:
        """Take the state from the address that the person is sent to, unless they said no before.

        The SDK asks again by itself, where a server may speak another protocol.
        """
        self._raise_refusal()
        self._state = _query(authorization_url).get("state")
        self._returned, self._over = {}, Event()

    async def returned(self) -> AuthorizationCodeResult:
        """What the browser brought back."""
        await self._over.wait()
        self._raise_refusal()
        return AuthorizationCodeResult(
            code=self._returned.get("code", ""),
            state=self._returned.get("state"),
            iss=self._returned.get("iss"),
        )

    def _raise_refusal(self) -> None:
        error = self._returned.get("error")
        if error is not None:
            message = f"the login was refused: {error[:100]}"
            raise OAuthFlowError(message)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request of a browser."""
        try:
            with fail_after(_REQUEST_WITHIN):
                head = await reader.readuntil(b"\r\n\r\n")
                known = self.take(head)
                status, text = ("200 OK", _THANKS) if known else ("400 Bad Request", _UNKNOWN)
                writer.write(
                    f"HTTP/1.1 {status}\r\ncontent-type: text/html\r\nconnection: close\r\n"
                    f"content-length: {len(text)}\r\n\r\n".encode()
                    + text
                )
                await writer.drain()
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return
        finally:
            writer.close()
        if known:
            self._over.set()

    def take(self, head: bytes) -> bool:
        """Whether the request is the awaited one; what it brings is kept then."""
        method, _, rest = head.decode("latin-1").partition(" ")
        target, _, _ = rest.partition(" ")
        found = _query(target)
        if method != "GET" or target.partition("?")[0] != PATH or self._over.is_set():
            return False
        if self._state is None or found.get("state") != self._state:
            return False
        self._returned = found
        return True


def _query(url: str) -> Mapping[str, str]:
    query = url.partition("?")[2].partition("#")[0]
    return {key: values[0] for key, values in parse_qs(query).items()}


@asynccontextmanager
async def loopback(port: int) -> AsyncIterator[Loopback]:
    """Listen while a login lasts; 0 takes a free port. Raises OSError."""
    waiting = Loopback()
    server = await asyncio.start_server(waiting.serve, HOST, port, limit=_LONGEST)
    waiting.port = server.sockets[0].getsockname()[1]
    async with server:
        yield waiting
