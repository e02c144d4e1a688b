"""What the operator decides about the API, with defaults that are safe on a developer's machine."""

from typing import Final, final

from attrs import frozen

from caxton_adapters.secrets import Secret

LOOPBACK_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
ANY_HOST: Final = "*"

KIB: Final = 1024
MIB: Final = 1024 * KIB


@final
@frozen(kw_only=True)
class RestSettings:
    """Who may ask, how much, and how slowly; times are in seconds, sizes in bytes.

    `hosts` are the names under which the server may be addressed, without a port (`*` is any);
    `origins` are the foreign web pages that may use the API, as `scheme://host[:port]`.
    `messages_per_minute` holds for each token without a rate of its own; 0 is no limit.
    """

    hosts: frozenset[str] = LOOPBACK_HOSTS
    origins: frozenset[str] = frozenset()
    token: Secret | None = None
    max_body: int = MIB
    max_url: int = 8 * KIB
    max_headers: int = 32 * KIB
    max_connections: int = 4096
    max_event_streams: int = 64
    messages_per_minute: int = 60
    messages_at_once: int = 20
    costly_per_minute: int = 1200
    failed_logins_per_minute: int = 60
    request_timeout: float = 20.0
    keep_alive: int = 75
    heartbeat: float = 15.0
    drain_timeout: float = 30.0
