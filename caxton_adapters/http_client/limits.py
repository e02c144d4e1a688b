"""How long a request may wait and how much a response may hold."""

from typing import NamedTuple, final

from attrs import frozen

KIBIBYTE = 1024
MEBIBYTE = 1024 * KIBIBYTE


@final
@frozen
class Timeouts:
    """How long a request may wait at each of its stages, in seconds.

    `idle` is the longest silence within a response, `total` bounds everything together,
    the wait for a free connection included.
    """

    connect: float = 5.0
    first_byte: float = 30.0
    idle: float = 30.0
    total: float = 600.0


@final
@frozen
class Limits:
    """What one client may use; sizes are in bytes, `keep_alive` is in seconds.

    `framing` bounds what is not body: the head, and everything between two pieces of a body.
    `ahead` is how much of a streamed body is read before its reader asks for it.
    """

    connections: int = 100
    keep_alive: float = 60.0
    framing: int = 64 * KIBIBYTE
    body: int = 16 * MEBIBYTE
    ahead: int = 256 * KIBIBYTE


@final
class Total(NamedTuple):
    """When a request has to be through: `after` so many seconds, `at` that time of the loop."""

    after: float
    at: float
