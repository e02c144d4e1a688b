"""Messages and conversations in the server's database."""

from caxton_adapters.journal.sqlite.conversations import SqliteConversations
from caxton_adapters.journal.sqlite.journal import SqliteJournal

__all__ = ["SqliteConversations", "SqliteJournal"]
