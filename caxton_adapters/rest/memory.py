"""The resource `/memory`: what agents remember, for people and programs."""

from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import aclosing
from datetime import datetime
from functools import partial
from typing import Final, TypeAlias, final

import anyio.lowlevel
import msgspec
from attrs import evolve, frozen
from msgspec import structs
from returns.result import Failure, Result, Success

from caxton_adapters.rest import problem
from caxton_adapters.rest.body import read_json
from caxton_adapters.rest.changes import hash_of_bytes
from caxton_adapters.rest.exchange import (
    Answer,
    Answered,
    Asked,
    Streamed,
    WriteChunk,
    json_answer,
    refusal,
)
from caxton_adapters.rest.failures import not_read, not_stored
from caxton_adapters.rest.memory_wire import Forgotten, ImportOutcome, entry_line, entry_page
from caxton_adapters.rest.problem import ErrorItem, Refused
from caxton_adapters.rest.refusals import of_runtime
from caxton_adapters.runtime.runtime import Runtime
from caxton_core.agent.sections import MemoryScope
from caxton_core.memory.entry import EntryChanged, Everybody, Owner, owner_in
from caxton_core.memory.primitives import EntryKey, Moment
from caxton_core.memory.query import EVERYTHING, Cursor, NoEmbedder, Query
from caxton_core.memory.written import (
    Imported,
    Members,
    WrittenQuery,
    query_of,
    read_entry,
    read_line,
)
from caxton_core.ports import Clock, MemoryStore
from caxton_core.primitives import ConversationId
from caxton_core.problems import Problem, Problems
from caxton_core.reading import wording
from caxton_core.reading.tables import read
from caxton_core.storage import NotRead, NotStored

Filters: TypeAlias = Mapping[str, object]
"""Which entries are meant, as `WrittenQuery` reads it; None where nothing was said."""

UNKNOWN_ENTRY: Final = "CX4040"
ENTRY_CHANGED: Final = "CX4041"
NO_EMBEDDER: Final = "CX4042"
LINES_REFUSED: Final = "CX4043"
OWNER_NOT_NAMED: Final = "CX4044"
NOTHING_CHOSEN: Final = "CX4045"
NO_MEMORY: Final = "CX4046"
JSON_LINES: Final = b"application/jsonl"
_PAGE: Final = 200
_MOST_ERRORS: Final = 1_000
_LINES_AT_ONCE: Final = 20
_TABLE: Final = msgspec.json.Decoder(dict[str, object])


@final
@frozen(kw_only=True)
class Whose:
    """Whose entries are meant, as a request says it."""

    scope: str | None = None
    agent: str | None = None
    conversation: str | None = None


@final
@frozen
class _Expectation:
    if_updated_at: Moment | None = None


@final
@frozen
class Memories:
    """The resource `/memory`."""

    runtime: Runtime
    clock: Clock
    store: MemoryStore | None

    async def page(
        self, asked: Asked, whose: Whose, filters: Filters, limit: int, cursor: str | None
    ) -> Answer:
        """Some entries, the best or the newest first."""
        place, query = self._place(whose), _query(filters, limit, cursor)
        if isinstance(place, Failure):
            return refusal(place.failure(), asked.context)
        if isinstance(query, Failure):
            return refusal(query.failure(), asked.context)
        store, owner = place.unwrap()
        found = await store.search(owner, query.unwrap())
        if isinstance(found, Failure):
            return refusal(of_memory(found.failure()), asked.context)
        return Answer(200, entry_page(found.unwrap()))

    async def show(self, asked: Asked, whose: Whose, key: str) -> Answer:
        """One entry with its relations."""
        place, name = self._place(whose), EntryKey.parse(key)
        if isinstance(place, Failure):
            return refusal(place.failure(), asked.context)
        if isinstance(name, Failure):
            return refusal(_unknown(key), asked.context)
        store, owner = place.unwrap()
        found = await store.get(owner, name.unwrap())
        if isinstance(found, Failure):
            return refusal(of_memory(found.failure()), asked.context)
        entry = found.unwrap()
        if entry is None:
            return refusal(_unknown(key), asked.context)
        related = await store.related(owner, [entry.key])
        if isinstance(related, Failure):
            return refusal(of_memory(related.failure()), asked.context)
        return Answer(200, entry_line(entry, tuple(related.unwrap())))

    async def put(self, asked: Asked, whose: Whose, key: str) -> Answer:
        """Store an entry under its key."""
        place, written = self._place(whose), _written(asked.body, key)
        if isinstance(place, Failure):
            return refusal(place.failure(), asked.context)
        if isinstance(written, Failure):
            return refusal(written.failure(), asked.context)
        store, owner = place.unwrap()
        name, expected, members = written.unwrap()
        entry = read_entry(members, owner=owner, key=name, now=self.clock.now())
        if isinstance(entry, Failure):
            return refusal(_invalid(entry.failure()), asked.context)
        stored = await store.put(entry.unwrap(), if_updated_at=expected)
        if isinstance(stored, Failure):
            return refusal(_not_put(stored.failure(), name), asked.context)
        return Answer(200, entry_line(stored.unwrap()))

    async def forget(self, asked: Asked, whose: Whose, key: str) -> Answer:
        """Remove one entry."""
        place, name = self._place(whose), EntryKey.parse(key)
        if isinstance(place, Failure):
            return refusal(place.failure(), asked.context)
        store, owner = place.unwrap()
        if isinstance(name, Failure):
            return refusal(_unknown(key), asked.context)
        forgotten = await store.forget(owner, name.unwrap())
        if isinstance(forgotten, Failure):
            return refusal(of_memory(forgotten.failure()), asked.context)
        return Answer(204) if forgotten.unwrap() else refusal(_unknown(key), asked.context)

    async def forget_all(
        self, asked: Asked, whose: Whose, filters: Filters, *, everything: bool
    ) -> Answer:
        """Remove all entries that fit; without a filter only where everything is asked for."""
        place, query = self._place(whose), _query(filters, 1)
        if isinstance(place, Failure):
            return refusal(place.failure(), asked.context)
        if isinstance(query, Failure):
            return refusal(query.failure(), asked.context)
        if query.unwrap() == evolve(EVERYTHING, limit=1) and not everything:
            detail = "Give a filter, or all=true to forget everything."
            return refusal(Refused(422, NOTHING_CHOSEN, detail), asked.context)
        store, owner = place.unwrap()
        forgotten = await store.forget(owner, query.unwrap())
        if isinstance(forgotten, Failure):
            return refusal(of_memory(forgotten.failure()), asked.context)
        return json_answer(Forgotten(forgotten.unwrap()))

    def export(self, asked: Asked, whose: Whose) -> Answered:
        """Every entry as a line of JSON, the newest first.

        Where reading fails in the middle, the last line is a problem, which no import takes.
        """
        place = self._place(whose)
        if isinstance(place, Failure):
            return refusal(place.failure(), asked.context)
        store, owner = place.unwrap()

        async def run(write: WriteChunk) -> None:
            async with aclosing(_pages(store, owner)) as pages:
                async for lines in pages:
                    if isinstance(lines, Failure):
                        refused = of_memory(lines.failure())
                        await write(problem.encoded(refused, asked.context.request_id) + b"\n")
                    elif lines.unwrap():
                        await write(lines.unwrap())

        return Streamed(run, content_type=JSON_LINES)

    async def take(self, asked: Asked, whose: Whose, *, check: bool, partly: bool) -> Answer:
        """Store entries from lines of JSON: all of them, or with `partly` those that can be read.

        `check` stores nothing and tells what is wrong.
        """
        place = self._place(whose)
        if isinstance(place, Failure):
            return refusal(place.failure(), asked.context)
        store, owner = place.unwrap()
        read_as = partial(read_line, owner=owner, now=self.clock.now())
        lines = await _all_lines(asked.body, read_as)
        errors = tuple(item for number, read in lines for item in _errors(number, read))
        if len(errors) > _MOST_ERRORS and not check:
            detail = "So many lines cannot be read that this is no export; nothing was stored."
            refused = Refused(422, LINES_REFUSED, detail, errors[:_MOST_ERRORS])
            return refusal(refused, asked.context)
        if errors and not (partly or check):
            detail = f"Of {len(lines)} lines some cannot be read, so nothing was stored."
            refused = Refused(422, LINES_REFUSED, detail, errors[:_MOST_ERRORS])
            return refusal(refused, asked.context)
        good = [read.unwrap() for _, read in lines if isinstance(read, Success)]
        loaded = Success(0) if check else await store.load(good)
        if isinstance(loaded, Failure):
            return refusal(of_memory(loaded.failure()), asked.context)
        stored = 0 if check else len(good)
        if stored:
            asked.about(hash_of_bytes(asked.body))
        shown = errors[:_MOST_ERRORS]
        return json_answer(ImportOutcome(len(lines), stored, loaded.unwrap(), shown))

    def _place(self, whose: Whose) -> Result[tuple[MemoryStore, Owner], Refused]:
        if self.store is None:
            return Failure(Refused(404, NO_MEMORY, "This server keeps no memory."))
        owner = self._owner(whose)
        if isinstance(owner, Failure):
            return owner
        return Success((self.store, owner.unwrap()))

    def _owner(self, whose: Whose) -> Result[Owner, Refused]:
        named = (whose.scope, whose.agent is not None, whose.conversation is not None)
        match named:
            case ("global", False, False):
                return Success(Everybody())
            case ("agent" | None, True, False):
                scope, conversation = MemoryScope.AGENT, "none"
            case ("conversation" | None, True, True):
                scope, conversation = MemoryScope.CONVERSATION, str(whose.conversation)
            case _:
                detail = "Name ?agent=NAME, or with it &conversation=ID, or ?scope=global."
                return Failure(Refused(422, OWNER_NOT_NAMED, detail))
        agent = self.runtime.agent(str(whose.agent))
        if isinstance(agent, Failure):
            return Failure(of_runtime(agent.failure()))
        talk = ConversationId.parse(conversation)
        if isinstance(talk, Failure):
            return Failure(_bad_parameters((Problem(("conversation",), talk.failure()),)))
        return Success(owner_in(scope, agent.unwrap().id, talk.unwrap()))


def _written(body: bytes, key: str) -> Result[tuple[EntryKey, datetime | None, Members], Refused]:
    """The key, the time at which the entry was seen last, and what it is to be."""
    name = EntryKey.parse(key)
    if isinstance(name, Failure):
        return Failure(_invalid((Problem(("key",), name.failure()),)))
    table = read_json(_TABLE, body)
    if isinstance(table, Failure):
        return table
    members = dict(table.unwrap())
    expected = read(_Expectation, {"if_updated_at": members.pop("if_updated_at", None)})
    if isinstance(expected, Failure):
        return Failure(_invalid(expected.failure()))
    seen = expected.unwrap().if_updated_at
    return Success((name.unwrap(), None if seen is None else seen.time, members))


def _query(filters: Filters, limit: int, cursor: str | None = None) -> Result[Query, Refused]:
    """The question of a request, or everything that is wrong with it."""
    given = {name: value for name, value in filters.items() if value is not None}
    written = read(WrittenQuery, given)
    if isinstance(written, Failure):
        return Failure(_bad_parameters(written.failure()))
    if cursor is None:
        return Success(query_of(written.unwrap(), limit=limit))
    after = Cursor.parse(cursor)
    if isinstance(after, Failure):
        return Failure(_bad_parameters((Problem(("cursor",), after.failure()),)))
    return Success(query_of(written.unwrap(), limit=limit, cursor=after.unwrap()))


async def _pages(store: MemoryStore, owner: Owner) -> AsyncGenerator[Result[bytes, NotRead]]:
    """Lines of JSON, some entries at a time."""
    query = evolve(EVERYTHING, limit=_PAGE)
    while True:
        found = await store.search(owner, query)
        if isinstance(found, Failure):
            yield Failure(_unread(found.failure()))
            return
        entries = found.unwrap().entries
        related = await store.related(owner, [entry.key for entry in entries])
        if isinstance(related, Failure):
            yield related
            return
        relations = tuple(related.unwrap())
        yield Success(b"".join(entry_line(entry, relations) + b"\n" for entry in entries))
        if found.unwrap().next is None:
            return
        query = evolve(query, cursor=found.unwrap().next)


def _unread(why: NotRead | NoEmbedder) -> NotRead:
    return why if isinstance(why, NotRead) else NotRead("it was asked for a meaning")


async def _all_lines(
    body: bytes, read_as: Callable[[Members], Result[Imported, Problems]]
) -> list[tuple[int, Result[Imported, Refused]]]:
    """The lines until more are refused than are told of; meanwhile others are answered."""
    lines: list[tuple[int, Result[Imported, Refused]]] = []
    refused = 0
    for number, line in _lines(body, read_as):
        lines.append((number, line))
        refused += isinstance(line, Failure)
        if refused > _MOST_ERRORS:
            break
        if len(lines) % _LINES_AT_ONCE == 0:
            await anyio.lowlevel.checkpoint()
    return lines


def _lines(
    body: bytes, read_as: Callable[[Members], Result[Imported, Problems]]
) -> Iterator[tuple[int, Result[Imported, Refused]]]:
    """Every line that is not blank with its number, read or refused."""
    for number, line in enumerate(body.split(b"\n"), 1):
        if line.strip():
            table = read_json(_TABLE, line)
            if isinstance(table, Failure):
                yield number, table
            else:
                yield number, read_as(table.unwrap()).alt(_invalid)


def _errors(number: int, read_line_of: Result[Imported, Refused]) -> tuple[ErrorItem, ...]:
    if isinstance(read_line_of, Success):
        return ()
    refused = read_line_of.failure()
    items = refused.errors or (ErrorItem(code=refused.code, message=refused.detail),)
    return tuple(structs.replace(item, line=number) for item in items)


def _invalid(problems: Problems) -> Refused:
    detail = "The entry is not what it has to be; `errors` says why."
    return Refused(422, problem.INVALID_BODY, detail, _items(problems))


def _bad_parameters(problems: Problems) -> Refused:
    detail = "A parameter is not what it has to be; `errors` says which."
    return Refused(400, problem.INVALID_PARAMETER, detail, _items(problems))


def _items(problems: Problems) -> tuple[ErrorItem, ...]:
    return tuple(
        ErrorItem(
            code=each.what.code,
            at=".".join(map(str, each.at)),
            message=wording.message(each.what),
            help=wording.advice(each.what),
            suggestion=wording.suggestion(each.what),
            docs=f"/problems/{each.what.code}",
        )
        for each in problems
    )


def _unknown(key: str) -> Refused:
    return Refused(404, UNKNOWN_ENTRY, f"Nothing is remembered as {key}.")


def _not_put(why: NotStored | EntryChanged, key: EntryKey) -> Refused:
    if isinstance(why, NotStored):
        return not_stored(why.why)
    if why.now is None:
        return Refused(409, ENTRY_CHANGED, f"The entry {key} is not there any more.")
    at = Moment.of(why.now.updated_at)
    return Refused(409, ENTRY_CHANGED, f"The entry {key} was changed meanwhile, at {at}.")


def of_memory(why: NotStored | NotRead | NoEmbedder) -> Refused:
    """What is answered where the memory does not do what it was asked."""
    match why:
        case NotStored(reason):
            return not_stored(reason)
        case NotRead(reason):
            return not_read(reason)
        case NoEmbedder(how):
            detail = f"The server has no embedder, so how={how.value} cannot be answered."
            return Refused(422, NO_EMBEDDER, detail)
