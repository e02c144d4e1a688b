"""Who may ask at all: names of the server, origins of web pages, and the token.

A browser on the operator's machine reaches loopback servers for any page that it shows. So the
server answers only to its own names (against DNS rebinding) and only to pages that it trusts.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Final, final

from caxton_adapters.rest import problem
from caxton_adapters.rest.exchange import PROBES, Header
from caxton_adapters.rest.problem import Refused
from caxton_adapters.rest.settings import ANY_HOST, RestSettings

_READING: Final = frozenset({"GET", "HEAD"})
_OPEN: Final = frozenset({"/", *PROBES})
"""Paths of probes, which have no token (`/health` then says no more than its status), and the door
that leads to the page."""

_UNAUTHENTICATED: Final = Refused(
    401,
    problem.NOT_AUTHENTICATED,
    "This server asks for its token: send `Authorization: Bearer TOKEN`.",
    headers=((b"www-authenticate", b'Bearer realm="caxton"'),),
)
_NO_HOST: Final = Refused(
    400, problem.BAD_HOST, "A request names the server in exactly one Host header."
)


def _digest(token: bytes) -> bytes:
    return hashlib.sha256(token).digest()


@final
class Guard:
    """Decides from the head of a request whether anything of it is looked at."""

    def __init__(self, settings: RestSettings) -> None:
        token = settings.token
        self._token = None if token is None else _digest(token.reveal().encode("utf-8"))
        self._hosts = frozenset(host.lower().encode("ascii") for host in settings.hosts)
        self._any_host = ANY_HOST in settings.hosts
        self._origins = frozenset(origin.lower().encode("ascii") for origin in settings.origins)

    def refusal(
        self,
        method: str,
        path: str,
        raw: Sequence[Header],
        headers: Mapping[bytes, bytes],
    ) -> Refused | None:
        """Why the request is not answered, if there is a reason."""
        return (
            self._wrong_host(raw, headers)
            or self._foreign_page(method, headers)
            or self._without_token(method, path, headers)
        )

    def knows(self, headers: Mapping[bytes, bytes]) -> bool:
        """Whether the request carries the token, or none is asked for."""
        if self._token is None:
            return True
        scheme, _, token = headers.get(b"authorization", b"").partition(b" ")
        return hmac.compare_digest(_digest(token.strip()), self._token) and (
            scheme.lower() == b"bearer"
        )

    def trusted_origin(self, headers: Mapping[bytes, bytes]) -> bytes | None:
        """The foreign page that may read the answer, if one asks."""
        origin = headers.get(b"origin")
        return origin if origin is not None and origin.lower() in self._origins else None

    def _wrong_host(self, raw: Sequence[Header], headers: Mapping[bytes, bytes]) -> Refused | None:
        host = headers.get(b"host")
        # A mapping keeps one of two equal names: only then the headers are counted.
        if not host or (
            len(raw) != len(headers) and sum(1 for name, _ in raw if name == b"host") != 1
        ):
            return _NO_HOST
        if self._any_host or _without_port(host) in self._hosts:
            return None
        return Refused(
            403,
            problem.FOREIGN_HOST,
            "The server does not answer under this name; its operator lists the allowed hosts.",
        )

    def _foreign_page(self, method: str, headers: Mapping[bytes, bytes]) -> Refused | None:
        origin = headers.get(b"origin")
        if origin is None:
            if headers.get(b"sec-fetch-site") != b"cross-site" or method in _READING:
                return None
        elif (
            origin.lower() in self._origins
            or _same_origin(origin, headers[b"host"])
            or (method in _READING and b"text/event-stream" not in headers.get(b"accept", b""))
        ):
            return None
        return Refused(
            403,
            problem.FOREIGN_ORIGIN,
            "A web page of another origin asks; the operator lists the allowed origins.",
        )

    def _without_token(
        self, method: str, path: str, headers: Mapping[bytes, bytes]
    ) -> Refused | None:
        if self._token is None or self.knows(headers):
            return None
        if method in _READING and (path in _OPEN or path.startswith("/schema")):
            return None
        # A browser asks without credentials whether it may ask with them.
        if method == "OPTIONS" and self.trusted_origin(headers) is not None:
            return None
        return _UNAUTHENTICATED


def _without_port(host: bytes) -> bytes:
    name, colon, port = host.rpartition(b":")
    return (name if colon and port.isdigit() else host).lower()


def _same_origin(origin: bytes, host: bytes) -> bool:
    return origin.lower().removeprefix(b"http://").removeprefix(b"https://") == host.lower()
