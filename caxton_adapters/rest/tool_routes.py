"""The routes of `/tools` and `/mcp/servers` with their description."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Any, Literal, TypeAlias, final

from litestar import Controller, Response, delete, get, post, put
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, FromQuery, Parameter, QueryParameter, SkipValidation

from caxton_adapters.rest.exchange import json_answer
from caxton_adapters.rest.paging import DEFAULT_LIMIT, HIGHEST_LIMIT
from caxton_adapters.rest.served import Here, Question, Served
from caxton_adapters.rest.tools import Wanted
from caxton_adapters.rest.tools_wire import (
    Approved,
    CallResult,
    ToolDetails,
    ToolPage,
    ToolServerBody,
    ToolServerPage,
)

StateName: TypeAlias = Literal["approved", "new", "changed", "built_in"]
InState = Annotated[
    StateName | None, QueryParameter(name="state", description="Tools in this state.")
]
OfServer = Annotated[str | None, Parameter(description="Tools of this server.")]
ForAgent = Annotated[
    str | None, Parameter(description="Tools that are granted to this agent; its name or id.")
]
Fresh = Annotated[bool, Parameter(description="Ask every server again what it offers.")]
Tool = Annotated[str, Parameter(description="The tool: its server, a dot, its name there.")]
Server = Annotated[str, Parameter(description="The name of the server of tools.")]
Limit = Annotated[int, Parameter(ge=1, le=HIGHEST_LIMIT, description="How many at most.")]
Cursor = Annotated[
    str | None, Parameter(pattern="^[0-9a-f]*$", description="`next` of the page before.")
]
Dependency: TypeAlias = Provide | Callable[..., Any]  # Litestar's own types
_CALL = "/call"


async def wanted_of(
    server: FromQuery[OfServer] = None,
    agent: FromQuery[ForAgent] = None,
    in_state: InState = None,
    fresh: FromQuery[Fresh] = False,  # noqa: FBT002 - a query parameter
) -> Wanted:
    """Which tools the parameters mean."""
    return Wanted(server=server, agent=agent, state=in_state, fresh=fresh)


Chosen = NamedDependency[SkipValidation[Wanted]]


@final
class ToolsController(Controller):
    """What agents can be granted beyond text."""

    tags: Sequence[str] | None = ("tools",)
    dependencies: Mapping[str, Dependency] | None = MappingProxyType({"wanted": Provide(wanted_of)})

    @get("/tools", operation_id="listTools")
    async def list_tools(
        self,
        resources: Here,
        asked: Question,
        wanted: Chosen,
        limit: FromQuery[Limit] = DEFAULT_LIMIT,
        cursor: FromQuery[Cursor] = None,
    ) -> Response[ToolPage]:
        """List the tools, by name; servers that were not reached yet are connected with."""
        return Served(await resources.tools.page(asked, wanted, limit, cursor), asked)

    @post("/tools/approve", operation_id="approveTools", status_code=200)
    async def approve_tools(self, resources: Here, asked: Question) -> Response[Approved]:
        """Approve the definitions of tools as they are now; only approved ones are called."""
        return Served(await resources.tools.approve(asked), asked)

    @get("/tools/{name:path}", operation_id="showTool")
    async def show_tool(
        self,
        resources: Here,
        asked: Question,
        name: FromPath[Tool],  # noqa: ARG002 - for the description; it may hold slashes
    ) -> Response[ToolDetails]:
        """Show a tool: what it takes, and what has changed since it was approved."""
        return Served(await resources.tools.show(asked, asked.path.removeprefix("/tools/")), asked)

    @post("/tools/{name:str}/call", operation_id="callTool", status_code=200)
    async def call_tool(
        self, resources: Here, asked: Question, name: FromPath[Tool]
    ) -> Response[CallResult]:
        """Call a tool by hand, whatever agents are granted; only an approved one is called."""
        return Served(await resources.tools.call(asked, name), asked)

    @post("/tools/{name:path}", include_in_schema=False, status_code=200)
    async def call_slashed_tool(
        self,
        resources: Here,
        asked: Question,
        name: FromPath[Tool],  # noqa: ARG002 - it may hold slashes
    ) -> Response[CallResult]:
        """The same for a tool with slashes in its name."""
        name_of = asked.path.removeprefix("/tools/").removesuffix(_CALL)
        return Served(await resources.tools.call(asked, name_of), asked)


@final
class ToolServersController(Controller):
    """Where tools come from: servers that speak the Model Context Protocol."""

    tags: Sequence[str] | None = ("tools",)

    @get("/mcp/servers", operation_id="listToolServers")
    async def list_servers(
        self,
        resources: Here,
        asked: Question,
        limit: FromQuery[Limit] = DEFAULT_LIMIT,
        cursor: FromQuery[Cursor] = None,
    ) -> Response[ToolServerPage]:
        """List the registered servers, by name."""
        return Served(json_answer(resources.tools.server_page(limit, cursor)), asked)

    @post("/mcp/servers", operation_id="addToolServer")
    async def add_server(self, resources: Here, asked: Question) -> Response[ToolServerBody]:
        """Register a new server: `name`, and the keys of `[mcp.servers.NAME]`.

        Whoever may do this has the server run any command, so it takes the operator's rights.
        """
        return Served(await resources.tools.add_server(asked), asked)

    @get("/mcp/servers/{name:str}", operation_id="showToolServer")
    async def show_server(
        self, resources: Here, asked: Question, name: FromPath[Server]
    ) -> Response[ToolServerBody]:
        """Show a server and how its connection does."""
        return Served(resources.tools.show_server(asked, name), asked)

    @put("/mcp/servers/{name:str}", operation_id="putToolServer")
    async def put_server(
        self, resources: Here, asked: Question, name: FromPath[Server]
    ) -> Response[ToolServerBody]:
        """Register a server, in place of the one of this name if there is one."""
        return Served(await resources.tools.put_server(asked, name), asked)

    @delete("/mcp/servers/{name:str}", operation_id="removeToolServer")
    async def remove_server(
        self, resources: Here, asked: Question, name: FromPath[Server]
    ) -> Response[None]:
        """Forget a server and end its connection; what was approved of it stays approved."""
        return Served(await resources.tools.remove_server(asked, name), asked)

    @post("/mcp/servers/{name:str}/test", operation_id="testToolServer", status_code=200)
    async def test_server(
        self, resources: Here, asked: Question, name: FromPath[Server]
    ) -> Response[ToolServerBody]:
        """Connect with a server now, and list its tools."""
        return Served(await resources.tools.test_server(asked, name), asked)
