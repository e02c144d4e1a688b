"""The client that adapters build for an address that an operator registered."""

import ssl
from collections.abc import Mapping
from typing import Final, final

import httpcore2
import httpx2
from attrs import field, frozen
from returns.result import Failure, Result, Success

from caxton_adapters.egress.pinning import PinnedBackend, Resolve, resolved
from caxton_adapters.egress.transport import GuardedTransport, Rules
from caxton_core.egress import Destination, EgressRefusal, destination, reach_to, refused

CONNECTIONS: Final = 100
KEEP_ALIVE: Final = 60.0


@final
@frozen(kw_only=True)
class Guard:
    """What an operator grants to a registered address.

    `headers` go to the origin of the address only; `max_bytes` bounds a response's body that is no
    event stream; `silence` is the longest wait for the next byte of one that is none, in seconds.
    """

    home: Destination
    headers: Mapping[str, str] = field(factory=dict, repr=False)
    max_bytes: int
    connect_timeout: float
    silence: float = 300.0
    private_network: bool = False

    @property
    def timeout(self) -> httpx2.Timeout:
        """The waits of a request."""
        return httpx2.Timeout(self.connect_timeout, read=self.silence)

    @classmethod
    def over(
        cls,
        url: str,
        *,
        headers: Mapping[str, str],
        connect_timeout: float,
        max_bytes: int,
        private_network: bool,
    ) -> Result["Guard", EgressRefusal]:
        """The guard of an address, or why no request may go there."""
        read = destination(url)
        if isinstance(read, Failure):
            return read
        home = read.unwrap()
        refusal = refused(home, reach_to(home, private_network=private_network))
        if refusal is not None:
            return Failure(refusal)
        return Success(
            cls(
                home=home,
                headers=headers,
                connect_timeout=connect_timeout,
                max_bytes=max_bytes,
                private_network=private_network,
            )
        )


def guarded_transport(
    guard: Guard, tls: ssl.SSLContext, resolve: Resolve = resolved
) -> GuardedTransport:
    """What sends the requests of a client, and lets none pass that the guard refuses."""
    reach = reach_to(guard.home, private_network=guard.private_network)
    rules = Rules(guard.home, reach, tuple(guard.headers.items()), guard.max_bytes)
    pool = httpcore2.AsyncConnectionPool(
        ssl_context=tls,
        max_connections=CONNECTIONS,
        keepalive_expiry=KEEP_ALIVE,
        network_backend=PinnedBackend(reach, resolve),
    )
    return GuardedTransport(rules, pool)


def guarded_client(
    guard: Guard, tls: ssl.SSLContext, *, resolve: Resolve = resolved
) -> httpx2.AsyncClient:
    """A client whose every request, a redirected one too, passes the guard."""
    return httpx2.AsyncClient(
        transport=guarded_transport(guard, tls, resolve),
        timeout=guard.timeout,
        trust_env=False,
    )
