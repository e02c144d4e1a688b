"""A memory that is gone with the process: for tests, and for agents inside a program."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import final

from attrs import define, evolve, field
from returns.result import Failure, Result, Success

from caxton_core.memory.entry import (
    UNBOUNDED,
    AgentOwner,
    Bounds,
    ConversationOwner,
    Entry,
    EntryChanged,
    Everybody,
    Owner,
    Relation,
)
from caxton_core.memory.primitives import EntryKey, RelationType, Strength
from caxton_core.memory.query import Cursor, Found, NoEmbedder, Query, Search
from caxton_core.memory.ranking import page, ranked
from caxton_core.memory.written import Imported
from caxton_core.primitives import AgentId
from caxton_core.storage import NotRead, NotStored


@final
@define
class _Kept:
    """What one owner remembers."""

    entries: dict[EntryKey, Entry] = field(factory=dict)
    relations: dict[tuple[EntryKey, RelationType, EntryKey], Strength] = field(factory=dict)

    def take(self, entry: Entry) -> Entry:
        known = self.entries.get(entry.key)
        stored = entry if known is None else evolve(entry, created_at=known.created_at)
        self.entries[entry.key] = stored
        return stored

    def relate(self, relation: Relation) -> bool:
        if not {relation.source, relation.target} <= self.entries.keys():
            return False
        self.relations[relation.source, relation.type, relation.target] = relation.strength
        return True

    def drop(self, keys: Iterable[EntryKey]) -> int:
        gone = {key for key in keys if self.entries.pop(key, None) is not None}
        self.relations = {
            ends: strength
            for ends, strength in self.relations.items()
            if gone.isdisjoint((ends[0], ends[2]))
        }
        return len(gone)

    def trim(self, bounds: Bounds) -> None:
        newest = sorted(self.entries.values(), key=_by_update, reverse=True)
        kept = newest if bounds.max_entries is None else newest[: bounds.max_entries]
        since = bounds.since
        names = {one.key for one in kept if since is None or one.updated_at >= since}
        self.drop([key for key in self.entries if key not in names])


@final
class InMemoryMemory:
    """Keeps everything in dictionaries; nothing in it waits, so nobody sees a change half done."""

    def __init__(self) -> None:
        self._kept: dict[Owner, _Kept] = {}

    async def put(
        self,
        entry: Entry,
        *,
        if_updated_at: datetime | None = None,
        bounds: Bounds = UNBOUNDED,
    ) -> Result[Entry, NotStored | EntryChanged]:
        """Store the entry in place of the one with its key."""
        kept = self._kept.setdefault(entry.owner, _Kept())
        known = kept.entries.get(entry.key)
        if if_updated_at is not None and (known is None or known.updated_at != if_updated_at):
            return Failure(EntryChanged(known))
        stored = kept.take(entry)
        kept.trim(bounds)
        return Success(stored)

    async def load(self, imported: Sequence[Imported]) -> Result[int, NotStored]:
        """Store all entries and their relations; how many of these lead nowhere."""
        for each in imported:
            self._kept.setdefault(each.entry.owner, _Kept()).take(each.entry)
        return Success(
            sum(
                not self._kept[each.entry.owner].relate(relation)
                for each in imported
                for relation in each.relations
            )
        )

    async def get(self, owner: Owner, key: EntryKey) -> Result[Entry | None, NotRead]:
        """The entry of this name."""
        kept = self._kept.get(owner)
        return Success(None if kept is None else kept.entries.get(key))

    async def search(self, owner: Owner, query: Query) -> Result[Found, NotRead | NoEmbedder]:
        """The entries that fit, best or newest first."""
        if query.how is not Search.TEXT:
            return Failure(NoEmbedder(query.how))
        entries = self._entries_of(owner)
        if query.is_worded:
            fitting = [each for each in ranked(query, entries) if query.admits(each.entry)]
            return Success(page(query, fitting))
        return Success(_newest(query, entries))

    async def forget(
        self, owner: Owner, which: EntryKey | Query
    ) -> Result[int, NotStored | NotRead | NoEmbedder]:
        """Remove one entry, or all that fit."""
        kept = self._kept.get(owner, _Kept())
        if isinstance(which, EntryKey):
            return Success(kept.drop([which]))
        if which.how is not Search.TEXT:
            return Failure(NoEmbedder(which.how))
        entries = self._entries_of(owner)
        if which.is_worded:
            entries = tuple(each.entry for each in ranked(which, entries))
        return Success(kept.drop([each.key for each in entries if which.admits(each)]))

    async def trim(self, owner: Owner, bounds: Bounds) -> Result[int, NotStored]:
        """Remove what is out of bounds."""
        kept = self._kept.get(owner, _Kept())
        before = len(kept.entries)
        kept.trim(bounds)
        return Success(before - len(kept.entries))

    async def relate(self, owner: Owner, relation: Relation) -> Result[bool, NotStored]:
        """Relate two entries."""
        kept = self._kept.get(owner)
        return Success(kept is not None and kept.relate(relation))

    async def related(
        self, owner: Owner, keys: Collection[EntryKey]
    ) -> Result[Sequence[Relation], NotRead]:
        """The relations that begin or end at one of the entries."""
        kept = self._kept.get(owner, _Kept())
        found = (Relation(*ends, strength) for ends, strength in kept.relations.items())
        return Success(tuple(each for each in found if each.source in keys or each.target in keys))

    async def count(self, owner: Owner) -> Result[int, NotRead]:
        """How many entries there are."""
        return Success(len(self._entries_of(owner)))

    async def forget_agent(self, agent: AgentId) -> Result[int, NotStored]:
        """Remove what an agent remembers."""
        own = [owner for owner in self._kept if _is_of(owner, agent)]
        return Success(sum(len(self._kept.pop(owner).entries) for owner in own))

    def _entries_of(self, owner: Owner) -> tuple[Entry, ...]:
        kept = self._kept.get(owner)
        return () if kept is None else tuple(kept.entries.values())


def _newest(query: Query, entries: Iterable[Entry]) -> Found:
    after = query.cursor
    admitted = sorted(filter(query.admits, entries), key=_place, reverse=True)
    rest = [
        each for each in admitted if after is None or _place(each) < (after.created_at, after.key)
    ]
    shown = tuple(rest[: query.limit])
    last = shown[-1] if len(rest) > len(shown) else None
    return Found(shown, None if last is None else Cursor(last.created_at, last.key.value))


def _place(entry: Entry) -> tuple[datetime, str]:
    return entry.created_at, entry.key.value


def _by_update(entry: Entry) -> tuple[datetime, str]:
    return entry.updated_at, entry.key.value


def _is_of(owner: Owner, agent: AgentId) -> bool:
    match owner:
        case AgentOwner(of) | ConversationOwner(of, _):
            return of == agent
        case Everybody():
            return False
