"""Changes of a memory, each inside a transaction of the database's writer."""

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Final

import msgspec
from attrs import evolve

from caxton_adapters.memory.asking import Range, newest, weighed
from caxton_adapters.memory.reading import entry as stored_entry
from caxton_adapters.memory.reading import number_of_entries, range_of
from caxton_adapters.memory.rows import COLUMNS, entry_row, micros, owner_row
from caxton_core.memory.entry import UNBOUNDED, Bounds, Entry, EntryChanged, Owner, Relation
from caxton_core.memory.primitives import EntryKey
from caxton_core.memory.query import Query
from caxton_core.memory.written import Imported
from caxton_core.primitives import AgentId

MOST_AT_ONCE: Final = 500
"""Entries that one step removes at most, so that a large removal keeps nobody waiting."""
_UPDATE: Final = """
UPDATE memory_entries SET (kind, text, value, tags, updated, valid_from, valid_to)
    = (?2, ?3, ?4, ?5, ?7, ?8, ?9) WHERE owner = ?10 AND key = ?1
"""
_INSERT: Final = f"""
INSERT INTO memory_entries ({COLUMNS}, owner, id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
    (SELECT coalesce(max(id), ?) + 1 FROM memory_entries WHERE id BETWEEN ? AND ?))
RETURNING id
"""  # noqa: S608 - our own words


_INDEX: Final = """
INSERT INTO memory_words (rowid, key, text) SELECT id, key, text FROM memory_entries
"""
_UNINDEX: Final = """
INSERT INTO memory_words (memory_words, rowid, key, text)
    SELECT 'delete', id, key, text FROM memory_entries
"""
_LISTED: Final = "WHERE id IN (SELECT value FROM json_each(?))"
_DELETE: Final = f"DELETE FROM memory_entries {_LISTED}"  # noqa: S608 - our own words


def put(
    connection: sqlite3.Connection, entry: Entry, if_updated_at: datetime | None
) -> Entry | EntryChanged:
    """Store the entry in place of the one with its key, if that is as its author saw it."""
    known = stored_entry(connection, entry.owner, entry.key)
    if if_updated_at is not None and (known is None or known.updated_at != if_updated_at):
        return EntryChanged(known)
    own = _range_for(connection, entry.owner)
    if known is None:
        parameters = (*entry_row(entry), own.owner, own.first, own.first, own.last)
        (added,) = connection.execute(_INSERT, parameters).fetchone()
        connection.execute(f"{_INDEX} WHERE id = ?", (added,))
        return entry
    mine = (own.owner, entry.key.value)
    if known.text == entry.text:
        connection.execute(_UPDATE, (*entry_row(entry), own.owner))
    else:
        connection.execute(f"{_UNINDEX} WHERE owner = ? AND key = ?", mine)
        connection.execute(_UPDATE, (*entry_row(entry), own.owner))
        connection.execute(f"{_INDEX} WHERE owner = ? AND key = ?", mine)
    return evolve(entry, created_at=known.created_at)


def put_within(
    connection: sqlite3.Connection, entry: Entry, if_updated_at: datetime | None, bounds: Bounds
) -> tuple[Entry | EntryChanged, int]:
    """Store the entry and remove some of what is out of bounds then; how much that was."""
    outcome = put(connection, entry, if_updated_at)
    if isinstance(outcome, EntryChanged):
        return outcome, 0
    return outcome, trim(connection, entry.owner, bounds)


def load(connection: sqlite3.Connection, imported: Sequence[Imported]) -> int:
    """Store all entries, then their relations; how many of these lead nowhere."""
    for each in imported:
        put(connection, each.entry, None)
    return sum(
        not relate(connection, each.entry.owner, relation)
        for each in imported
        for relation in each.relations
    )


def trim(connection: sqlite3.Connection, owner: Owner, bounds: Bounds) -> int:
    """Remove some of what is out of bounds; how much that was."""
    own = range_of(connection, owner)
    if own is None or bounds == UNBOUNDED:
        return 0
    gone = {*_too_old(connection, own, bounds), *_too_many(connection, own, bounds)}
    return _remove(connection, gone)


def _too_old(connection: sqlite3.Connection, own: Range, bounds: Bounds) -> Iterator[int]:
    if bounds.since is not None:
        for (id_,) in connection.execute(
            "SELECT id FROM memory_entries WHERE owner = ? AND updated < ? LIMIT ?",
            (own.owner, micros(bounds.since), MOST_AT_ONCE),
        ):
            yield id_


def _too_many(connection: sqlite3.Connection, own: Range, bounds: Bounds) -> Iterator[int]:
    if bounds.max_entries is not None:
        over = number_of_entries(connection, own) - bounds.max_entries
        for (id_,) in connection.execute(
            "SELECT id FROM memory_entries WHERE owner = ? ORDER BY updated, key LIMIT ?",
            (own.owner, max(0, min(over, MOST_AT_ONCE))),
        ):
            yield id_


def forget_one(connection: sqlite3.Connection, owner: Owner, key: EntryKey) -> int:
    """Remove the entry of this name."""
    own = range_of(connection, owner)
    if own is None:
        return 0
    rows = connection.execute(
        "SELECT id FROM memory_entries WHERE owner = ? AND key = ?", (own.owner, key.value)
    ).fetchall()
    return _remove(connection, [id_ for (id_,) in rows])


def forget_some(connection: sqlite3.Connection, owner: Owner, query: Query) -> int:
    """Remove some of the entries that fit."""
    own = range_of(connection, owner)
    if own is None:
        return 0
    whole = evolve(query, cursor=None)
    if query.is_worded:
        return _remove(connection, list(weighed(connection, own, whole))[:MOST_AT_ONCE])
    rows = newest(connection, own, whole, "e.id", MOST_AT_ONCE)
    return _remove(connection, [id_ for (id_,) in rows])


def forget_some_of_agent(connection: sqlite3.Connection, agent: AgentId) -> int:
    """Remove some of the entries of an agent and its conversations, at last these owners too."""
    rows = connection.execute(
        "SELECT e.id FROM memory_owners o CROSS JOIN memory_entries e ON e.owner = o.id"
        " WHERE o.agent = ? LIMIT ?",
        (agent.value, MOST_AT_ONCE),
    ).fetchall()
    if not rows:
        connection.execute("DELETE FROM memory_owners WHERE agent = ?", (agent.value,))
    return _remove(connection, [id_ for (id_,) in rows])


def relate(connection: sqlite3.Connection, owner: Owner, relation: Relation) -> bool:
    """Relate two entries; False where one of them is not there."""
    own = range_of(connection, owner)
    if own is None:
        return False
    related = connection.execute(
        "INSERT INTO memory_relations (source, type, target, strength)"
        " SELECT source.id, ?, target.id, ? FROM memory_entries source, memory_entries target"
        " WHERE (source.owner, source.key) = (?, ?) AND (target.owner, target.key) = (?, ?)"
        " ON CONFLICT DO UPDATE SET strength = excluded.strength",
        (
            relation.type.value,
            relation.strength.value,
            own.owner,
            relation.source.value,
            own.owner,
            relation.target.value,
        ),
    )
    return related.rowcount > 0


def _range_for(connection: sqlite3.Connection, owner: Owner) -> Range:
    known = range_of(connection, owner)
    if known is not None:
        return known
    added = connection.execute(
        "INSERT INTO memory_owners (scope, agent, conversation) VALUES (?, ?, ?) RETURNING id",
        owner_row(owner),
    ).fetchone()
    return Range(added[0])


def _remove(connection: sqlite3.Connection, ids: Collection[int]) -> int:
    listed = (msgspec.json.encode(list(ids)).decode(),)
    connection.execute(f"{_UNINDEX} {_LISTED}", listed)
    return connection.execute(_DELETE, listed).rowcount
