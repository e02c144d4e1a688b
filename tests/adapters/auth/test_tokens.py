"""Tokens: recognised at once, kept as digests, gone the moment they are revoked."""

import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from attrs import define
from returns.result import Failure, Result, Success

from caxton_adapters.auth.scopes import EVERYTHING, Scope, Scopes, allows
from caxton_adapters.auth.sqlite import SqliteTokens
from caxton_adapters.auth.store import InMemoryTokens, TokenStore
from caxton_adapters.auth.token import (
    ANYBODY,
    OPERATOR,
    StoredToken,
    TokenName,
    digest_of,
    new_token,
)
from caxton_adapters.auth.tokens import (
    NameTaken,
    NobodyLeftToAdminister,
    NoSuchToken,
    Tokens,
    stored_tokens,
)
from caxton_adapters.database import open_database
from caxton_adapters.database.migrations import migrate, migrations
from caxton_adapters.secrets import Secret
from caxton_core.storage import NotStored

NOON = datetime(2026, 11, 28, 12, 30, tzinfo=UTC)
ADMIN = frozenset({Scope.ADMIN})
READ = frozenset({Scope.READ})
WITHOUT_RATES = 5
"""The last version of the database in which tokens had no rates."""


@define
class Time:
    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[TokenStore]:
    if request.param == "memory":
        yield InMemoryTokens()
        return
    async with open_database(tmp_path / "caxton.db") as database:
        yield SqliteTokens(database)


async def made(tokens: Tokens, name: str, scopes: Scopes, end: datetime | None = None) -> bytes:
    created = await tokens.create(TokenName(name), scopes, end)
    assert not isinstance(created, Failure), created
    return created.unwrap()[0].reveal().encode()


async def test_a_token_is_recognised_by_name_and_scopes(store: TokenStore) -> None:
    tokens = Tokens(None, store, Time())
    await made(tokens, "boss", ADMIN)
    shown = await made(tokens, "reader", READ)
    holder = tokens.holder(shown)
    assert holder is not None
    assert (holder.name, holder.scopes) == ("reader", READ)
    assert tokens.holder(shown[:-1]) is None
    assert tokens.holder(b"") is None


async def test_tokens_outlive_the_process_and_the_store_has_none_of_them(
    store: TokenStore,
) -> None:
    first = Tokens(None, store, Time())
    shown = await made(first, "boss", ADMIN)
    later = await stored_tokens(None, store, Time())
    assert later.holder(shown) is not None
    [kept] = await store.stored()
    assert shown not in repr(kept).encode()
    assert kept.digest not in shown


async def test_a_revoked_token_opens_nothing_from_then_on(store: TokenStore) -> None:
    tokens = Tokens(Secret("own"), store, Time())
    shown = await made(tokens, "reader", READ)
    assert not isinstance(await tokens.revoke("reader"), Failure)
    assert tokens.holder(shown) is None
    assert (await stored_tokens(None, store, Time())).holder(shown) is None
    assert await tokens.revoke("reader") == Failure(NoSuchToken("reader"))


async def test_a_token_ends_at_its_time(store: TokenStore) -> None:
    time = Time()
    tokens = Tokens(Secret("own"), store, time)
    shown = await made(tokens, "guest", READ, NOON + timedelta(hours=1))
    time.now = NOON + timedelta(minutes=59)
    assert tokens.holder(shown) is not None
    time.now = NOON + timedelta(hours=1)
    assert tokens.holder(shown) is None
    assert tokens.asked_for


async def test_a_name_is_taken_once(store: TokenStore) -> None:
    tokens = Tokens(None, store, Time())
    await made(tokens, "boss", ADMIN)
    again = await tokens.create(TokenName("boss"), READ, None)
    assert again == Failure(NameTaken(TokenName("boss")))


@pytest.mark.parametrize("rate", [None, 0, 600])
async def test_the_rate_of_a_token_outlives_the_process(
    store: TokenStore, rate: int | None
) -> None:
    tokens = Tokens(Secret("own"), store, Time())
    created = await tokens.create(TokenName("robot"), READ, None, rate)
    assert not isinstance(created, Failure)
    shown = created.unwrap()[0].reveal().encode()
    later = await stored_tokens(Secret("own"), store, Time())
    for known in (tokens, later):
        holder = known.holder(shown)
        assert holder is not None
        assert holder.messages_per_minute == rate
        assert [token.messages_per_minute for token in known.all()] == [rate]


async def test_a_token_of_an_earlier_database_has_the_rate_of_the_server(tmp_path: Path) -> None:
    path, shown = tmp_path / "caxton.db", new_token().reveal().encode()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        migrate(connection, migrations()[:WITHOUT_RATES])
        row = ("boss", digest_of(shown), "admin", NOON.isoformat(), None, None)
        connection.execute("INSERT INTO tokens VALUES (?, ?, ?, ?, ?, ?)", row)
    async with open_database(path) as database:
        tokens = await stored_tokens(None, SqliteTokens(database), Time())
    holder = tokens.holder(shown)
    assert holder is not None
    assert (holder.name, holder.messages_per_minute) == ("boss", None)


async def test_the_last_use_is_known_to_the_hour(store: TokenStore) -> None:
    tokens = Tokens(None, store, Time())
    shown = await made(tokens, "boss", ADMIN)
    assert tokens.all()[0].used is None
    tokens.holder(shown)
    await tokens.write_uses()
    [kept] = await store.stored()
    assert kept.used == NOON.replace(minute=0)


async def test_a_use_does_not_bring_a_revoked_token_back(store: TokenStore) -> None:
    tokens = Tokens(Secret("own"), store, Time())
    shown = await made(tokens, "reader", READ)
    tokens.holder(shown)
    await tokens.revoke("reader")
    await tokens.write_uses()
    assert list(await store.stored()) == []


async def test_without_any_token_anybody_may_do_everything(store: TokenStore) -> None:
    tokens = Tokens(None, store, Time())
    assert tokens.operator(b"") == ANYBODY
    await made(tokens, "boss", ADMIN)
    assert tokens.operator(b"") is None


async def test_the_token_of_the_settings_is_the_operators() -> None:
    tokens = Tokens(Secret("own"), InMemoryTokens(), Time())
    assert tokens.operator(b"own") == OPERATOR
    assert tokens.operator(b"") is None


Try = Callable[[Tokens], Awaitable[object]]


async def first_is_no_admin(tokens: Tokens) -> object:
    return await tokens.create(TokenName("reader"), READ, None)


async def first_admin_ends(tokens: Tokens) -> object:
    return await tokens.create(TokenName("boss"), ADMIN, NOON + timedelta(days=1))


async def last_admin_goes(tokens: Tokens) -> object:
    await made(tokens, "boss", ADMIN)
    await made(tokens, "reader", READ)
    return await tokens.revoke("boss")


@pytest.mark.parametrize("attempt", [first_is_no_admin, first_admin_ends, last_admin_goes])
async def test_there_is_always_somebody_who_may_manage_tokens(attempt: Try) -> None:
    tokens = Tokens(None, InMemoryTokens(), Time())
    assert await attempt(tokens) == Failure(NobodyLeftToAdminister())
    assert not isinstance(await attempt(Tokens(Secret("own"), InMemoryTokens(), Time())), Failure)


class FullDisk:
    async def save(self, _: StoredToken) -> Result[None, NotStored]:
        return Failure(NotStored("the disk is full"))

    async def remove(self, _: TokenName) -> Result[None, NotStored]:
        return Success(None)

    async def stored(self) -> Sequence[StoredToken]:
        return ()


async def test_a_token_that_could_not_be_stored_does_not_hold() -> None:
    tokens = Tokens(None, FullDisk(), Time())
    assert await tokens.create(TokenName("boss"), ADMIN, None) == Failure(
        NotStored("the disk is full")
    )
    assert not tokens.asked_for


def test_a_token_is_256_random_bits_behind_a_known_beginning() -> None:
    tokens = {new_token().reveal() for _ in range(100)}
    assert len(tokens) == 100
    assert {len(token) for token in tokens} == {46}
    assert all(token.startswith("cx_") for token in tokens)


@pytest.mark.parametrize("scope", list(Scope))
def test_a_scope_lets_do_its_own_work_only_and_admin_everything(scope: Scope) -> None:
    for other in Scope:
        assert allows(frozenset({scope}), frozenset({other})) == (scope in {other, Scope.ADMIN})
    assert not allows(frozenset(), EVERYTHING)


@pytest.mark.parametrize("name", ["operator", "anonymous", "Robot", "a b", "", "-a", "a" * 64])
def test_a_name_that_means_somebody_else_is_no_name(name: str) -> None:
    assert isinstance(TokenName.parse(name), Failure)
    assert isinstance(TokenName.parse(f"x{name.strip(' -')[:5].lower().replace(' ', '')}"), Success)
