"""The guard as a transport of the HTTP library: whatever sends a request, it passes here."""

from collections.abc import AsyncIterator
from typing import Final, final

import httpcore2
import httpx2
from attrs import frozen
from returns.result import Failure

from caxton_adapters.egress.failures import BodyEncoded, BodyRefused, BodyTooLarge, EgressRefused
from caxton_core.egress import Destination, Reach, UnclearAddress, destination, refused

REDIRECTS: Final = 3
_STREAM: Final = "text/event-stream"
_HOPS: Final = "caxton.hops"


@final
@frozen
class Rules:
    """What holds for the requests of one client.

    `headers` are credentials of `home`, and go nowhere else.
    """

    home: Destination
    reach: Reach
    headers: tuple[tuple[str, str], ...]
    max_bytes: int


@final
class GuardedTransport(httpx2.AsyncBaseTransport):
    """Checks where a request goes, what goes with it, and how much comes back."""

    def __init__(self, rules: Rules, pool: httpcore2.AsyncConnectionPool) -> None:
        self._rules = rules
        self._wire = httpx2.AsyncHTTPTransport(verify=False)
        self._wire._pool = pool  # noqa: SLF001 (the library lets nobody choose the sockets otherwise)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request that may go where it is addressed to."""
        to = self._allowed(request.url)
        response = await self._wire.handle_async_request(self._equipped(request, to))
        try:
            _count_redirect(request, response)
            return self._bounded(request, response)
        except (BodyRefused, httpx2.TooManyRedirects):
            await response.aclose()
            raise

    def _equipped(self, request: httpx2.Request, to: Destination) -> httpx2.Request:
        """A request of its own: what is added to this one, a redirected one would take along."""
        headers = request.headers.copy()
        headers["accept-encoding"] = "identity"
        for name, value in self._rules.headers if to == self._rules.home else ():
            headers.setdefault(name, value)
        return httpx2.Request(
            request.method,
            request.url,
            headers=headers,
            stream=request.stream,
            extensions=request.extensions,
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._wire.aclose()

    def _allowed(self, url: httpx2.URL) -> Destination:
        read = destination(str(url))
        if isinstance(read, Failure):
            raise EgressRefused(read.failure())
        to = read.unwrap()
        if to.host != url.raw_host.decode("ascii"):
            raise EgressRefused(UnclearAddress("its host is read in two ways"))
        refusal = refused(to, self._rules.reach)
        if refusal is not None:
            raise EgressRefused(refusal)
        return to

    def _bounded(self, request: httpx2.Request, response: httpx2.Response) -> httpx2.Response:
        encoding = response.headers.get("content-encoding", "identity").strip().lower()
        if encoding not in {"", "identity"}:
            raise BodyEncoded(encoding)
        most = self._rules.max_bytes
        if _is_stream(request, response):
            return response
        length = response.headers.get("content-length", "0")
        if length.isdigit() and int(length) > most:
            raise BodyTooLarge(most)
        stream = response.stream
        assert isinstance(stream, httpx2.AsyncByteStream)
        response.stream = CappedStream(stream, most)
        return response


def _is_stream(request: httpx2.Request, response: httpx2.Response) -> bool:
    """Whether whoever asked takes the answer piece by piece; all other answers are read whole."""
    kind = response.headers.get("content-type", "").lower()
    wanted = _STREAM in request.headers.get("accept", "").lower()
    return bool(wanted and response.is_success and kind.startswith(_STREAM))


def _count_redirect(request: httpx2.Request, response: httpx2.Response) -> None:
    """The request that follows a redirect takes over the extensions of the one before."""
    if not response.has_redirect_location:
        return
    hops = request.extensions.get(_HOPS, 0) + 1
    if hops > REDIRECTS:
        message = f"more than {REDIRECTS} redirects"
        raise httpx2.TooManyRedirects(message)
    request.extensions[_HOPS] = hops


@final
class CappedStream(httpx2.AsyncByteStream):
    """A body that ends in an error where it is larger than agreed."""

    def __init__(self, stream: httpx2.AsyncByteStream, most: int) -> None:
        self._stream = stream
        self._most = most

    async def __aiter__(self) -> AsyncIterator[bytes]:
        so_far = 0
        async for piece in self._stream:
            so_far += len(piece)
            if so_far > self._most:
                raise BodyTooLarge(self._most)
            yield piece

    async def aclose(self) -> None:
        """Let the connection go."""
        await self._stream.aclose()
