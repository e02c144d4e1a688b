"""Entries as people and models write them, in JSON: read whole, or refused with every problem."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Final, TypeAlias, final

from attrs import frozen
from returns.result import Failure, Result, Success

from caxton_core.memory.entry import MOST_TAGS, NOTE, Entry, Owner, Relation, sorted_tags
from caxton_core.memory.primitives import (
    EntryKey,
    EntryKind,
    EntryText,
    Moment,
    RelationType,
    SearchText,
    Strength,
    Tag,
)
from caxton_core.memory.query import NO_TEXT, Cursor, Query, Search
from caxton_core.primitives import JsonValue
from caxton_core.problems import OutOfRange, Problem, Problems
from caxton_core.reading.keys import Distinct, Key
from caxton_core.reading.tables import read

Members: TypeAlias = Mapping[str, object]

NO_WORDS: Final = EntryText("")
_VALUE: Final = "value"
MOST_RELATIONS: Final = 100


@frozen(kw_only=True)
class Written:
    """What an entry says, and how it is found again; its `value` is read apart, being any JSON."""

    text: Annotated[EntryText, Key("What is to be remembered.", '"Ada likes tea."')] = NO_WORDS
    kind: Annotated[EntryKind, Key("What sort of entry it is.", '"fact"')] = NOTE
    tags: Annotated[
        tuple[Tag, ...], Distinct(MOST_TAGS), Key("Words to find it by.", '["preference"]')
    ] = ()
    valid_from: Annotated[
        Moment | None, Key("From when on it holds.", '"2026-11-22T10:00:00Z"')
    ] = None
    valid_to: Annotated[Moment | None, Key("Until when it holds.", '"2027-01-01"')] = None


@final
@frozen(kw_only=True)
class WrittenRelation:
    """How the entry is related to another one."""

    type: Annotated[RelationType, Key("How.", '"part-of"')]
    to: Annotated[EntryKey, Key("The key of the other entry.", '"project-x"')]
    strength: Annotated[Strength, Key("How strongly.", "0.8")] = Strength(1.0)


@final
@frozen(kw_only=True)
class WrittenLine(Written):
    """An entry on its way from one memory to another, with everything that is known of it."""

    key: Annotated[EntryKey, Key("Its name.", '"favourite-drink"')]
    created_at: Annotated[Moment | None, Key("When it was stored.", '"2026-11-22"')] = None
    updated_at: Annotated[Moment | None, Key("When it was changed last.", '"2026-11-22"')] = None
    relations: Annotated[
        tuple[WrittenRelation, ...], Distinct(MOST_RELATIONS), Key("Its relations.", "[]")
    ] = ()


@final
@frozen(kw_only=True)
class WrittenQuery:
    """Which entries are asked for."""

    q: Annotated[SearchText, Key("Words that an entry has, all of them.", '"tea"')] = NO_TEXT
    how: Annotated[Search, Key("How the words are looked for.", '"text"')] = Search.TEXT
    kind: Annotated[EntryKind | None, Key("Entries of this kind.", '"fact"')] = None
    tag: Annotated[
        tuple[Tag, ...], Distinct(MOST_TAGS), Key("Entries with all of these.", '["food"]')
    ] = ()
    since: Annotated[Moment | None, Key("Entries stored from then on.", '"2026-11-22"')] = None
    until: Annotated[Moment | None, Key("Entries stored before.", '"2026-11-23"')] = None
    valid_at: Annotated[Moment | None, Key("Entries that held then.", '"2026-11-22"')] = None


NO_FILTER: Final = WrittenQuery()


@final
@frozen
class Imported:
    """A line that was read: the entry, and how it is related to others."""

    entry: Entry
    relations: tuple[Relation, ...] = ()


def read_entry(
    members: Members, *, owner: Owner, key: EntryKey, now: datetime
) -> Result[Entry, Problems]:
    """An entry of the owner that is stored now, or everything that is wrong with it."""
    plain, value = _apart(members)
    written = read(Written, plain)
    if isinstance(written, Failure) or isinstance(value, Failure):
        return Failure(_problems(written, value))
    return _entry(written.unwrap(), value.unwrap(), owner, key, (now, now))


def read_line(members: Members, *, owner: Owner, now: datetime) -> Result[Imported, Problems]:
    """An entry of another memory, for this owner; what it does not say of its age is now."""
    plain, value = _apart(members)
    written = read(WrittenLine, plain)
    if isinstance(written, Failure) or isinstance(value, Failure):
        return Failure(_problems(written, value))
    line = written.unwrap()
    created = now if line.created_at is None else line.created_at.time
    updated = created if line.updated_at is None else line.updated_at.time
    entry = _entry(line, value.unwrap(), owner, line.key, (created, updated))
    relations = tuple(
        Relation(line.key, each.type, each.to, each.strength) for each in line.relations
    )
    return entry.map(lambda read_of_it: Imported(read_of_it, relations))


def query_of(written: WrittenQuery, *, limit: int, cursor: Cursor | None = None) -> Query:
    """The question that was written."""
    return Query(
        text=written.q,
        how=written.how,
        kind=written.kind,
        tags=written.tag,
        since=_time(written.since),
        until=_time(written.until),
        valid_at=_time(written.valid_at),
        limit=limit,
        cursor=cursor,
    )


def _time(moment: Moment | None) -> datetime | None:
    return None if moment is None else moment.time


def _apart(members: Members) -> tuple[dict[str, object], Result[JsonValue | None, Problems]]:
    """The members without the value, and the value; null says that there is none."""
    plain = {key: each for key, each in members.items() if key != _VALUE}
    given = members.get(_VALUE)
    if given is None:
        return plain, Success(None)
    value = JsonValue.parse(given)
    if isinstance(value, Failure):
        return plain, Failure((Problem((_VALUE,), value.failure()),))
    return plain, Success(value.unwrap())


def _problems(*results: Result[object, Problems]) -> Problems:
    first, *others = (
        problem for result in results if isinstance(result, Failure) for problem in result.failure()
    )
    return (first, *others)


def _entry(
    written: Written,
    value: JsonValue | None,
    owner: Owner,
    key: EntryKey,
    times: tuple[datetime, datetime],
) -> Result[Entry, Problems]:
    begins, ends = _time(written.valid_from), _time(written.valid_to)
    if begins is not None and ends is not None and ends <= begins:
        never = OutOfRange(str(written.valid_to), f"later than {written.valid_from}")
        return Failure((Problem(("valid_to",), never),))
    created, updated = times
    return Success(
        Entry(
            owner=owner,
            key=key,
            text=written.text,
            value=value,
            kind=written.kind,
            tags=sorted_tags(written.tags),
            created_at=created,
            updated_at=updated,
            valid_from=begins,
            valid_to=ends,
        )
    )


def line_of(entry: Entry, relations: tuple[Relation, ...] = ()) -> Members:
    """The entry as `read_line` reads it; relations that begin elsewhere are left out."""
    times = {
        "created_at": entry.created_at,
        "updated_at": entry.updated_at,
        "valid_from": entry.valid_from,
        "valid_to": entry.valid_to,
    }
    own = [each for each in relations if each.source == entry.key]
    return {
        "key": entry.key.value,
        "text": entry.text.value,
        **({} if entry.value is None else {_VALUE: entry.value.python()}),
        "kind": entry.kind.value,
        **({"tags": [tag.value for tag in entry.tags]} if entry.tags else {}),
        **{name: Moment.of(time).value for name, time in times.items() if time is not None},
        **({"relations": list(map(_relation, own))} if own else {}),
    }


def _relation(relation: Relation) -> Members:
    return {
        "type": relation.type.value,
        "to": relation.target.value,
        "strength": relation.strength.value,
    }
