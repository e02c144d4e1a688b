"""A server of Caxton's in a thread, whose servers of tools a test decides about."""

from collections.abc import Iterator
from contextlib import contextmanager

from anyio.from_thread import start_blocking_portal

from caxton_adapters.rest.settings import RestSettings
from caxton_core.primitives import JsonObject, ToolName
from caxton_core.tools.tool import Tool
from tests.adapters.rest.conftest import QUICK, serving
from tests.cli.command import Shell
from tests.fakes import ToolServersInADict

CLERK = """
name = "clerk"
system_prompt = "You file."
capabilities = ["filing"]
tools = ["files.*"]
[permissions]
allow = ["files.read"]
"""
KEEPER = """
name = "keeper"
system_prompt = "You keep."
capabilities = ["keeping"]
tools = ["files.read"]
[permissions]
allow = ["files.read:path=7"]
"""
SCHEMA = {
    "type": "object",
    "properties": {"path": {"type": "string"}, "lines": {"type": "integer"}},
    "required": ["path"],
}


def tool(name: str, description: str) -> Tool:
    return Tool(ToolName(name), description, JsonObject.of(SCHEMA))


@contextmanager
def serving_tools(shell: Shell, toolbox: ToolServersInADict) -> Iterator[Shell]:
    """A shell whose server has these servers of tools."""
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(
            serving(QUICK, RestSettings(), CLERK, KEEPER, toolbox=toolbox, reached=toolbox)
        ) as served,
    ):
        yield Shell(shell.directory, {"CAXTON_URL": served.url})
