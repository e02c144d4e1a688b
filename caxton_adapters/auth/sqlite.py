"""Tokens in the server's database: a change is on the disk when the call returns."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Final, final

from attrs import frozen
from returns.result import Result

from caxton_adapters.auth.scopes import Scope
from caxton_adapters.auth.token import StoredToken, TokenName
from caxton_adapters.database import Database, StorageUnusable
from caxton_adapters.database.stored import stored
from caxton_core.storage import NotStored

_SAVE: Final = "INSERT OR REPLACE INTO tokens VALUES (?, ?, ?, ?, ?, ?, ?)"
_REMOVE: Final = "DELETE FROM tokens WHERE name = ?"
_STORED: Final = (
    "SELECT name, digest, scopes, created, expires, used, messages_per_minute FROM tokens "
    "ORDER BY created, name"
)


@final
@frozen
class SqliteTokens:
    """Keeps tokens in one table; of the token itself there is only its digest."""

    _database: Database

    async def save(self, token: StoredToken) -> Result[None, NotStored]:
        """Store the token in place of the one with its name."""
        row = (
            token.name.value,
            token.digest,
            " ".join(sorted(scope.value for scope in token.scopes)),
            token.created.isoformat(),
            None if token.expires is None else token.expires.isoformat(),
            None if token.used is None else token.used.isoformat(),
            token.messages_per_minute,
        )
        return await stored(self._database.change(lambda open_: open_.execute(_SAVE, row)))

    async def remove(self, name: TokenName) -> Result[None, NotStored]:
        """Forget a token."""
        row = (name.value,)
        return await stored(self._database.remove(lambda open_: open_.execute(_REMOVE, row)))

    async def stored(self) -> Sequence[StoredToken]:
        """Every token, the oldest first; raises `StorageUnusable`."""
        try:
            rows = await self._database.read(lambda open_: open_.execute(_STORED).fetchall())
            return tuple(_token(*row) for row in rows)
        except (sqlite3.Error, ValueError) as error:
            raise StorageUnusable(self._database.path, str(error)) from error


def _token(  # noqa: PLR0913, PLR0917 - one for each column
    name: str,
    digest: bytes,
    scopes: str,
    created: str,
    expires: str | None,
    used: str | None,
    messages_per_minute: int | None,
) -> StoredToken:
    return StoredToken(
        name=TokenName(name),
        digest=digest,
        scopes=frozenset(map(Scope, scopes.split())),
        created=datetime.fromisoformat(created),
        expires=None if expires is None else datetime.fromisoformat(expires),
        used=None if used is None else datetime.fromisoformat(used),
        messages_per_minute=messages_per_minute,
    )
