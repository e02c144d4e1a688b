"""A conversation with a server of tools through the protocol's own library.

Loading this module loads the library, which takes the better part of a second; nothing imports it
at the start, and whoever needs it does so in a thread.
"""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version
from typing import Final, TypeAlias, cast, final

import anyio
import anyio.lowlevel
from attrs import define, field, frozen
from mcp.client import Client, ClientRequestContext, Transport
from mcp.client.session import IncomingMessage
from mcp.client.subscriptions import SubscriptionLost
from mcp.shared.exceptions import MCPError
from mcp_types import (
    CONNECTION_CLOSED,
    INVALID_PARAMS,
    CallToolResult,
    ElicitRequestFormParams,
    ElicitRequestParams,
    ElicitResult,
    Implementation,
    LoggingMessageNotificationParams,
    RequestParamsMeta,
    ToolListChangedNotification,
)
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import ValidationError

from caxton_adapters.mcp.content import text_of
from caxton_adapters.mcp.ending import Ending
from caxton_adapters.mcp.listed import (
    Answered,
    CallOutcome,
    Declined,
    Greeting,
    ListedTool,
    Lost,
)
from caxton_adapters.mcp.listing import MOST_PAGES, Listing
from caxton_adapters.mcp.registration import Elicitation, Registration
from caxton_adapters.mcp.said import LOG, Said
from caxton_adapters.mcp.schemas import Schema
from caxton_adapters.mcp.unanswered import UNANSWERED
from caxton_adapters.mcp.visible import one_line
from caxton_adapters.mcp.watcher import Watcher
from caxton_core.tools.tool import Blame

_LONGEST_WHY: Final = 2000
_RELISTEN: Final = 5.0
_Reply: TypeAlias = dict[str, str | int | float | bool | list[str] | None]


@final
@frozen
class _Known:
    """A tool, and its schemas read for checking."""

    arguments: Schema
    result: Schema | None


@final
@define(eq=False)
class Session:
    """An open conversation; only tasks of the group of the task that opened it may use it."""

    _client: Client
    _written: Registration
    _server: str
    _said: Said
    _ending: Ending
    _listed: dict[str, ListedTool] = field(factory=dict, init=False)
    _known: dict[str, _Known] = field(factory=dict, init=False)

    @property
    def greeting(self) -> Greeting:
        """How the server introduced itself."""
        info = self._client.server_info
        return Greeting(
            self._client.protocol_version,
            "" if info is None else one_line(info.title or info.name, 200),
            "" if info is None else one_line(info.version, 100),
        )

    async def tools(self) -> tuple[ListedTool, ...]:
        """Every tool that it lists, page by page, up to a bound."""
        listing = Listing(self._server)
        cursor: str | None = None
        for _ in range(MOST_PAGES):
            page = await self._client.list_tools(cursor=cursor)
            for tool in page.tools:
                listing.take(tool)
                await anyio.lowlevel.checkpoint()
                if listing.is_full:
                    break
            cursor = page.next_cursor
            if cursor is None or listing.is_full:
                break
        if cursor is not None or listing.is_full:
            used = len(listing.tools)
            LOG.warning("%s: it lists too many tools; %d are used", self._server, used)
        self._listed = listing.tools
        self._known.clear()
        return tuple(self._listed.values())

    async def listed_again(self) -> tuple[ListedTool, ...] | None:
        """Its tools now; None from a server that does not answer any more."""
        try:
            return await self.tools()
        except (MCPError, ValidationError, RuntimeError, anyio.BrokenResourceError):
            return None

    async def call(self, tool: str, arguments: Mapping[str, object], key: str) -> CallOutcome:
        """Call the tool; to cancel this tells the server.

        The key, the same for the same call, travels with it as `caxton/key`.
        """
        known = self._known_of(tool)
        wrong = known.arguments.wrong(arguments)
        if wrong is not None:
            return Declined(f"the arguments are wrong: {wrong}", Blame.ARGUMENTS)
        try:
            result = await self._client.call_tool(
                tool,
                dict(arguments),
                progress_callback=partial(self._progress, tool),
                meta=cast("RequestParamsMeta", {"caxton/key": key}),
            )
        except MCPError as error:
            return self._failed(error)
        except ValidationError as error:
            return Declined(f"the server broke its protocol: {error.error_count()} mistakes")
        except ValueError:  # of the library, when it writes the message
            why = "the arguments cannot be written: they hold no Unicode"
            return Declined(why, Blame.ARGUMENTS)
        except (RuntimeError, anyio.BrokenResourceError, anyio.ClosedResourceError) as error:
            return Lost(self._ending.why or one_line(str(error), _LONGEST_WHY) or "it is gone")
        return self._outcome(result, known)

    def _outcome(self, result: CallToolResult, known: _Known) -> CallOutcome:
        text = text_of(result, self._written.max_result.value)
        if result.is_error:
            return Declined(text.strip() or "the tool failed and did not say why")
        if known.result is not None:
            wrong = known.result.wrong(result.structured_content)
            if wrong is not None:
                return Declined(f"the tool's answer does not have the form it promised: {wrong}")
        return Answered(text)

    def _failed(self, error: MCPError) -> CallOutcome:
        # A server may use the same code for errors of its own.
        if error.code == CONNECTION_CLOSED and (self._ending.is_told or _is_closed(error)):
            return Lost(self._ending.why or "it closed the connection")
        if error.error.data == UNANSWERED or _is_cut(error):
            return Lost(one_line(error.message, _LONGEST_WHY))
        why = one_line(error.message, _LONGEST_WHY) or "the server refused the call"
        return Declined(why, Blame.ARGUMENTS if error.code == INVALID_PARAMS else Blame.TOOL)

    def _known_of(self, tool: str) -> _Known:
        """Its schemas, read at the first call."""
        known = self._known.get(tool)
        if known is None:
            listed = self._listed.get(tool)
            whose = f"{self._server}.{tool}"
            parameters = {} if listed is None else listed.parameters
            returns = None if listed is None else listed.returns
            result = None if returns is None else Schema(returns, whose)
            known = self._known[tool] = _Known(Schema(parameters, whose), result)
        return known

    async def _progress(
        self, tool: str, progress: float, total: float | None, message: str | None
    ) -> None:
        self._said.on_progress(tool, progress, total, message or "")

    async def watch(self, on_changed: Callable[[], None]) -> None:
        """Tell of every change of its tools, where the wire has no notification of it.

        Older servers notify by themselves.
        """
        client = self._client
        tools = client.server_capabilities.tools
        if client.protocol_version not in MODERN_PROTOCOL_VERSIONS or tools is None:
            return
        while tools.list_changed:
            try:
                async with client.listen(tools_list_changed=True) as changes:
                    async for _ in changes:
                        on_changed()
                    return
            except SubscriptionLost:
                await anyio.sleep(_RELISTEN)
                on_changed()
            except MCPError:
                return


@asynccontextmanager
async def session(
    server: str,
    written: Registration,
    transport: Transport,
    watcher: Watcher,
    *,
    legacy: bool = False,
) -> AsyncIterator[Session]:
    """Open a conversation; `legacy` does without asking which protocol the server speaks."""
    said = watcher.said

    async def on_log(params: LoggingMessageNotificationParams) -> None:
        data = params.data if isinstance(params.data, str) else json.dumps(params.data)[:4000]
        said.on_log(params.level, params.logger or "", data)

    async def on_message(message: IncomingMessage) -> None:
        if isinstance(message, ToolListChangedNotification):
            watcher.on_changed()

    client = Client(
        transport,
        mode="legacy" if legacy else "auto",
        logging_callback=on_log,
        log_level="info",
        message_handler=on_message,
        elicitation_callback=partial(_elicited, written.elicitation),
        client_info=Implementation(name="caxton", version=version("caxton")),
        cache=None,
    )
    async with client:
        # Results are checked by `schemas`, within bounds; the library's own check has none.
        client.session.validate_tool_result = _not_checked_twice  # type: ignore[method-assign, assignment]
        yield Session(client, written, server, said, watcher.ending)


def _is_cut(error: MCPError) -> bool:
    """Whether a stream ended before the answer, in the library's words."""
    return error.code == CONNECTION_CLOSED and error.message.startswith("SSE stream")


def _is_closed(error: MCPError) -> bool:
    return error.message == "Connection closed"


async def _not_checked_twice(_: str, __: CallToolResult) -> None:
    """Nothing is left to do."""


async def _elicited(
    wanted: Elicitation, _: ClientRequestContext, params: ElicitRequestParams
) -> ElicitResult:
    """What the server is told that asks a person for something: there is none here."""
    if wanted is Elicitation.DECLINE or not isinstance(params, ElicitRequestFormParams):
        return ElicitResult(action="decline")
    schema = params.requested_schema
    properties = schema.get("properties", {})
    defaults = {
        name: each["default"]
        for name, each in properties.items()
        if isinstance(each, dict) and "default" in each
    }
    if not set(schema.get("required", ())) <= set(defaults):
        return ElicitResult(action="decline")
    return ElicitResult(action="accept", content=cast("_Reply", defaults))
