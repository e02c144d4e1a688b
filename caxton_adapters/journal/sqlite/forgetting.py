"""Removing messages so that nothing of them is left in the files."""

import sqlite3
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Final

from returns.result import Failure, Result, Success

from caxton_adapters.database import Database
from caxton_adapters.journal.sqlite.asking import stored
from caxton_adapters.journal.sqlite.times import ticks
from caxton_core.primitives import AgentId
from caxton_core.storage import NotStored

AT_ONCE: Final = 500
"""Messages that are removed in one transaction: others wait so long for theirs."""


async def ended(database: Database, before: datetime) -> Result[int, NotStored]:
    """Remove messages that ended before; how many there were."""
    where = "ended < ? ORDER BY ended"
    return await _in_parts(database, partial(_removed, where=where, parameters=(ticks(before),)))


async def agent(database: Database, who: AgentId) -> Result[int, NotStored]:
    """Remove the messages of an agent and what is left of its conversations."""
    remove = partial(_removed, where="agent = ?", parameters=(who.value,))
    return await _in_parts(database, remove)


async def _in_parts(
    database: Database, remove: Callable[[sqlite3.Connection], int]
) -> Result[int, NotStored]:
    total = 0
    while True:
        removed = await stored(database.remove(remove))
        if isinstance(removed, Failure):
            return removed
        total += removed.unwrap()
        if removed.unwrap() < AT_ONCE:
            break
    if total:
        await database.empty_log()
    return Success(total)


def _removed(connection: sqlite3.Connection, where: str, parameters: tuple[str | int, ...]) -> int:
    return connection.execute(
        f"DELETE FROM messages WHERE number IN"  # noqa: S608 - the clauses stand above
        f" (SELECT number FROM messages WHERE {where} LIMIT {AT_ONCE:d})",
        parameters,
    ).rowcount
