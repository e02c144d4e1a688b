"""The registered servers of tools: one connection for each, and all their tools as one offer."""

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Final, final

import anyio
from anyio import to_thread
from attrs import define, evolve, field
from returns.result import Failure, Result, Success

from caxton_adapters.mcp.circuits import Circuits, Permits
from caxton_adapters.mcp.connection import Connection, Means
from caxton_adapters.mcp.listed import (
    Declined,
    EveryOutcome,
    ListedTool,
    Lost,
    Unreachable,
)
from caxton_adapters.mcp.outcomes import result_of
from caxton_adapters.mcp.pins import Pins, withheld
from caxton_adapters.mcp.registering import Registrations, fresh_registration, registration
from caxton_adapters.mcp.registration import Registration
from caxton_adapters.mcp.said import LOG
from caxton_adapters.mcp.standing_in import (
    MayStandIn,
    followed,
    followed_at_both,
    leads_elsewhere,
)
from caxton_adapters.mcp.tools import Described, as_written, described
from caxton_adapters.mcp.without_secrets import without_secrets
from caxton_adapters.runtime.errands import Errands
from caxton_adapters.runtime.toolbox import (
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
from caxton_adapters.secrets import Secret
from caxton_core.primitives import JsonObject, ServerName, ToolName, ToolPattern
from caxton_core.reading.nearest import nearest
from caxton_core.tools.conditions import Real
from caxton_core.tools.tool import Caller, Tool, ToolCall, ToolFailed, ToolResult

_WORTH_REACHING: Final = (ServerState.IDLE, ServerState.CONNECTING)


@final
@define(eq=False)
class _Registered:
    """A server, its connection, and its tools as far as they are known."""

    name: ServerName
    written: Registration
    origin: Origin
    connection: Connection
    tools: Mapping[str, Described]
    circuits: Circuits = field(factory=Circuits)
    owner: anyio.CancelScope = field(factory=anyio.CancelScope)
    ended: anyio.Event = field(factory=anyio.Event)


@final
@define(eq=False)
class McpServers:
    """Every registered server of tools."""

    _tasks: Errands
    _means: Means
    _pins: Pins
    _store: Registrations
    _may_stand_in: MayStandIn
    _changing: anyio.Lock = field(factory=anyio.Lock, init=False)
    _registered: dict[str, _Registered] = field(factory=dict, init=False)
    _offered: tuple[Tool, ...] = field(default=(), init=False)
    _generation: int = field(default=0, init=False)

    @property
    def generation(self) -> int:
        """Grows whenever other tools are offered than before."""
        return self._generation

    def offered(self) -> Sequence[Tool]:
        """Every tool that was approved, as it was approved."""
        return self._offered

    def real(self, tool: ToolName, paths: Collection[str]) -> Real:
        """Where paths lead for a tool, and for the one that may be called in its place."""
        found = self._registered.get(tool.server)
        if found is None:
            return {}
        spare = self._registered.get(found.written.fallback or "")
        if spare is None:
            return followed(found.connection.directory, paths)
        here, there = found.connection.directory, spare.connection.directory
        return followed_at_both(here, there, paths)

    async def call(self, call: ToolCall, caller: Caller) -> ToolResult:
        """Have it done by its server, or by the one that stands in for it."""
        found = self._registered.get(call.name.server)
        if found is None or not found.written.enabled:
            return ToolFailed(call.id, f"there is no tool named {call.name}")
        outcome = await self._made(found, call, caller)
        if isinstance(outcome, Lost) and _may_repeat(found, call):
            LOG.warning("%s: the call is made again: %s", call.name, outcome.why)
            outcome = await self._made(found, call, caller)
        if isinstance(outcome, Unreachable):
            return await self._made_instead(found, call, caller, outcome)
        return result_of(call, outcome)

    async def _made_instead(
        self, found: _Registered, call: ToolCall, caller: Caller, why: Unreachable
    ) -> ToolResult:
        """The result at the server that stands in; of two that are out of reach the first."""
        spare = self._registered.get(found.written.fallback or "")
        if spare is None or not spare.written.enabled:
            return result_of(call, why)
        instead = evolve(call, name=ToolName(f"{spare.name}.{call.name.tool}"))
        here, there = found.connection.directory, spare.connection.directory
        if leads_elsewhere(here, there, call.arguments):
            return result_of(call, Unreachable(f"{why.why}; its paths are others at {spare.name}"))
        if not self._may_stand_in(instead, self.real):
            return result_of(call, Unreachable(f"{why.why}; {instead.name} may not stand in"))
        LOG.warning("%s: %s is called instead: %s", call.name, instead.name, why.why)
        outcome = await self._made(spare, instead, caller)
        unreachable = isinstance(outcome, Unreachable)
        return result_of(call, why) if unreachable else result_of(instead, outcome)

    async def _made(self, server: _Registered, call: ToolCall, caller: Caller) -> EveryOutcome:
        if call.name.tool not in server.tools:
            await server.connection.connected()
        if (why := self._withheld(server, call)) is not None:
            reason = server.connection.reason
            is_known = call.name.tool in server.tools
            return Declined(why) if is_known or not reason else Unreachable(reason)
        now = self._means.clock.monotonic
        permits = server.circuits.admitted(call.name.tool, now())
        if not isinstance(permits, Permits):
            return permits
        outcome = None
        try:
            outcome = await server.connection.call(
                call.name.tool,
                call.arguments.members(),
                caller.key,
                partial(self._withheld, server, call),
            )
        finally:
            server.circuits.learn(permits, outcome, now())
        return outcome

    def _withheld(self, server: _Registered, call: ToolCall) -> str | None:
        """Why the server's tool is not called: it is not there, or nobody has approved it."""
        known = server.tools.get(call.name.tool)
        if known is None:
            return f"there is no tool named {call.name}"
        return withheld(known.tool.name, self._pins.state(known.tool))

    async def reach(self, servers: Collection[str]) -> None:
        """Have the tools of these servers known, as far as the servers answer in time."""
        unknown = [
            server.connection
            for name in servers
            if (server := self._registered.get(name)) is not None
            and not server.tools
            and server.connection.state in _WORTH_REACHING
        ]
        if unknown:
            async with anyio.create_task_group() as tasks:
                for connection in unknown:
                    tasks.start_soon(connection.connected)

    def servers(self) -> Sequence[ServerView]:
        """Every registered server, by name."""
        return tuple(_view(self._registered[name]) for name in sorted(self._registered))

    def tools(self) -> Sequence[ToolView]:
        """Every tool that is known, by name; also those that may not be called yet."""
        views = (self._tool_view(each) for each in self._known())
        return tuple(sorted(views, key=lambda view: view.tool.name.value))

    def _tool_view(self, known: Described) -> ToolView:
        pin = self._pins.state(known.tool)
        before = self._pins.approved(known.tool.name) if pin is PinState.CHANGED else None
        return ToolView(tool=known.tool, pin=pin, returns=known.returns, before=before)

    async def add(
        self, name: str, table: Mapping[str, object], *, replace: bool = False
    ) -> Result[Registered, ServerRefusal]:
        """Register a server that outlives a restart; the table has the keys of the settings."""
        async with self._changing:
            return await self._added(name, table, replace=replace)

    async def _added(
        self, name: str, table: Mapping[str, object], *, replace: bool
    ) -> Result[Registered, ServerRefusal]:
        known = self._registered.get(name)
        if known is not None and known.origin is Origin.SETTINGS:
            return Failure(InSettings(known.name))
        if known is not None and not replace:
            return Failure(ServerTaken(known.name))
        checked = fresh_registration(name, table, self._registered)
        if isinstance(checked, Failure):
            return checked
        server, written = checked.unwrap()
        saved = await self._store.save(name, JsonObject.of(table))
        if isinstance(saved, Failure):
            return saved
        if known is not None:
            await self._end(known)
        self.register(server, written, Origin.API)
        before = None if known is None else without_secrets(known.written)
        return Success(Registered(_view(self._registered[name]), before))

    async def remove(self, name: str) -> Result[ServerView, ServerRefusal]:
        """Forget a server that was added, and end its connection; how it was."""
        async with self._changing:
            return await self._removed(name)

    async def _removed(self, name: str) -> Result[ServerView, ServerRefusal]:
        known = self._find(name)
        if isinstance(known, Failure):
            return known
        if known.unwrap().origin is Origin.SETTINGS:
            return Failure(InSettings(known.unwrap().name))
        others = tuple(sorted(self._standing_behind(name)))
        if others:
            return Failure(StandsIn(known.unwrap().name, others))
        removed = await self._store.remove(name)
        if isinstance(removed, Failure):
            return removed
        was = _view(known.unwrap())
        del self._registered[name]
        self.renew()
        await self._end(known.unwrap())
        await _emptied(known.unwrap().connection)
        return Success(was)

    def _standing_behind(self, name: str) -> Iterable[str]:
        """The servers for which this one stands in."""
        every = self._registered.items()
        return (other for other, server in every if server.written.fallback == name)

    async def test(self, name: str) -> Result[ServerView, ServerRefusal]:
        """Connect now, and list its tools."""
        known = self._find(name)
        if isinstance(known, Failure):
            return known
        server = known.unwrap()
        unreachable = await server.connection.listed_anew()
        if unreachable is not None:
            return Failure(ServerUnreachable(server.name, unreachable.why))
        return Success(_view(server))

    async def approve(self, names: Collection[str]) -> Result[Sequence[PinnedAnew], ServerRefusal]:
        """Take the definitions of these tools (`server.tool` or `server.*`) as they are now."""
        known = tuple(self._known())
        chosen = {name: _covered(name, known) for name in names}
        unknown = tuple(name for name, tools in chosen.items() if not tools)
        if unknown:
            all_names = [each.tool.name.value for each in known]
            near = (nearest(name, all_names) for name in unknown)
            return Failure(UnknownTools(unknown, tuple(each for each in near if each is not None)))
        distinct = {tool.name: tool for tools in chosen.values() for tool in tools}
        approved = await self._pins.approve(tuple(distinct.values()))
        self.renew()
        return approved

    async def close(self) -> None:
        """End every connection."""
        async with anyio.create_task_group() as ending:
            for server in self._registered.values():
                ending.start_soon(self._end, server)

    def register(self, name: ServerName, written: Registration, origin: Origin) -> None:
        """Have a connection for the server, which opens when it is needed."""
        self._means.hide(map(Secret, written.secrets()))
        listed = partial(self._on_tools, name.value)
        connection = Connection(name.value, written, self._means, listed)
        pinned = (as_written(tool, written) for tool in self._pins.known(name.value))
        tools = {tool.name.tool: Described(tool) for tool in pinned} if written.enabled else {}
        self._registered[name.value] = server = _Registered(
            name, written, origin, connection, tools
        )
        self._tasks.start_soon(_own, server)
        self.renew()

    def renew(self) -> None:
        """Offer what is approved now."""
        offered = tuple(self._approved())
        if offered != self._offered:
            self._offered = offered
            self._generation += 1

    def _approved(self) -> Iterable[Tool]:
        for each in self._known():
            match self._pins.state(each.tool):
                case PinState.APPROVED:
                    yield each.tool
                case PinState.CHANGED:
                    before = self._pins.approved(each.tool.name)
                    if before is not None:
                        yield before
                case PinState.NEW:
                    continue

    def _known(self) -> Iterable[Described]:
        for name in sorted(self._registered):
            yield from self._registered[name].tools.values()

    async def _on_tools(self, name: str, listed: tuple[ListedTool, ...]) -> None:
        server = self._registered.get(name)
        if server is None:
            return
        found = await to_thread.run_sync(described, name, server.written, listed)
        noted = await self._pins.note(tuple(each.tool for each in found))
        if isinstance(noted, Failure):
            LOG.error("%s: its tools cannot be approved: %s", name, noted.failure())
        server.tools = {each.tool.name.tool: each for each in found}
        self.renew()

    def _find(self, name: str) -> Result[_Registered, UnknownServer]:
        found = self._registered.get(name)
        if found is not None:
            return Success(found)
        meant = nearest(name, list(self._registered))
        return Failure(UnknownServer(name, () if meant is None else (meant,)))

    @staticmethod
    async def _end(server: _Registered) -> None:
        server.owner.cancel()
        await server.ended.wait()


@asynccontextmanager
async def tool_servers(
    written: Mapping[ServerName, Registration],
    *,
    means: Means,
    pins: Pins,
    store: Registrations,
    may_stand_in: MayStandIn,
) -> AsyncIterator[McpServers]:
    """The servers of the settings and those that were added; none of them outlives the context."""
    tasks = Errands()
    servers = McpServers(tasks, means, pins, store, may_stand_in)
    try:
        for name, each in written.items():
            servers.register(name, each, Origin.SETTINGS)
        await _restored(servers, store, {name.value for name in written})
        yield servers
    finally:
        with anyio.CancelScope(shield=True):
            await servers.close()
            await tasks.cancel()
        means.warden.close()


async def _restored(servers: McpServers, store: Registrations, taken: Collection[str]) -> None:
    rows = await store.stored()
    names = dict.fromkeys((*taken, *(name for name, _ in rows)))
    for name, table in rows:
        spare = table.members().get("fallback")
        checked = registration(name, table.members(), {**names, str(spare): None})
        if name in taken:
            LOG.warning("%s: the settings register a server of this name; it counts", name)
        elif isinstance(checked, Failure):
            LOG.error("%s: its registration cannot be read any more", name)
        else:
            if spare is not None and spare not in names:
                LOG.warning("%s: no server is called %s, so none stands in for it", name, spare)
            servers.register(*checked.unwrap(), Origin.API)


async def _own(server: _Registered) -> None:
    try:
        with server.owner:
            await server.connection.run()
    finally:
        server.ended.set()


async def _emptied(connection: Connection) -> None:
    """Leave nothing of its program for one that gets the same name."""
    try:
        await to_thread.run_sync(connection.home.delete)
    except OSError as error:
        why = error.strerror or repr(error)
        LOG.error("%s: %s cannot be deleted: %s", connection.server, connection.home.path, why)


def _covered(name: str, known: Iterable[Described]) -> tuple[Tool, ...]:
    pattern = ToolPattern.parse(name)
    if isinstance(pattern, Failure):
        return ()
    return tuple(each.tool for each in known if pattern.unwrap().covers(each.tool.name))


def _may_repeat(server: _Registered, call: ToolCall) -> bool:
    """Whether the call may be made again, though nobody knows what came of it."""
    known = server.tools.get(call.name.tool)
    return known is not None and known.tool.idempotent


def _view(server: _Registered) -> ServerView:
    connection, written = server.connection, server.written
    return ServerView(
        name=server.name,
        transport=written.transport,
        target=written.target,
        origin=server.origin,
        state=connection.state,
        since=connection.since,
        reason=connection.reason,
        protocol=connection.greeting.protocol,
        title=connection.greeting.title,
        version=connection.greeting.version,
        tools=len(server.tools),
        connects=connection.connects,
        cwd="" if written.cwd is None else str(written.cwd),
        env=tuple(written.env),
        headers=tuple(written.headers),
        timeout=str(written.timeout),
        registration=without_secrets(written),
    )
