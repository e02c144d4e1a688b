"""The resource `/tokens`: listed, created, revoked."""

from datetime import datetime, timedelta
from typing import Final, TypeAlias, final

import msgspec
from attrs import frozen
from msgspec import structs
from returns.result import Failure, Result, Success

from caxton_adapters.auth.scopes import Scope
from caxton_adapters.auth.token import StoredToken, TokenName
from caxton_adapters.auth.tokens import (
    NameTaken,
    NobodyLeftToAdminister,
    NoSuchToken,
    Now,
    Tokens,
)
from caxton_adapters.rest import problem
from caxton_adapters.rest.body import invalid, read_json
from caxton_adapters.rest.changes import hash_of_table
from caxton_adapters.rest.exchange import Answer, Asked, json_answer, refusal
from caxton_adapters.rest.problem import Refused
from caxton_adapters.rest.refusals import of_runtime
from caxton_adapters.rest.token_wire import NewToken, ScopeWord, TokenBody, TokenList, TokenRequest
from caxton_core.primitives import Duration
from caxton_core.problems import OutOfRange
from caxton_core.storage import NotStored

Why: TypeAlias = NameTaken | NoSuchToken | NobodyLeftToAdminister | NotStored

_DECODER: Final = msgspec.json.Decoder(TokenRequest)
_CHANGING: Final = frozenset({"expired", "used"})
_NEVER_KEPT: Final = ((b"cache-control", b"no-store"),)


@final
@frozen
class HeldTokens:
    """The resource `/tokens`."""

    tokens: Tokens
    now: Now

    def all(self) -> TokenList:
        """Every token that was given out."""
        now = self.now()
        return TokenList(tuple(_body(token, now) for token in self.tokens.all()))

    async def create(self, asked: Asked) -> Answer:
        """A new token, shown once."""
        read = read_json(_DECODER, asked.body)
        if isinstance(read, Failure):
            return refusal(read.failure(), asked.context)
        wanted = read.unwrap()
        expires = self._end(wanted.expires_in)
        if isinstance(expires, Failure):
            return refusal(expires.failure(), asked.context)
        scopes = frozenset(map(Scope, wanted.scopes))
        made = await self.tokens.create(
            TokenName(wanted.name), scopes, expires.unwrap(), wanted.messages_per_minute
        )
        if isinstance(made, Failure):
            return refusal(_refused(made.failure()), asked.context)
        secret, token = made.unwrap()
        asked.changed(None, _hash(token))
        body = _body(token, token.created)
        new = NewToken(
            secret.reveal(),
            body.name,
            body.scopes,
            body.created,
            body.expires,
            body.messages_per_minute,
        )
        return json_answer(new, 201, _NEVER_KEPT)

    async def revoke(self, asked: Asked, name: str) -> Answer:
        """Let a token open nothing more."""
        revoked = await self.tokens.revoke(name)
        if isinstance(revoked, Failure):
            return refusal(_refused(revoked.failure()), asked.context)
        asked.changed(_hash(revoked.unwrap()), None)
        return Answer(204)

    def _end(self, expires_in: str | None) -> Result[datetime | None, Refused]:
        if expires_in is None:
            return Success(None)
        duration = Duration.parse(expires_in)
        if isinstance(duration, Failure):
            why = duration.failure()
            form = why.bounds if isinstance(why, OutOfRange) else Duration.rule.says
            return Failure(invalid(f"{Duration.rule.subject} is {form}", "expires_in"))
        return Success(self.now() + timedelta(seconds=duration.unwrap().value))


def _refused(why: Why) -> Refused:
    match why:
        case NameTaken(name):
            return Refused(
                409, problem.TOKEN_NAME_TAKEN, f"There is a token named {name.value} already."
            )
        case NoSuchToken(name):
            return Refused(404, problem.UNKNOWN_TOKEN, f"There is no token named {name}.")
        case NobodyLeftToAdminister():
            return Refused(
                409,
                problem.NOBODY_LEFT,
                "After this there would be tokens, and nobody who may manage them; "
                "first there has to be one with the scope `admin` and without an end.",
            )
        case NotStored():
            return of_runtime(why)


def _body(token: StoredToken, now: datetime) -> TokenBody:
    return TokenBody(
        token.name.value,
        _words(token),
        token.created.isoformat(timespec="seconds"),
        None if token.expires is None else token.expires.isoformat(timespec="seconds"),
        token.has_expired(now),
        None if token.used is None else token.used.isoformat(timespec="seconds"),
        token.messages_per_minute,
    )


def _hash(token: StoredToken) -> str:
    """The hash of what is decided about the token: not of the token, and not of its uses."""
    body = structs.asdict(_body(token, token.created))
    return hash_of_table({key: value for key, value in body.items() if key not in _CHANGING})


def _words(token: StoredToken) -> tuple[ScopeWord, ...]:
    return tuple(scope.value for scope in Scope if scope in token.scopes)
