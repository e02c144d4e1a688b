"""The built-in tools by which an agent remembers, recalls and forgets in the middle of a turn.

Whose entries they work on follows from who calls and from the agent's file, never from arguments.
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated, ClassVar, Final, TypeAlias, final

from attrs import frozen
from returns.result import Failure, Result, Success

from caxton_adapters.memory.agent import RulesOf, bounds_of, searchable, worded
from caxton_core.agent.sections import MemoryRules
from caxton_core.memory.entry import MOST_TAGS, Owner, owner_in
from caxton_core.memory.primitives import EntryKey, EntryKind, Moment, SearchText, Tag
from caxton_core.memory.query import NO_TEXT, Match, Query
from caxton_core.memory.written import Written, read_entry
from caxton_core.ports import Clock, Memory
from caxton_core.primitives import JsonObject, NumberRule, ToolName, WholeNumber
from caxton_core.problems import Problems
from caxton_core.reading import wording
from caxton_core.reading.describing import json_schema
from caxton_core.reading.keys import Distinct, Key
from caxton_core.reading.tables import read
from caxton_core.tools.tool import Caller, Tool, ToolCall, ToolFailed, ToolResult, ToolSucceeded


@final
@frozen
class RecallLimit(WholeNumber):
    """How many entries a model is shown at once."""

    rule: ClassVar = NumberRule("a number of entries", low=1, high=20, example=5)


@final
@frozen(kw_only=True)
class RememberArguments(Written):
    """What `memory.remember` takes, beside a `value` of any kind."""

    key: Annotated[
        EntryKey | None,
        Key("A name for it; what is remembered under the same name is replaced.", '"drink"'),
    ] = None


@final
@frozen(kw_only=True)
class RecallArguments:
    """What `memory.recall` takes; without anything it recalls the newest."""

    text: Annotated[SearchText, Key("Words to look for.", '"green tea"')] = NO_TEXT
    key: Annotated[EntryKey | None, Key("The name of one entry.", '"drink"')] = None
    kind: Annotated[EntryKind | None, Key("Entries of this kind only.", '"fact"')] = None
    tags: Annotated[
        tuple[Tag, ...], Distinct(MOST_TAGS), Key("Entries with all of these tags.", '["food"]')
    ] = ()
    since: Annotated[Moment | None, Key("Entries stored from then on.", '"2026-11-22"')] = None
    until: Annotated[Moment | None, Key("Entries stored before.", '"2026-11-23"')] = None
    limit: Annotated[RecallLimit, Key("How many entries at most.", "5")] = RecallLimit(5)


@final
@frozen(kw_only=True)
class ForgetArguments:
    """What `memory.forget` takes."""

    key: Annotated[EntryKey, Key("The name of the entry.", '"drink"')]


_VALUE: Final = {"value": {"description": "Anything to be remembered that is no text, as JSON."}}


def _parameters(cls: type, more: Mapping[str, object] | None = None) -> JsonObject:
    schema = json_schema(cls, "")
    properties = schema["properties"]
    assert isinstance(properties, dict)
    return JsonObject.of(
        {
            "type": "object",
            "properties": {**properties, **(more or {})},
            "required": schema.get("required", []),
            "additionalProperties": False,
        }
    )


REMEMBER: Final = Tool(
    ToolName("memory.remember"),
    "Store something for later turns and conversations. Give it a key if it may change.",
    _parameters(RememberArguments, _VALUE),
    idempotent=True,
)
RECALL: Final = Tool(
    ToolName("memory.recall"),
    "Look up what was stored: by its key, or what shares words with a text, the best first.",
    _parameters(RecallArguments),
    idempotent=True,
)
FORGET: Final = Tool(
    ToolName("memory.forget"),
    "Remove what is stored under a key.",
    _parameters(ForgetArguments),
    idempotent=True,
)

_Said: TypeAlias = Result[str, str]
"""What the model is told: of what was done, or why nothing was."""


@final
@frozen
class _Desk:
    """One call: who makes it, on whose entries, with what."""

    call: ToolCall
    caller: Caller
    owner: Owner
    rules: MemoryRules


@final
class MemoryTools:
    """The port `Tools` over a memory; `rules_of` tells what an agent's file says of it."""

    def __init__(self, memory: Memory, rules_of: RulesOf, clock: Clock) -> None:
        self._memory = memory
        self._rules_of = rules_of
        self._clock = clock
        self._tools: Mapping[ToolName, Callable[[_Desk], Awaitable[_Said]]] = {
            REMEMBER.name: self._remember,
            RECALL.name: self._recall,
            FORGET.name: self._forget,
        }

    def offered(self) -> Sequence[Tool]:
        """The three tools."""
        return (REMEMBER, RECALL, FORGET)

    async def call(self, call: ToolCall, caller: Caller) -> ToolResult:
        """Do it on the entries of the caller."""
        do = self._tools.get(call.name)
        if do is None:
            return ToolFailed(call.id, f"there is no tool named {call.name}")
        rules = self._rules_of(caller.agent)
        if rules is None or not rules.enabled:
            return ToolFailed(call.id, "this agent has no memory")
        owner = owner_in(rules.scope, caller.agent, caller.conversation)
        said = await do(_Desk(call, caller, owner, rules))
        if isinstance(said, Failure):
            return ToolFailed(call.id, said.failure())
        return ToolSucceeded(call.id, said.unwrap())

    async def _remember(self, desk: _Desk) -> _Said:
        members = dict(desk.call.arguments.members())
        arguments = read(RememberArguments, {k: v for k, v in members.items() if k != "value"})
        if isinstance(arguments, Failure):
            return Failure(_told(arguments.failure()))
        members.pop("key", None)
        now = self._clock.now()
        key = arguments.unwrap().key or _key_of(desk.caller)
        entry = read_entry(members, owner=desk.owner, key=key, now=now)
        if isinstance(entry, Failure):
            return Failure(_told(entry.failure()))
        if entry.unwrap().value is None and not entry.unwrap().text.value.strip():
            return Failure("text: say what is to be remembered")
        stored = await self._memory.put(entry.unwrap(), bounds=bounds_of(desk.rules, now))
        if isinstance(stored, Failure):
            return Failure("it could not be stored; nothing was changed")
        return Success(f"remembered as {key}")

    async def _recall(self, desk: _Desk) -> _Said:
        read_arguments = read(RecallArguments, desk.call.arguments.members())
        if isinstance(read_arguments, Failure):
            return Failure(_told(read_arguments.failure()))
        arguments = read_arguments.unwrap()
        if arguments.key is not None:
            return await self._one(desk, arguments.key)
        now = self._clock.now()
        query = Query(
            text=searchable(arguments.text.value),
            match=Match.ANY,
            kind=arguments.kind,
            tags=arguments.tags,
            since=None if arguments.since is None else arguments.since.time,
            until=None if arguments.until is None else arguments.until.time,
            changed_since=bounds_of(desk.rules, now).since,
            valid_at=now,
            limit=arguments.limit.value,
        )
        found = await self._memory.search(desk.owner, query)
        if isinstance(found, Failure):
            return Failure("the memory cannot be read now")
        return Success("\n".join(map(worded, found.unwrap().entries)) or "nothing is remembered")

    async def _one(self, desk: _Desk, key: EntryKey) -> _Said:
        found = await self._memory.get(desk.owner, key)
        if isinstance(found, Failure):
            return Failure("the memory cannot be read now")
        entry, now = found.unwrap(), self._clock.now()
        since = bounds_of(desk.rules, now).since
        if entry is None or not entry.is_valid(now) or (since and entry.updated_at < since):
            return Success(f"nothing is remembered as {key}")
        return Success(worded(entry))

    async def _forget(self, desk: _Desk) -> _Said:
        arguments = read(ForgetArguments, desk.call.arguments.members())
        if isinstance(arguments, Failure):
            return Failure(_told(arguments.failure()))
        key = arguments.unwrap().key
        forgotten = await self._memory.forget(desk.owner, key)
        if isinstance(forgotten, Failure):
            return Failure("it could not be forgotten; nothing was changed")
        return Success(f"forgot {key}" if forgotten.unwrap() else f"nothing was stored as {key}")


def _key_of(caller: Caller) -> EntryKey:
    """The same name whenever the same call is made again."""
    return EntryKey(f"note-{hashlib.sha256(caller.key.encode()).hexdigest()[:16]}")


def _told(problems: Problems) -> str:
    """Everything that is wrong with the arguments, in one line each."""
    return "\n".join(
        f"{'.'.join(map(str, problem.at)) or 'arguments'}: {wording.message(problem.what)}"
        for problem in problems
    )
