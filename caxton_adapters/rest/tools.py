"""The resources `/tools` and `/mcp/servers`: what agents can be granted, and who offers it."""

from collections.abc import Collection, Mapping
from typing import Final, TypeAlias, final

import anyio
import msgspec
from anyio import to_thread
from attrs import field, frozen
from returns.result import Failure, Result, Success

from caxton_adapters.rest import problem
from caxton_adapters.rest.audit import AuditLog
from caxton_adapters.rest.body import invalid, read_json
from caxton_adapters.rest.by_hand import CallsByHand
from caxton_adapters.rest.changes import hash_of
from caxton_adapters.rest.exchange import Answer, Asked, json_answer, refusal
from caxton_adapters.rest.paging import page_of
from caxton_adapters.rest.problem import ErrorItem, Refused
from caxton_adapters.rest.refusals import of_runtime
from caxton_adapters.rest.tool_refusals import failed, of_servers, withheld
from caxton_adapters.rest.tools_wire import (
    Approved,
    ApproveRequest,
    CallRequest,
    CallResult,
    ToolPage,
    ToolServerPage,
    server_body,
    state_of,
    tool_details,
    tool_summary,
)
from caxton_adapters.runtime.absence import is_out_of_reach, server_named
from caxton_adapters.runtime.runtime import Runtime
from caxton_adapters.runtime.toolbox import (
    PinState,
    ServerUnreachable,
    ServerView,
    ToolServers,
    ToolView,
    UnknownServer,
    UnknownTools,
)
from caxton_core.primitives import (
    JsonObject,
    ToolName,
    ToolPattern,
)
from caxton_core.reading import wording
from caxton_core.reading.nearest import nearest
from caxton_core.tools.permission import grant
from caxton_core.tools.pinning import fingerprint
from caxton_core.tools.tool import Tool, ToolCall, ToolFailed

AnyTool: TypeAlias = ToolView | Tool
"""A tool of a server, or a built-in one."""

_WAITING: Final = frozenset({PinState.NEW.value, PinState.CHANGED.value})
_APPROVE: Final = msgspec.json.Decoder(ApproveRequest)
_CALL: Final = msgspec.json.Decoder(CallRequest)
_REGISTRATION: Final = msgspec.json.Decoder(dict[str, object])


@final
@frozen(kw_only=True)
class Wanted:
    """Which tools are meant: those of a server, those granted to an agent, those in a state.

    `fresh` has every server asked again what it offers.
    """

    server: str | None = None
    agent: str | None = None
    state: str | None = None
    fresh: bool = False


@final
@frozen
class ToolResources:
    """The resources `/tools` and `/mcp/servers`; without servers of tools their lists are empty."""

    runtime: Runtime
    servers: ToolServers | None = None
    log: AuditLog | None = None
    _by_hand: CallsByHand = field(init=False)

    @_by_hand.default
    def _made_by_hand(self) -> CallsByHand:
        return CallsByHand(self.runtime.world, self.log)

    async def page(self, asked: Asked, wanted: Wanted, limit: int, cursor: str | None) -> Answer:
        """Some tools, by name."""
        await (self._ask_anew(wanted.server) if wanted.fresh else self._reach(wanted.server))
        if wanted.server is not None and wanted.server not in self._server_names():
            return refusal(self._no_server(wanted.server), asked.context)
        found = self._wanted(wanted)
        if isinstance(found, Failure):
            return refusal(found.failure(), asked.context)
        page = page_of(found.unwrap(), _position, limit, cursor)
        return json_answer(ToolPage(tuple(map(tool_summary, page.items)), page.next))

    async def show(self, asked: Asked, name: str) -> Answer:
        """One tool, with what has changed since it was approved."""
        found = await self._tool(name)
        if isinstance(found, Failure):
            return refusal(found.failure(), asked.context)
        return json_answer(await to_thread.run_sync(tool_details, found.unwrap()))

    async def approve(self, asked: Asked) -> Answer:
        """Take definitions as they are now."""
        body = read_json(_APPROVE, asked.body)
        if isinstance(body, Failure):
            return refusal(body.failure(), asked.context)
        names = body.unwrap().tools
        wrong = tuple(item for at, name in enumerate(names) for item in _no_pattern(at, name))
        if wrong:
            detail = "Tools are named `server.tool` or `server.*`; `errors` says which are not."
            return refusal(Refused(422, problem.INVALID_BODY, detail, wrong), asked.context)
        asked.about(*names)
        if self.servers is None:
            return refusal(of_servers(UnknownTools(names)), asked.context)
        await self.servers.reach({name.partition(".")[0] for name in names})
        other = self._unseen(names, body.unwrap().seen)
        if other is not None:
            return refusal(other, asked.context)
        approved = await self.servers.approve(names)
        if isinstance(approved, Failure):
            return refusal(of_servers(approved.failure()), asked.context)
        anew = approved.unwrap()
        found = tuple(each.name.value for each in anew)
        asked.about(*(name for name in found if name not in names))
        asked.changed(
            {each.name.value: None if each.before is None else each.before.value for each in anew},
            {each.name.value: each.now.value for each in anew},
        )
        return json_answer(Approved(found))

    def _unseen(self, names: Collection[str], seen: Mapping[str, str] | None) -> Refused | None:
        """Why nothing is approved: a definition is not one that somebody has read."""
        if seen is None:
            return None
        patterns = tuple(map(ToolPattern, names))
        for view in self._known():
            name, begins = _named(view), seen.get(_named(view).value)
            if begins is None:
                chosen = any(each.covers(name) for each in patterns)
                other = chosen and state_of(view) in _WAITING
            else:
                other = not fingerprint(_tool_of(view)).value.startswith(begins)
            if other:
                detail = f"The definition of {name} is not one that was seen."
                return Refused(409, "CX4059", detail)
        return None

    async def call(self, asked: Asked, name: str) -> Answer:
        """Call a tool by hand: it has to be approved, and the policy may not deny the call."""
        arguments = _arguments(asked.body)
        if isinstance(arguments, Failure):
            return refusal(arguments.failure(), asked.context)
        found = await self._tool(name)
        if isinstance(found, Failure):
            return refusal(found.failure(), asked.context)
        view = found.unwrap()
        if not isinstance(view, ToolView):
            detail = f"{name} is built in and works for agents alone."
            return refusal(Refused(404, "CX4056", detail), asked.context)
        refused = withheld(view)
        if refused is not None:
            return refusal(refused, asked.context)
        call = ToolCall("by-hand", view.tool.name, arguments.unwrap())
        made = await self._by_hand.make(view.tool, call, asked.context.principal)
        if isinstance(made, Failure):
            return refusal(made.failure(), asked.context)
        result, seconds = made.unwrap().result, made.unwrap().seconds
        if isinstance(result, ToolFailed):
            return refusal(self._why(call.name, result), asked.context)
        return json_answer(CallResult(call.name.value, result.text, seconds))

    def _why(self, name: ToolName, failure: ToolFailed) -> Refused:
        """Why the call gave nothing; the first one after a while may have found a change."""
        views = () if self.servers is None else self.servers.tools()
        refused = (withheld(view) for view in views if view.tool.name == name)
        return next(refused, None) or failed(name, failure)

    def server_page(self, limit: int, cursor: str | None) -> ToolServerPage:
        """Some servers of tools, by name."""
        views = () if self.servers is None else self.servers.servers()
        page = page_of(views, _name_of, limit, cursor)
        return ToolServerPage(tuple(map(server_body, page.items)), page.next)

    def show_server(self, asked: Asked, name: str) -> Answer:
        """One server of tools."""
        view = server_named(name, self.servers)
        if view is not None:
            return json_answer(server_body(view))
        return refusal(self._no_server(name), asked.context)

    def _server_names(self) -> set[str]:
        """The registered servers, and those that are built in."""
        views = () if self.servers is None else self.servers.servers()
        built_in = {_named(each).server for each in self._known()}
        return built_in | {view.name.value for view in views}

    def _no_server(self, name: str) -> Refused:
        meant = nearest(name, sorted(self._server_names()))
        return of_servers(UnknownServer(name, () if meant is None else (meant,)))

    async def add_server(self, asked: Asked) -> Answer:
        """Register a server of tools, whose name is a member of the body."""
        body = read_json(_REGISTRATION, asked.body)
        if isinstance(body, Failure):
            return refusal(body.failure(), asked.context)
        table = dict(body.unwrap())
        name = table.pop("name", None)
        if not isinstance(name, str):
            return refusal(invalid("Expected a text", "name"), asked.context)
        return await self._registered(asked, name, table, status=201)

    async def put_server(self, asked: Asked, name: str) -> Answer:
        """Register a server of tools, in place of the one of this name if there is one."""
        body = read_json(_REGISTRATION, asked.body)
        if isinstance(body, Failure):
            return refusal(body.failure(), asked.context)
        return await self._registered(asked, name, body.unwrap(), status=200)

    async def remove_server(self, asked: Asked, name: str) -> Answer:
        """Forget a server of tools."""
        if self.servers is None:
            return refusal(of_servers(UnknownServer(name)), asked.context)
        removed = await self.servers.remove(name)
        if isinstance(removed, Failure):
            return refusal(of_servers(removed.failure()), asked.context)
        asked.changed(hash_of(removed.unwrap().registration.value), None)
        return Answer(204)

    async def test_server(self, asked: Asked, name: str) -> Answer:
        """Connect with a server of tools now."""
        if self.servers is None:
            return refusal(of_servers(UnknownServer(name)), asked.context)
        tested = await self.servers.test(name)
        if isinstance(tested, Failure):
            return refusal(of_servers(tested.failure()), asked.context)
        return json_answer(server_body(tested.unwrap()))

    async def _registered(
        self, asked: Asked, name: str, table: Mapping[str, object], *, status: int
    ) -> Answer:
        asked.about(name)
        if self.servers is None:
            detail = "This server was composed without servers of tools."
            return refusal(Refused(404, "CX4055", detail), asked.context)
        added = await self.servers.add(name, table, replace=status != 201)  # noqa: PLR2004 - created
        if isinstance(added, Failure):
            return refusal(of_servers(added.failure()), asked.context)
        now, before = added.unwrap().now, added.unwrap().before
        asked.about(now.target)
        asked.changed(
            None if before is None else hash_of(before.value), hash_of(now.registration.value)
        )
        location = (b"location", b"/mcp/servers/" + name.encode())
        return json_answer(server_body(now), status, (location,))

    async def _reach(self, server: str | None) -> None:
        if self.servers is not None:
            every = {view.name.value for view in self.servers.servers()}
            await self.servers.reach(every if server is None else {server})

    async def _ask_anew(self, server: str | None) -> None:
        """Have servers list their tools again; one that cannot be reached keeps what is known."""
        if self.servers is None:
            return
        async with anyio.create_task_group() as asking:
            for view in self.servers.servers():
                if server in (None, view.name.value):
                    asking.start_soon(self.servers.test, view.name.value)

    async def _tool(self, name: str) -> Result[AnyTool, Refused]:
        await self._reach(name.partition(".")[0])
        known = {_named(view).value: view for view in self._known()}
        if name in known:
            return Success(known[name])
        server = server_named(name.partition(".")[0], self.servers)
        if server is not None and is_out_of_reach(server):
            return Failure(of_servers(ServerUnreachable(server.name, server.reason)))
        meant = nearest(name, known)
        return Failure(of_servers(UnknownTools((name,), () if meant is None else (meant,))))

    def _known(self) -> list[AnyTool]:
        """Every tool that is known; what a server offers stands before all else of its name."""
        views = () if self.servers is None else self.servers.tools()
        names = {view.tool.name for view in views}
        built_in = (tool for tool in self.runtime.world.tools.offered() if tool.name not in names)
        return [*views, *built_in]

    def _wanted(self, wanted: Wanted) -> Result[list[AnyTool], Refused]:
        found = [
            view
            for view in self._known()
            if wanted.server in (None, _named(view).server)
            and wanted.state in (None, state_of(view))
        ]
        if wanted.agent is None:
            return Success(found)
        agent = self.runtime.agent(wanted.agent)
        if isinstance(agent, Failure):
            return Failure(of_runtime(agent.failure()))
        config = agent.unwrap().config
        if config is None:
            return Success([])
        levels = self.runtime.world.rulebook.levels
        granted = {tool.name for tool in grant(config, map(_tool_of, found), levels).tools}
        return Success([view for view in found if _named(view) in granted])


def _tool_of(view: AnyTool) -> Tool:
    return view.tool if isinstance(view, ToolView) else view


def _named(view: AnyTool) -> ToolName:
    return _tool_of(view).name


def _position(view: AnyTool) -> str:
    return _named(view).value


def _name_of(view: ServerView) -> str:
    return view.name.value


def _no_pattern(at: int, name: str) -> tuple[ErrorItem, ...]:
    """What is wrong with the name of one tool or of several."""
    parsed = ToolPattern.parse(name)
    if isinstance(parsed, Success):
        return ()
    what = parsed.failure()
    return (
        ErrorItem(
            code=what.code,
            at=f"tools[{at}]",
            message=wording.message(what),
            suggestion=wording.suggestion(what),
        ),
    )


def _arguments(body: bytes) -> Result[JsonObject, Refused]:
    """The arguments of a call; a call without a body has none."""
    return read_json(_CALL, body or b"{}").map(lambda call: JsonObject.of(call.arguments))
