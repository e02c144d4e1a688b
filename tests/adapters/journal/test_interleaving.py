"""Whatever happens to messages that are at work together, their conversations stay sound."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from hypothesis import HealthCheck, settings

from caxton_adapters.journal.in_memory import InMemoryJournal
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


TestInMemory = InMemory.TestCase
TestInMemory.settings = settings(
    max_examples=40,
    stateful_step_count=50,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
