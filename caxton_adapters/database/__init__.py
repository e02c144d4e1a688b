"""The server's SQLite database: one writer, several readers, and the history of its schema."""

from caxton_adapters.database.connecting import Synchronous
from caxton_adapters.database.database import Database, open_database
from caxton_adapters.database.grouped import Grouped, Row
from caxton_adapters.database.health import DatabaseHealth
from caxton_adapters.database.unusable import StorageUnusable

__all__ = [
    "Database",
    "DatabaseHealth",
    "Grouped",
    "Row",
    "StorageUnusable",
    "Synchronous",
    "open_database",
]
