"""What a memory is asked, answered over one connection to the database."""

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from heapq import nlargest
from typing import Final

import msgspec

from caxton_adapters.memory.asking import Range, newest, weighed
from caxton_adapters.memory.rows import COLUMNS, entry_of, micros, owner_of, owner_row
from caxton_core.memory.entry import Entry, Owner, Relation
from caxton_core.memory.primitives import EntryKey, RelationType, Strength
from caxton_core.memory.query import NOTHING, Cursor, Found, Query
from caxton_core.memory.ranking import folded_words, saturation

_MOST_READ: Final = 100
_FIRST_CHARACTERS: Final = 1_000
_QUALIFIED: Final = ", ".join(f"e.{column}" for column in COLUMNS.split(", "))


def range_of(connection: sqlite3.Connection, owner: Owner) -> Range | None:
    """Where the owner's entries are; None for an owner who never had one."""
    row = connection.execute(
        "SELECT id FROM memory_owners WHERE (scope, agent, conversation) = (?, ?, ?)",
        owner_row(owner),
    ).fetchone()
    return None if row is None else Range(row[0])


def owners(connection: sqlite3.Connection, limit: int) -> Sequence[Owner]:
    """Who has entries."""
    rows = connection.execute(
        "SELECT scope, agent, conversation FROM memory_owners WHERE entries > 0 LIMIT ?", (limit,)
    )
    return [owner_of(*row) for row in rows]


def entry(connection: sqlite3.Connection, owner: Owner, key: EntryKey) -> Entry | None:
    """The entry of this name."""
    own = range_of(connection, owner)
    if own is None:
        return None
    row = connection.execute(
        f"SELECT {COLUMNS} FROM memory_entries WHERE owner = ? AND key = ?",  # noqa: S608 - ours
        (own.owner, key.value),
    ).fetchone()
    return None if row is None else entry_of(owner, row)


def count(connection: sqlite3.Connection, owner: Owner) -> int:
    """How many entries an owner has."""
    own = range_of(connection, owner)
    return 0 if own is None else number_of_entries(connection, own)


def number_of_entries(connection: sqlite3.Connection, own: Range) -> int:
    """How many entries there are; the database counts them as they come and go."""
    row = connection.execute("SELECT entries FROM memory_owners WHERE id = ?", (own.owner,))
    (entries,) = row.fetchone()
    return int(entries)


def found(connection: sqlite3.Connection, owner: Owner, query: Query) -> Found:
    """The entries that fit."""
    own = range_of(connection, owner)
    if own is None:
        return NOTHING
    if query.is_worded:
        return _best(connection, owner, own, query)
    rows = newest(connection, own, query, _QUALIFIED, query.limit + 1)
    shown = tuple(entry_of(owner, row) for row in rows[: query.limit])
    last = shown[-1] if len(rows) > len(shown) else None
    return Found(shown, None if last is None else Cursor(last.created_at, last.key.value))


def _best(connection: sqlite3.Connection, owner: Owner, own: Range, query: Query) -> Found:
    ranked = nlargest(query.limit + 1, _ranked(connection, own, query))
    shown = ranked[: query.limit]
    entries = _entries(connection, owner, [place[-1] for place in shown])
    if len(ranked) == len(shown):
        return Found(entries)
    score, last = shown[-1][0], entries[-1]
    return Found(entries, Cursor(last.created_at, last.key.value, score))


def _ranked(
    connection: sqlite3.Connection, own: Range, query: Query
) -> Iterator[tuple[float, int, str, int]]:
    """Score, time of creation, key and id of the entries after the query's cursor."""
    scores = _scores(connection, query, weighed(connection, own, query))
    after = query.cursor
    bound = None if after is None else (after.score or 0.0, micros(after.created_at), after.key)
    for id_, created, key in connection.execute(
        "SELECT e.id, e.created, e.key FROM json_each(?) wanted"
        " CROSS JOIN memory_entries e ON e.id = wanted.value",
        (_array(scores),),
    ):
        place = (scores[id_], created, key)
        if bound is None or place < bound:
            yield *place, id_


def _scores(
    connection: sqlite3.Connection, query: Query, weights: dict[int, float]
) -> dict[int, float]:
    """How well the entries fit; the texts of the best by weight, then newest, are looked into."""
    best = nlargest(_MOST_READ, weights, key=lambda id_: (weights[id_], id_))
    said = {
        id_: folded_words(text)
        for id_, text in connection.execute(
            "SELECT e.id, e.key || ' ' || substr(e.text, 1, ?) FROM json_each(?) wanted"
            " CROSS JOIN memory_entries e ON e.id = wanted.value",
            (_FIRST_CHARACTERS, _array(best)),
        )
    }
    usual = sum(map(len, said.values())) / max(1, len(said)) or 1
    wanted = set(folded_words(query.text.value))
    read = {
        id_: weights[id_] * (1 + saturation(wanted, words, usual)) for id_, words in said.items()
    }
    return {**weights, **read}


def _entries(connection: sqlite3.Connection, owner: Owner, ids: Sequence[int]) -> tuple[Entry, ...]:
    rows = connection.execute(
        f"SELECT {_QUALIFIED} FROM json_each(?) wanted"  # noqa: S608 - our own words
        " CROSS JOIN memory_entries e ON e.id = wanted.value ORDER BY wanted.key",
        (_array(ids),),
    )
    return tuple(entry_of(owner, row) for row in rows)


def relations(
    connection: sqlite3.Connection, owner: Owner, keys: Collection[EntryKey]
) -> Sequence[Relation]:
    """The relations that begin or end at one of the entries."""
    own = range_of(connection, owner)
    if own is None:
        return ()
    rows = connection.execute(
        """
        WITH asked (id) AS (
            SELECT e.id FROM json_each(?2) wanted
            CROSS JOIN memory_entries e ON e.owner = ?1 AND e.key = wanted.value
        ), touched AS (
            SELECT r.* FROM asked CROSS JOIN memory_relations r ON r.source = asked.id
            UNION
            SELECT r.* FROM asked CROSS JOIN memory_relations r ON r.target = asked.id
        )
        SELECT source.key, r.type, target.key, r.strength FROM touched r
        CROSS JOIN memory_entries source ON source.id = r.source
        CROSS JOIN memory_entries target ON target.id = r.target
        ORDER BY source.key, r.type, target.key
        """,
        (own.owner, _array(key.value for key in keys)),
    )
    return tuple(
        Relation(EntryKey(source), RelationType(type_), EntryKey(target), Strength(strength))
        for source, type_, target, strength in rows
    )


def _array(items: Iterable[object]) -> str:
    return msgspec.json.encode(list(items)).decode()
