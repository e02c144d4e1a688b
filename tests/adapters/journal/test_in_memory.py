"""The journal in memory keeps the promises of its ports, within its bounds."""

import pytest

from caxton_adapters.journal.in_memory import InMemoryJournal
from caxton_adapters.testing.journal import JournalContract
from caxton_adapters.testing.stores import Stores
from caxton_adapters.testing.turns import TurnsContract


def stores(journal: InMemoryJournal) -> Stores:
    return Stores(journal, journal, journal.conversations)


class TestInMemory(JournalContract, TurnsContract):
    @pytest.fixture
    def store(self) -> Stores:
        return stores(InMemoryJournal())
