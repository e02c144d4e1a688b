"""A change of the database as a value: done, or why not."""

import sqlite3
from collections.abc import Awaitable

from returns.result import Failure, Result, Success

from caxton_core.storage import NotStored


async def stored(changed: Awaitable[object]) -> Result[None, NotStored]:
    """Why it was not stored, where it was not."""
    try:
        await changed
    except sqlite3.Error as error:
        return Failure(NotStored(str(error)))
    return Success(None)
