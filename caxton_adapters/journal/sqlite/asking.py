"""Asking the database: what it raises, and what cannot be read, become values."""

import sqlite3
from collections.abc import Awaitable
from typing import Final, TypeVar

from returns.result import Failure, Result, Success

from caxton_adapters.database.unusable import in_words
from caxton_core.storage import NotRead, NotStored

T = TypeVar("T")

_NONSENSE: Final = (ValueError, KeyError, TypeError, AttributeError)
"""What reading a row raises that holds something else than was written."""


async def stored(asked: Awaitable[T]) -> Result[T, NotStored]:
    """What came of a change."""
    try:
        return Success(await asked)
    except sqlite3.Error as error:
        return Failure(NotStored(in_words(error)))
    except UnicodeDecodeError as error:  # SQLite's own words quote what is in a damaged file
        return Failure(NotStored(f"the database is damaged ({error})"))


async def read(asked: Awaitable[T]) -> Result[T, NotRead]:
    """What was read."""
    try:
        return Success(await asked)
    except sqlite3.Error as error:
        return Failure(NotRead(in_words(error)))
    except _NONSENSE as error:
        return Failure(NotRead(f"what is stored makes no sense ({error!r})"))
