"""Tokens as they stand on the wire."""

from typing import Annotated, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta

from caxton_adapters.auth.token import TokenName
from caxton_adapters.rest.wire import Time

ScopeWord: TypeAlias = Literal[
    "read", "message", "agents:write", "approve", "memory:write", "mcp:admin", "admin"
]
MOST_MESSAGES: Final = 1_000_000
MessagesPerMinute: TypeAlias = Annotated[
    int | None,
    Meta(
        description="The most messages in a minute; 0 is no limit, null the server's own rate.",
        examples=[600],
    ),
]
WrittenName: TypeAlias = Annotated[
    str,
    Meta(
        pattern=f"^(?:{TokenName.rule.pattern})$",
        max_length=TokenName.rule.longest,
        examples=[TokenName.rule.example],
    ),
]


class TokenRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A token that somebody wants."""

    name: WrittenName
    scopes: Annotated[tuple[ScopeWord, ...], Meta(min_length=1, max_length=7)]
    expires_in: Annotated[
        str | None, Meta(description="How long it holds; for ever without it.", examples=["30d"])
    ] = None
    messages_per_minute: Annotated[int, Meta(ge=0, le=MOST_MESSAGES)] | None = None


class TokenBody(msgspec.Struct, frozen=True):
    """A token that was given out, without the token; `used` is the hour of its last use."""

    name: str
    scopes: tuple[ScopeWord, ...]
    created: Time
    expires: Time | None
    expired: bool
    used: Time | None
    messages_per_minute: MessagesPerMinute


class TokenList(msgspec.Struct, frozen=True):
    """All tokens."""

    tokens: tuple[TokenBody, ...]


class NewToken(msgspec.Struct, frozen=True):
    """A new token; `token` is shown here and nowhere else."""

    token: str
    name: str
    scopes: tuple[ScopeWord, ...]
    created: Time
    expires: Time | None
    messages_per_minute: MessagesPerMinute
