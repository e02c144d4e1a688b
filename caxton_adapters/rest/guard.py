"""Who may ask what: names of the server, origins of web pages, tokens and their scopes, rates.

A browser on the operator's machine reaches loopback servers for any page that it shows. So the
server answers only to its own names (against DNS rebinding) and only to pages that it trusts.
"""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from ipaddress import IPv6Address
from typing import Final, final

from msgspec import structs

from caxton_adapters.auth.scopes import Scope
from caxton_adapters.auth.store import InMemoryTokens
from caxton_adapters.auth.token import PREFIX, STRANGER, Holder
from caxton_adapters.auth.tokens import Tokens
from caxton_adapters.rest import problem
from caxton_adapters.rest.access import Rule, rule_for
from caxton_adapters.rest.exchange import Header
from caxton_adapters.rest.problem import Refused
from caxton_adapters.rest.rates import Monotonic, Rates
from caxton_adapters.rest.settings import ANY_HOST, RestSettings

READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing."""
STRONG: Final = 32
"""Characters from which on a token of the settings is not counted as one that could be guessed."""

_PAGES: Final = frozenset({"GET", "HEAD"})
_READ: Final = frozenset({Scope.READ})
_GIVEN_OUT: Final = PREFIX.encode("ascii")
_UNAUTHENTICATED: Final = Refused(
    401,
    problem.NOT_AUTHENTICATED,
    "This server asks for its token: send `Authorization: Bearer TOKEN`.",
    headers=((b"www-authenticate", b'Bearer realm="caxton"'),),
)
_NOT_VALID: Final = structs.replace(
    _UNAUTHENTICATED,
    detail="The token that was sent is not valid: it is wrong, was revoked, or has ended.",
)
_NO_HOST: Final = Refused(
    400, problem.BAD_HOST, "A request names the server in exactly one Host header."
)


@final
class Guard:
    """Decides from the head of a request whether anything of it is looked at."""

    def __init__(
        self,
        settings: RestSettings,
        tokens: Tokens | None = None,
        monotonic: Monotonic = time.monotonic,
    ) -> None:
        own = settings.token
        self._tokens = tokens or Tokens(own, InMemoryTokens(), partial(datetime.now, UTC))
        self._may_be_guessed = own is not None and len(own.reveal()) < STRONG
        self._hosts = frozenset(host.lower().encode("ascii") for host in settings.hosts)
        self._any_host = ANY_HOST in settings.hosts
        self._origins = frozenset(origin.lower().encode("ascii") for origin in settings.origins)
        self._failures = Rates(settings.failed_logins_per_minute, monotonic)
        self._costly = Rates(settings.costly_per_minute, monotonic)

    def holder(self, headers: Mapping[bytes, bytes], peer: str = "") -> Holder:
        """Who asks: whoever shows a token, or anybody where none is asked for."""
        shown = _token(headers)
        # Nobody guesses a token that was given out; for a short one of the settings, a peer that
        # was often wrong has to wait, even with the right one.
        if shown.startswith(_GIVEN_OUT):
            found = self._tokens.holder(shown)
            if found is not None:
                return found
        if self._may_be_guessed and self._failures.wait(_neighbourhood(peer)):
            return STRANGER
        return self._tokens.operator(shown) or STRANGER

    def refusal(
        self,
        method: str,
        path: str,
        raw: Sequence[Header],
        headers: Mapping[bytes, bytes],
        holder: Holder,
        peer: str = "",
    ) -> Refused | None:
        """Why the request is not answered, if there is a reason."""
        return (
            self._wrong_host(raw, headers)
            or self._foreign_page(method, headers)
            or self._not_allowed(method, path, headers, holder, peer)
        )

    def knows(self, headers: Mapping[bytes, bytes]) -> bool:
        """Whether whoever asks may see how the server does in full."""
        return self.holder(headers).may(_READ)

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
            if headers.get(b"sec-fetch-site") != b"cross-site" or method in _PAGES:
                return None
        elif (
            origin.lower() in self._origins
            or _same_origin(origin, headers[b"host"])
            or (method in _PAGES and b"text/event-stream" not in headers.get(b"accept", b""))
        ):
            return None
        return Refused(
            403,
            problem.FOREIGN_ORIGIN,
            "A web page of another origin asks; the operator lists the allowed origins.",
        )

    def _not_allowed(
        self, method: str, path: str, headers: Mapping[bytes, bytes], holder: Holder, peer: str
    ) -> Refused | None:
        rule = rule_for(method, path)
        if not rule.scopes:
            return None
        if not holder.scopes:
            # A browser asks without credentials whether it may ask with them.
            if method == "OPTIONS" and self.trusted_origin(headers) is not None:
                return None
            return self._unauthenticated(headers, peer)
        if not holder.may(rule.scopes):
            return _out_of_scope(rule)
        seconds = self._costly.take(holder.name) if rule.costly else 0.0
        return _too_often(seconds) if seconds else None

    def _unauthenticated(self, headers: Mapping[bytes, bytes], peer: str) -> Refused:
        if not _token(headers):
            return _UNAUTHENTICATED
        seconds = self._failures.take(_neighbourhood(peer))
        return _too_many_failures(seconds) if seconds else _NOT_VALID


def _token(headers: Mapping[bytes, bytes]) -> bytes:
    """The token that is shown, empty where none is."""
    shown = headers.get(b"authorization")
    if shown is None:
        return b""
    scheme, _, token = shown.partition(b" ")
    return token.strip() if scheme.lower() == b"bearer" else b""


def _neighbourhood(peer: str) -> str | bytes:
    """The address, or of IPv6 the network, in which whoever has one address has all of them."""
    if ":" not in peer:
        return peer
    address = IPv6Address(peer)
    mapped = address.ipv4_mapped
    return address.packed[:8] if mapped is None else str(mapped)


def _out_of_scope(rule: Rule) -> Refused:
    wanted = " or ".join(f"`{scope}`" for scope in sorted(scope.value for scope in rule.scopes))
    return Refused(403, problem.OUT_OF_SCOPE, f"The token does not have the scope {wanted}.")


def _too_often(seconds: float) -> Refused:
    return Refused(
        429,
        problem.TOO_OFTEN,
        "This was asked more often than the server's limit for costly requests allows.",
        headers=(problem.retry_after(seconds),),
    )


def _too_many_failures(seconds: float) -> Refused:
    return Refused(
        429,
        problem.TOO_MANY_FAILURES,
        "From this address came too many requests with a wrong token.",
        headers=(problem.retry_after(seconds),),
    )


def _without_port(host: bytes) -> bytes:
    name, colon, port = host.rpartition(b":")
    return (name if colon and port.isdigit() else host).lower()


def _same_origin(origin: bytes, host: bytes) -> bool:
    return origin.lower().removeprefix(b"http://").removeprefix(b"https://") == host.lower()
