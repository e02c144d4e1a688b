"""Entries as rows of the database, and back."""

import sqlite3
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

import msgspec

from caxton_core.memory.entry import (
    AgentOwner,
    ConversationOwner,
    Entry,
    Everybody,
    Owner,
)
from caxton_core.memory.primitives import EntryKey, EntryKind, EntryText, Tag
from caxton_core.primitives import AgentId, ConversationId, JsonValue

Row: TypeAlias = tuple[object, ...]
OwnerRow: TypeAlias = tuple[str, str, str]

COLUMNS: Final = "key, kind, text, value, tags, created, updated, valid_from, valid_to"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def micros(time: datetime) -> int:
    """Microseconds since 1970."""
    return (time - _EPOCH) // _MICROSECOND


def _time(since_1970: int) -> datetime:
    return _EPOCH + since_1970 * _MICROSECOND


def owner_row(owner: Owner) -> OwnerRow:
    """Scope, agent and conversation, empty where the scope has none."""
    match owner:
        case AgentOwner(agent):
            return "agent", agent.value, ""
        case ConversationOwner(agent, conversation):
            return "conversation", agent.value, conversation.value
        case Everybody():
            return "global", "", ""


def owner_of(scope: str, agent: str, conversation: str) -> Owner:
    """The owner of a row; raises `ValueError` for nonsense."""
    match scope:
        case "agent":
            return AgentOwner(AgentId(agent))
        case "conversation":
            return ConversationOwner(AgentId(agent), ConversationId(conversation))
        case "global":
            return Everybody()
        case _:
            message = f"no scope is called {scope}"
            raise ValueError(message)


def entry_row(entry: Entry) -> Row:
    """The columns of `COLUMNS`."""
    return (
        entry.key.value,
        entry.kind.value,
        entry.text.value,
        None if entry.value is None else entry.value.value,
        msgspec.json.encode([tag.value for tag in entry.tags]).decode(),
        micros(entry.created_at),
        micros(entry.updated_at),
        None if entry.valid_from is None else micros(entry.valid_from),
        None if entry.valid_to is None else micros(entry.valid_to),
    )


def entry_of(owner: Owner, row: sqlite3.Row | Row) -> Entry:
    """The entry of a row of `COLUMNS`; raises `ValueError` for nonsense."""
    key, kind, text, value, tags, created, updated, begins, ends = msgspec.convert(row, _Typed)
    return Entry(
        owner=owner,
        key=EntryKey(key),
        text=EntryText(text),
        value=None if value is None else JsonValue(value),
        kind=EntryKind(kind),
        tags=tuple(map(Tag, msgspec.json.decode(tags, type=list[str]))),
        created_at=_time(created),
        updated_at=_time(updated),
        valid_from=None if begins is None else _time(begins),
        valid_to=None if ends is None else _time(ends),
    )


_Typed: TypeAlias = tuple[str, str, str, str | None, str, int, int, int | None, int | None]
