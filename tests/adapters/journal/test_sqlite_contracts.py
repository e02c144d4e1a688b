"""The journal in the database keeps the promises of its ports."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from caxton_adapters.database import Database, open_database
from caxton_adapters.journal.sqlite import SqliteConversations, SqliteJournal
from caxton_adapters.testing.conversations import ConversationsContract
from caxton_adapters.testing.durable import DurableContract, Reopen
from caxton_adapters.testing.journal import JournalContract
from caxton_adapters.testing.messages import MessagesContract
from caxton_adapters.testing.stores import Stores
from caxton_adapters.testing.turns import TurnsContract


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with open_database(tmp_path / "caxton.db") as opened:
        yield opened


def stores(database: Database) -> Stores:
    journal = SqliteJournal(database)
    return Stores(journal, journal, SqliteConversations(database))


class TestSqliteJournal(JournalContract):
    @pytest.fixture
    def store(self, database: Database) -> Stores:
        return stores(database)


class TestTurnsInSqlite(TurnsContract):
    @pytest.fixture
    def store(self, database: Database) -> Stores:
        return stores(database)


class TestMessagesInSqlite(MessagesContract):
    @pytest.fixture
    def store(self, database: Database) -> Stores:
        return stores(database)


class TestConversationsInSqlite(ConversationsContract):
    @pytest.fixture
    def store(self, database: Database) -> Stores:
        return stores(database)


class TestSqliteOpenedAgain(DurableContract):
    @pytest.fixture
    def reopen(self, tmp_path: Path) -> Reopen:
        @asynccontextmanager
        async def reopened() -> AsyncIterator[Stores]:
            async with open_database(tmp_path / "caxton.db") as database:
                yield stores(database)

        return reopened
