"""What is remembered, as it stands on the wire."""

from typing import Any

import msgspec

from caxton_adapters.rest.problem import ErrorItem
from caxton_adapters.rest.wire import Time
from caxton_core.memory.entry import Entry, Relation
from caxton_core.memory.query import Found
from caxton_core.memory.written import line_of


class RelationBody(msgspec.Struct, frozen=True):
    """How the entry is related to another one: 0 hardly, 1 fully."""

    type: str
    to: str
    strength: float


class EntryBody(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Something remembered; it holds from `valid_from` on and until just before `valid_to`."""

    key: str
    text: str
    kind: str
    created_at: Time
    updated_at: Time
    value: Any = None
    tags: tuple[str, ...] = ()
    valid_from: Time | None = None
    valid_to: Time | None = None
    relations: tuple[RelationBody, ...] = ()


class EntryPage(msgspec.Struct, frozen=True):
    """Entries, the best or the newest first; `next` is the cursor of the next page."""

    entries: tuple[EntryBody, ...]
    next: str | None


class Forgotten(msgspec.Struct, frozen=True):
    """How many entries were removed."""

    forgotten: int


class ImportOutcome(msgspec.Struct, frozen=True):
    """What became of the lines of an import.

    Relations are left out where they lead to entries that are not there.
    """

    read: int
    stored: int
    relations_left_out: int
    errors: tuple[ErrorItem, ...] = ()


def entry_line(entry: Entry, relations: tuple[Relation, ...] = ()) -> bytes:
    """The entry as one line of JSON, as an import reads it."""
    return msgspec.json.encode(line_of(entry, relations))


def entry_page(found: Found) -> bytes:
    """The page as JSON."""
    entries = [msgspec.Raw(entry_line(entry)) for entry in found.entries]
    following = None if found.next is None else str(found.next)
    return msgspec.json.encode({"entries": entries, "next": following})
