"""A memory in the server's database: writes go to its one writer, reads to its reader threads."""

import sqlite3
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime
from typing import Final, TypeVar, final

from returns.result import Failure, Result, Success

from caxton_adapters.database import Database
from caxton_adapters.memory import changing, reading
from caxton_core.memory.entry import (
    UNBOUNDED,
    Bounds,
    Entry,
    EntryChanged,
    Owner,
    Relation,
)
from caxton_core.memory.primitives import EntryKey
from caxton_core.memory.query import NOTHING, Found, NoEmbedder, Query, Search
from caxton_core.memory.written import Imported
from caxton_core.primitives import AgentId
from caxton_core.storage import NotRead, NotStored

T = TypeVar("T")

_MOST_OWNERS: Final = 50_000
"""So many owners are known by heart; with more of them every question goes to the database."""


@final
class SqliteMemory:
    """Entries in a few tables and a full-text index; made by `sqlite_memory`.

    `owners` are all that may have entries, so that nothing is read for others; None: not known.
    """

    def __init__(self, database: Database, owners: set[Owner] | None) -> None:
        self._database = database
        self._owners = owners

    async def put(
        self,
        entry: Entry,
        *,
        if_updated_at: datetime | None = None,
        bounds: Bounds = UNBOUNDED,
    ) -> Result[Entry, NotStored | EntryChanged]:
        """Store the entry in place of the one with its key."""
        self._remember(entry.owner)
        stored = await _stored(
            self._database.change(
                lambda open_: changing.put_within(open_, entry, if_updated_at, bounds)
            )
        )
        if isinstance(stored, Failure):
            return stored
        outcome, trimmed = stored.unwrap()
        if isinstance(outcome, EntryChanged):
            return Failure(outcome)
        if trimmed >= changing.MOST_AT_ONCE:
            await self.trim(entry.owner, bounds)
        return Success(outcome)

    async def load(self, imported: Sequence[Imported]) -> Result[int, NotStored]:
        """Store all entries, or none, and their relations."""
        for each in imported:
            self._remember(each.entry.owner)
        return await _stored(self._database.change(lambda open_: changing.load(open_, imported)))

    async def get(self, owner: Owner, key: EntryKey) -> Result[Entry | None, NotRead]:
        """The entry of this name."""
        if self._has_nothing(owner):
            return Success(None)
        return await self._read(lambda open_: reading.entry(open_, owner, key))

    async def search(self, owner: Owner, query: Query) -> Result[Found, NotRead | NoEmbedder]:
        """The entries that fit, best or newest first."""
        if query.how is not Search.TEXT:
            return Failure(NoEmbedder(query.how))
        if self._has_nothing(owner):
            return Success(NOTHING)
        return await self._read(lambda open_: reading.found(open_, owner, query))

    async def forget(
        self, owner: Owner, which: EntryKey | Query
    ) -> Result[int, NotStored | NotRead | NoEmbedder]:
        """Remove one entry, or all that fit."""
        if isinstance(which, Query) and which.how is not Search.TEXT:
            return Failure(NoEmbedder(which.how))
        if self._has_nothing(owner):
            return Success(0)
        if isinstance(which, EntryKey):
            return await _stored(
                self._database.remove(lambda open_: changing.forget_one(open_, owner, which))
            )
        return await self._removed(lambda open_: changing.forget_some(open_, owner, which))

    async def trim(self, owner: Owner, bounds: Bounds) -> Result[int, NotStored]:
        """Remove what is out of bounds."""
        if self._has_nothing(owner) or bounds == UNBOUNDED:
            return Success(0)
        return await self._removed(lambda open_: changing.trim(open_, owner, bounds))

    async def relate(self, owner: Owner, relation: Relation) -> Result[bool, NotStored]:
        """Relate two entries."""
        return await _stored(
            self._database.change(lambda open_: changing.relate(open_, owner, relation))
        )

    async def related(
        self, owner: Owner, keys: Collection[EntryKey]
    ) -> Result[Sequence[Relation], NotRead]:
        """The relations that begin or end at one of the entries."""
        if self._has_nothing(owner):
            return Success(())
        return await self._read(lambda open_: reading.relations(open_, owner, keys))

    async def count(self, owner: Owner) -> Result[int, NotRead]:
        """How many entries there are."""
        if self._has_nothing(owner):
            return Success(0)
        return await self._read(lambda open_: reading.count(open_, owner))

    async def forget_agent(self, agent: AgentId) -> Result[int, NotStored]:
        """Remove what an agent remembers."""
        return await self._removed(lambda open_: changing.forget_some_of_agent(open_, agent))

    async def _removed(self, work: Callable[[sqlite3.Connection], int]) -> Result[int, NotStored]:
        """Do the work until it removes nothing more; each step lets other writers in between."""
        removed = 0
        while True:
            step = await _stored(self._database.remove(work))
            if isinstance(step, Failure):
                return step
            if not step.unwrap():
                return Success(removed)
            removed += step.unwrap()

    async def _read(self, work: Callable[[sqlite3.Connection], T]) -> Result[T, NotRead]:
        try:
            return Success(await self._database.read(work))
        except (sqlite3.Error, ValueError) as error:
            return Failure(NotRead(str(error)))

    def _has_nothing(self, owner: Owner) -> bool:
        return self._owners is not None and owner not in self._owners

    def _remember(self, owner: Owner) -> None:
        if self._owners is not None:
            self._owners.add(owner)
            if len(self._owners) > _MOST_OWNERS:
                self._owners = None


async def _stored(changed: Awaitable[T]) -> Result[T, NotStored]:
    try:
        return Success(await changed)
    except sqlite3.Error as error:
        return Failure(NotStored(str(error)))


async def sqlite_memory(database: Database) -> SqliteMemory:
    """The memory in a database, which knows by heart who has entries."""
    try:
        owners = await database.read(lambda open_: reading.owners(open_, _MOST_OWNERS + 1))
    except (sqlite3.Error, ValueError):
        return SqliteMemory(database, None)
    return SqliteMemory(database, set(owners) if len(owners) <= _MOST_OWNERS else None)
