"""A token: 256 random bits that are shown once, and what is remembered of them."""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import datetime
from os import urandom
from typing import ClassVar, Final, TypeAlias, final

from attrs import field, frozen

from caxton_adapters.auth.scopes import EVERYTHING, Scopes, whole
from caxton_adapters.secrets import Secret
from caxton_core.primitives import Text, TextRule

PREFIX: Final = "cx_"
BYTES: Final = 32
NO_LIMIT: Final = 0
"""The rate of whoever may send as many messages as they like."""
Random: TypeAlias = Callable[[int], bytes]


@final
@frozen
class TokenName(Text):
    """What a token is called in lists and records; never a name that the server gives itself."""

    rule: ClassVar = TextRule(
        "a name of a token",
        "(?!(?:anonymous|operator)$)[a-z0-9]+(?:-[a-z0-9]+)*",
        "lower-case letters, digits and single hyphens; not `anonymous`, not `operator`",
        63,
        "build-robot",
    )


@final
@frozen
class Holder:
    """Whoever asks: the name that records give them, and all that they may do.

    `messages_per_minute` is `None` where the server's own rate holds.
    """

    name: str
    scopes: Scopes = field(converter=whole)
    messages_per_minute: int | None = None

    def may(self, needed: Scopes) -> bool:
        """Whether one of the scopes that are needed is theirs."""
        return not self.scopes.isdisjoint(needed)


STRANGER: Final = Holder("anonymous", frozenset())
"""Nobody that is known."""
ANYBODY: Final = Holder("anonymous", EVERYTHING, NO_LIMIT)
"""Whoever reaches a server that asks nobody for a token."""
OPERATOR: Final = Holder("operator", EVERYTHING, NO_LIMIT)
"""Whoever shows the token of the settings."""


@final
@frozen(kw_only=True)
class StoredToken:
    """What is kept of a token; `used` is the hour in which it was shown last.

    `messages_per_minute` is `None` where the server's own rate holds, and 0 is no limit.
    """

    name: TokenName
    digest: bytes
    scopes: Scopes
    created: datetime
    expires: datetime | None = None
    used: datetime | None = None
    messages_per_minute: int | None = None

    def has_expired(self, now: datetime) -> bool:
        """Whether its time is over."""
        return self.expires is not None and self.expires <= now


def new_token(random: Random = urandom) -> Secret:
    """A token that nobody can guess."""
    return Secret(PREFIX + urlsafe_b64encode(random(BYTES)).rstrip(b"=").decode("ascii"))


def digest_of(token: bytes) -> bytes:
    """What a token is known by; a fast hash is enough for what nobody can guess."""
    return hashlib.sha256(token).digest()
