"""Whatever happens to messages that are at work together, their conversations stay sound."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, settings

from caxton_adapters.database import open_database
from caxton_adapters.journal.in_memory import InMemoryJournal
from caxton_adapters.journal.sqlite import SqliteConversations, SqliteJournal
from caxton_adapters.testing.durable import Reopen
from caxton_adapters.testing.stores import Stores
from tests.adapters.journal.interleaving import Interleaving


class InMemory(Interleaving):
    """With a journal that outlives the server that uses it."""

    def new_place(self) -> Reopen:
        journal = InMemoryJournal()

        @asynccontextmanager
        async def reopened() -> AsyncIterator[Stores]:
            yield Stores(journal, journal, journal.conversations)

        return reopened


class Sqlite(Interleaving):
    """With a database that is opened anew after every crash."""

    def new_place(self) -> Reopen:
        folder = Path(self.stack.enter_context(TemporaryDirectory()))

        @asynccontextmanager
        async def reopened() -> AsyncIterator[Stores]:
            async with open_database(folder / "caxton.db") as database:
                journal = SqliteJournal(database)
                yield Stores(journal, journal, SqliteConversations(database))

        return reopened


_STEPS = settings(stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck))

TestInMemory = InMemory.TestCase
TestInMemory.settings = settings(_STEPS, max_examples=40)
TestSqlite = Sqlite.TestCase
TestSqlite.settings = settings(_STEPS, max_examples=10)
