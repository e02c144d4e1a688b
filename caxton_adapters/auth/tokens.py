"""Everyone who holds a token, known by heart: a request is recognised without waiting.

A server whose settings have no token and which has given none out asks nobody for one (that it
then listens at loopback only is seen to before). From the first token on, everybody shows one.
"""

import hmac
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias, final

import anyio
from attrs import evolve, field, frozen
from returns.result import Failure, Result, Success

from caxton_adapters.auth.scopes import Scope, Scopes
from caxton_adapters.auth.store import TokenStore
from caxton_adapters.auth.token import (
    ANYBODY,
    OPERATOR,
    Holder,
    StoredToken,
    TokenName,
    digest_of,
    new_token,
)
from caxton_adapters.secrets import Secret
from caxton_core.storage import NotStored

Now: TypeAlias = Callable[[], datetime]

WRITES_USES_EVERY: Final = 60.0
"""Seconds after which a token's last use is stored; a crash forgets no more than that."""


_HOUR: Final = timedelta(hours=1)
_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


@final
@frozen
class NameTaken:
    """There is a token of this name."""

    name: TokenName


@final
@frozen
class NoSuchToken:
    """There is no token of this name."""

    name: str


@final
@frozen
class NobodyLeftToAdminister:
    """The change would leave tokens, and nobody who may manage them."""


@final
@frozen
class _Shown:
    """A token as requests meet it: until the hour of its last use is over, nothing is new."""

    token: StoredToken
    holder: Holder = field(init=False)
    until: datetime = field(init=False)

    @holder.default
    def _holder(self) -> Holder:
        token = self.token
        return Holder(token.name.value, token.scopes, token.messages_per_minute)

    @until.default
    def _until(self) -> datetime:
        if self.token.used is None:
            return _LONG_AGO
        ends = self.token.used + _HOUR
        return ends if self.token.expires is None else min(ends, self.token.expires)


def _hour_of(now: datetime) -> datetime:
    return now.replace(minute=0, second=0, microsecond=0)


@final
class Tokens:
    """The tokens of a server; `own` is that of its settings."""

    def __init__(
        self, own: Secret | None, store: TokenStore, now: Now, known: Iterable[StoredToken] = ()
    ) -> None:
        self._own = None if own is None else digest_of(own.reveal().encode("utf-8"))
        self._store = store
        self._now = now
        self._by_name = {token.name: token for token in known}
        self._shown = {token.digest: _Shown(token) for token in self._by_name.values()}
        self._used: set[TokenName] = set()
        self._changing = anyio.Lock()

    @property
    def asked_for(self) -> bool:
        """Whether whoever asks has to show a token."""
        return self._own is not None or bool(self._by_name)

    def all(self) -> Sequence[StoredToken]:
        """Every token that was given out, the oldest first."""
        return sorted(self._by_name.values(), key=lambda token: (token.created, token.name.value))

    def operator(self, shown: bytes) -> Holder | None:
        """Who shows the token of the settings, or need not show one."""
        if not self.asked_for:
            return ANYBODY
        if self._own is not None and hmac.compare_digest(digest_of(shown), self._own):
            return OPERATOR
        return None

    def holder(self, shown: bytes) -> Holder | None:
        """Who shows a token that was given out and holds still."""
        digest = digest_of(shown)
        known, now = self._shown.get(digest), self._now()
        if known is None or not hmac.compare_digest(known.token.digest, digest):
            return None
        if known.until <= now:
            if known.token.has_expired(now):
                return None
            known = self._remember(evolve(known.token, used=_hour_of(now)))
            self._used.add(known.token.name)
        return known.holder

    async def create(
        self,
        name: TokenName,
        scopes: Scopes,
        expires: datetime | None,
        messages_per_minute: int | None = None,
    ) -> Result[tuple[Secret, StoredToken], NameTaken | NobodyLeftToAdminister | NotStored]:
        """A new token, which is never shown again; it holds from now on."""
        async with self._changing:
            if name in self._by_name:
                return Failure(NameTaken(name))
            secret = new_token()
            digest = digest_of(secret.reveal().encode("ascii"))
            token = StoredToken(
                name=name,
                digest=digest,
                scopes=scopes,
                created=self._now(),
                expires=expires,
                messages_per_minute=messages_per_minute,
            )
            if not self._administered((*self._by_name.values(), token)):
                return Failure(NobodyLeftToAdminister())
            saved = await self._store.save(token)
            if isinstance(saved, Failure):
                return saved
            self._remember(token)
            return Success((secret, token))

    async def revoke(
        self, name: str
    ) -> Result[StoredToken, NoSuchToken | NobodyLeftToAdminister | NotStored]:
        """Forget a token, which opens nothing from now on; what was kept of it."""
        async with self._changing:
            token = next((each for each in self._by_name.values() if each.name.value == name), None)
            if token is None:
                return Failure(NoSuchToken(name))
            left = tuple(each for each in self._by_name.values() if each is not token)
            if left and not self._administered(left):
                return Failure(NobodyLeftToAdminister())
            removed = await self._store.remove(token.name)
            if isinstance(removed, Failure):
                return removed
            self._by_name.pop(token.name)
            self._shown.pop(token.digest)
            return Success(token)

    async def write_uses(self) -> None:
        """Store when tokens were used last; what cannot be stored is tried again later."""
        async with self._changing:
            for name in tuple(self._used):
                token = self._by_name.get(name)
                if token is None or not isinstance(await self._store.save(token), Failure):
                    self._used.discard(name)

    async def keep_uses(self) -> None:
        """Store the last uses regularly, until cancelled."""
        while True:
            await anyio.sleep(WRITES_USES_EVERY)
            await self.write_uses()

    def _administered(self, tokens: Iterable[StoredToken]) -> bool:
        """Whether somebody may manage tokens for as long as these hold."""
        return self._own is not None or any(
            Scope.ADMIN in token.scopes and token.expires is None for token in tokens
        )

    def _remember(self, token: StoredToken) -> "_Shown":
        self._by_name[token.name] = token
        shown = self._shown[token.digest] = _Shown(token)
        return shown


async def stored_tokens(own: Secret | None, store: TokenStore, now: Now) -> Tokens:
    """The tokens as they were left; raises what the store raises."""
    return Tokens(own, store, now, await store.stored())
