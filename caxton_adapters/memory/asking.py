"""A query as SQL: which ids of an owner's range fit, cheaply however many there are.

User text becomes quoted words, so nothing in it is an operator of the full-text index.
"""

import sqlite3
from collections.abc import Iterator
from math import log
from typing import Any, Final, TypeAlias, final

from attrs import frozen

from caxton_adapters.memory.rows import micros
from caxton_core.memory.query import MOST_RANKED, Match, Query
from caxton_core.memory.ranking import words

Parameters: TypeAlias = tuple[str | int, ...]

_BITS: Final = 32
_MOST_WORDS: Final = 16
"""Of a long text the longest words are looked for: they are the rarest."""
_MOST_OF_A_WORD: Final = 100
"""A word that more entries have says little about any of them; of these the newest are looked at.
"""
_MANY: Final = 1_000_000


@final
@frozen
class Range:
    """The ids of one owner's entries."""

    owner: int

    @property
    def first(self) -> int:
        """The lowest id that an entry of the owner can have."""
        return self.owner << _BITS

    @property
    def last(self) -> int:
        """The highest one."""
        return self.first | (1 << _BITS) - 1


@final
@frozen
class Condition:
    """A part of a WHERE clause about `memory_entries e`, with its parameters."""

    sql: str
    parameters: Parameters = ()

    def __and__(self, other: "Condition") -> "Condition":
        return Condition(f"{self.sql} AND {other.sql}", self.parameters + other.parameters)


_ANYTHING: Final = Condition("TRUE")


def admitting(query: Query) -> Condition:
    """What `Query.admits` says."""
    return _all(_filters(query))


def _passing(query: Query) -> Condition:
    """The same about a row of the index, which costs nothing where nothing is asked."""
    condition = admitting(query)
    if condition is _ANYTHING:
        return condition
    row = f"SELECT 1 FROM memory_entries e WHERE e.id = memory_words.rowid AND {condition.sql}"  # noqa: S608 - our own words
    return Condition(f"EXISTS ({row})", condition.parameters)


def _all(conditions: Iterator[Condition]) -> Condition:
    found = _ANYTHING
    for condition in conditions:
        found &= condition
    return found


def _filters(query: Query) -> Iterator[Condition]:
    if query.kind is not None:
        yield Condition("e.kind = ?", (query.kind.value,))
    if query.since is not None:
        yield Condition("e.created >= ?", (micros(query.since),))
    if query.until is not None:
        yield Condition("e.created < ?", (micros(query.until),))
    if query.changed_since is not None:
        yield Condition("e.updated >= ?", (micros(query.changed_since),))
    for tag in query.tags:
        has_it = (
            "EXISTS (SELECT 1 FROM memory_tags t WHERE t.owner = e.owner AND t.tag = ?"
            " AND t.created = e.created AND t.entry = e.id)"
        )
        yield Condition(has_it, (tag.value,))
    if query.valid_at is not None:
        at = micros(query.valid_at)
        yield Condition("(e.valid_from IS NULL OR e.valid_from <= ?)", (at,))
        yield Condition("(e.valid_to IS NULL OR e.valid_to > ?)", (at,))


def newest(
    connection: sqlite3.Connection, own: Range, query: Query, columns: str, limit: int
) -> list[tuple[Any, ...]]:
    """The columns of the entries that pass, newest first, after the query's cursor."""
    condition = Condition("e.owner = ?", (own.owner,)) & admitting(query)
    if query.cursor is not None:
        place = (micros(query.cursor.created_at), query.cursor.key)
        condition &= Condition("(e.created, e.key) < (?, ?)", place)
    source, order = "memory_entries e", "e.created DESC, e.key DESC"
    if query.tags:
        # The first tag leads: it is the rarer one where kinds and ages are many.
        source = "memory_tags led CROSS JOIN memory_entries e ON e.id = led.entry"
        order = "led.created DESC, e.key DESC"
        condition &= Condition("led.owner = ? AND led.tag = ?", (own.owner, query.tags[0].value))
        if query.cursor is not None:
            condition &= Condition("led.created <= ?", (micros(query.cursor.created_at),))
    statement = f"SELECT {columns} FROM {source} WHERE {condition.sql} ORDER BY {order} LIMIT ?"  # noqa: S608 - our own words
    return connection.execute(statement, (*condition.parameters, limit)).fetchall()


def weighed(connection: sqlite3.Connection, own: Range, query: Query) -> dict[int, float]:
    """The ids of the newest entries that have the words and pass, with what their words weigh.

    A word weighs as in BM25, by how few entries have it: of the owner's own, so that nobody's order
    tells of others. The index's own `bm25` would walk over all entries of the server that have a
    word, which takes longer the more there are.
    """
    wanted = words(query.text.value)
    if not wanted:
        return {}
    if query.match is Match.ALL:
        text = " AND ".join(map(_quoted, wanted))
        return dict.fromkeys(_matching(connection, own, query, text, MOST_RANKED), 1.0)
    weights: dict[int, float] = {}
    for word in sorted(wanted, key=len, reverse=True)[:_MOST_WORDS]:
        having = _matching(connection, own, query, _quoted(word), _MOST_OF_A_WORD)
        for id_ in having:
            weights[id_] = weights.get(id_, 0.0) + log(_MANY / len(having))
    return weights


def _matching(
    connection: sqlite3.Connection, own: Range, query: Query, text: str, limit: int
) -> list[int]:
    condition = _passing(query)
    statement = (
        "SELECT rowid FROM memory_words WHERE memory_words MATCH ?"  # noqa: S608 - our own words
        f" AND rowid BETWEEN ? AND ? AND {condition.sql} ORDER BY rowid DESC LIMIT ?"
    )
    parameters = (text, own.first, own.last, *condition.parameters, limit)
    return [id_ for (id_,) in connection.execute(statement, parameters)]


def _quoted(word: str) -> str:
    return f'"{word}"'
