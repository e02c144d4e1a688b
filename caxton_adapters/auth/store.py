"""Where tokens are kept: the port, and a store that keeps them as long as the process lives."""

from collections.abc import Sequence
from typing import Protocol, final

from attrs import define, field
from returns.result import Result, Success

from caxton_adapters.auth.token import StoredToken, TokenName
from caxton_core.storage import NotStored


class TokenStore(Protocol):
    """Keeps tokens; what it says it stored is stored."""

    async def save(self, token: StoredToken) -> Result[None, NotStored]:
        """Keep the token in place of the one with its name."""
        ...

    async def remove(self, name: TokenName) -> Result[None, NotStored]:
        """Forget a token."""
        ...

    async def stored(self) -> Sequence[StoredToken]:
        """Every token, the oldest first."""
        ...


@final
@define
class InMemoryTokens:
    """Forgets everything when the process ends."""

    _tokens: dict[TokenName, StoredToken] = field(factory=dict)

    async def save(self, token: StoredToken) -> Result[None, NotStored]:
        """Keep the token."""
        self._tokens[token.name] = token
        return Success(None)

    async def remove(self, name: TokenName) -> Result[None, NotStored]:
        """Forget a token."""
        self._tokens.pop(name, None)
        return Success(None)

    async def stored(self) -> Sequence[StoredToken]:
        """Every token, the oldest first."""
        return sorted(self._tokens.values(), key=lambda token: (token.created, token.name.value))
