"""Adapters that live in a dict; each passes the contract suite of its port."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import final

from attrs import define, evolve, field, frozen
from returns.result import Failure, Result, Success

from caxton_adapters.clock import SystemClock
from caxton_adapters.journal.in_memory import InMemoryJournal
from caxton_adapters.runtime.pasts import Pasts
from caxton_adapters.runtime.toolbox import (
    BadLock,
    BadRegistration,
    InSettings,
    Origin,
    PinnedAnew,
    PinState,
    Registered,
    ServerRefusal,
    ServerState,
    ServerTaken,
    ServerUnreachable,
    ServerView,
    StandsIn,
    ToolView,
    UnknownServer,
    UnknownTools,
)
from caxton_adapters.runtime.world import Models, World
from caxton_adapters.tools.none import NoTools
from caxton_core.events import Event
from caxton_core.ports import Clock, Events, Tools
from caxton_core.primitives import JsonObject, ServerName, ToolName, ToolPattern
from caxton_core.problems import MissingKey, Problem
from caxton_core.reading.report import report
from caxton_core.tools.pinning import fingerprint
from caxton_core.tools.tool import (
    Blame,
    Caller,
    Tool,
    ToolCall,
    ToolFailed,
    ToolResult,
    ToolSucceeded,
)

PATH = {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}


@final
@define
class FilesInADict:
    """Tools that read texts by their path; remembers the calls that were made."""

    texts: Mapping[str, str]
    called: list[ToolCall] = field(factory=list, init=False)

    def offered(self) -> Sequence[Tool]:
        return (Tool(ToolName("files.read"), "Reads a file.", JsonObject.of(PATH)),)

    async def call(self, call: ToolCall, caller: Caller) -> ToolResult:  # noqa: ARG002 - the port's
        self.called.append(call)
        if call.name.value != "files.read":
            return ToolFailed(call.id, f"there is no tool named {call.name.value}")
        path = str(call.arguments.members().get("path"))
        text = self.texts.get(path)
        return (
            ToolFailed(call.id, f"there is no {path}")
            if text is None
            else ToolSucceeded(call.id, text)
        )


@final
@frozen
class Heard:
    """Events that were told, to be looked into."""

    events: list[Event] = field(factory=list)

    def tell(self, *events: Event) -> None:
        self.events.extend(events)


ENDED = "it ended at once"
SINCE = datetime(2026, 11, 28, tzinfo=UTC)


@final
@define(eq=False)
class ToolServersInADict:
    """Servers that a test decides about; `offers` is what they say of their tools now."""

    offers: dict[str, list[Tool]] = field(factory=dict)
    pins: dict[ToolName, Tool] = field(factory=dict)
    views: dict[str, ServerView] = field(factory=dict)
    down: set[str] = field(factory=set)
    lock_problem: BadLock | None = None
    tables: dict[str, Mapping[str, object]] = field(factory=dict)
    reached: list[str] = field(factory=list)
    tested: list[str] = field(factory=list)
    called: list[ToolCall] = field(factory=list)

    @property
    def generation(self) -> int:
        return len(self.reached)

    async def reach(self, servers: Collection[str]) -> None:
        self.reached += [name for name in servers if name in self.views and name not in self.down]
        for name in self.down & self.views.keys() & set(servers):
            self.views[name] = evolve(self.views[name], state=ServerState.WAITING, reason=ENDED)

    def servers(self) -> Sequence[ServerView]:
        return [self.views[name] for name in sorted(self.views)]

    def tools(self) -> Sequence[ToolView]:
        return [self._view(tool) for tool in self.offered()]

    def offered(self) -> Sequence[Tool]:
        return [
            tool for name, tools in self.offers.items() if name in self.reached for tool in tools
        ]

    async def call(self, call: ToolCall, caller: Caller) -> ToolResult:  # noqa: ARG002 - the port's
        self.called.append(call)
        if call.arguments.members().get("fail"):
            return ToolFailed(call.id, "it fails\x1b[2J")
        if call.arguments.members().get("path") == 7:
            return ToolFailed(call.id, "`path`: 7 is no text\x1b[2J", Blame.ARGUMENTS)
        return ToolSucceeded(call.id, f"did {call.arguments}")

    async def add(
        self, name: str, table: Mapping[str, object], *, replace: bool = False
    ) -> Result[Registered, ServerRefusal]:
        named = ServerName.parse(name)
        if isinstance(named, Failure):
            return Failure(BadRegistration(report([Problem(("name",), named.failure())], "", name)))
        command = table.get("command")
        if not isinstance(command, str):
            missing = MissingKey("command", "Something has to run.", 'command = "..."')
            return Failure(BadRegistration(report([Problem(("command",), missing)], "", name)))
        known = self.views.get(name)
        if known is not None and known.origin is Origin.SETTINGS:
            return Failure(InSettings(named.unwrap()))
        if known is not None and not replace:
            return Failure(ServerTaken(named.unwrap()))
        self.tables[name] = table
        self.views[name] = ServerView(
            name=named.unwrap(),
            transport="stdio",
            target=command,
            origin=Origin.API,
            state=ServerState.IDLE,
            since=SINCE,
            registration=JsonObject.of(table),
        )
        return Success(Registered(self.views[name], None if known is None else known.registration))

    async def remove(self, name: str) -> Result[ServerView, ServerRefusal]:
        known = self.views.get(name)
        if known is None:
            return Failure(UnknownServer(name, tuple(self.views)))
        if known.origin is Origin.SETTINGS:
            return Failure(InSettings(known.name))
        others = tuple(other for other, each in self.tables.items() if each.get("fallback") == name)
        if others:
            return Failure(StandsIn(known.name, others))
        return Success(self.views.pop(name))

    async def test(self, name: str) -> Result[ServerView, ServerRefusal]:
        known = self.views.get(name)
        self.tested.append(name)
        if known is None:
            return Failure(UnknownServer(name))
        if name in self.down:
            return Failure(ServerUnreachable(known.name, ENDED))
        await self.reach([name])
        count = len(self.offers.get(name, ()))
        return Success(evolve(known, state=ServerState.CONNECTED, tools=count, connects=1))

    async def approve(self, names: Collection[str]) -> Result[Sequence[PinnedAnew], ServerRefusal]:
        if self.lock_problem is not None:
            return Failure(self.lock_problem)
        patterns = [ToolPattern(name) for name in names]
        unknown = [
            each.value
            for each in patterns
            if not any(each.covers(tool.name) for tool in self.offered())
        ]
        if unknown:
            return Failure(UnknownTools(tuple(unknown), ("files.read",)))
        fresh = [
            tool
            for tool in self.offered()
            if self.pins.get(tool.name) != tool and any(each.covers(tool.name) for each in patterns)
        ]
        before = {name: fingerprint(tool) for name, tool in self.pins.items()}
        self.pins |= {tool.name: tool for tool in fresh}
        return Success(
            [PinnedAnew(tool.name, before.get(tool.name), fingerprint(tool)) for tool in fresh]
        )

    def _view(self, tool: Tool) -> ToolView:
        before = self.pins.get(tool.name)
        if before is None:
            return ToolView(tool=tool, pin=PinState.NEW)
        if before == tool:
            return ToolView(tool=tool, pin=PinState.APPROVED, returns=JsonObject.of({}))
        return ToolView(tool=tool, pin=PinState.CHANGED, before=before)


def in_memory(
    models: Models,
    *,
    tools: Tools | None = None,
    events: Events | None = None,
    clock: Clock | None = None,
    journal: InMemoryJournal | None = None,
    toolbox: ToolServersInADict | None = None,
) -> World:
    """A world whose journal is in memory."""
    kept = journal or InMemoryJournal()
    return World(
        models,
        tools or NoTools(),
        kept,
        kept,
        Pasts(kept.conversations, 1_000_000),
        events or Heard(),
        clock or SystemClock(),
        toolbox=toolbox,
    )
