"""Why nobody offers a tool, as its operator is told."""

from attrs import evolve

from caxton_adapters.runtime.absence import absent
from caxton_adapters.runtime.toolbox import ServerState
from caxton_core.primitives import JsonObject, ToolName
from caxton_core.tools.tool import Tool
from tests.fakes import PATH, ToolServersInADict

READ = Tool(ToolName("files.read"), "About read.", JsonObject.of(PATH))


async def toolbox() -> ToolServersInADict:
    servers = ToolServersInADict({"files": [READ]})
    await servers.add("files", {"command": "mcp-server-files"})
    await servers.reach(["files"])
    return servers


async def test_a_tool_that_is_offered_is_not_absent() -> None:
    assert absent(READ.name, [READ], None) == ""


async def test_a_new_tool_waits_for_an_approval() -> None:
    assert absent(READ.name, [], await toolbox()) == "its definition waits for an approval"


async def test_a_server_without_the_tool_says_what_may_be_meant() -> None:
    why = absent(ToolName("files.reed"), [READ], await toolbox())
    assert why == "files offers no such tool; did you mean files.read?"


async def test_a_server_that_nobody_registered_is_none() -> None:
    assert absent(ToolName("clock.now"), [], await toolbox()) == "clock is no server of tools"


async def test_a_server_out_of_reach_tells_its_reason_without_what_commands_a_terminal() -> None:
    servers = await toolbox()
    down = evolve(servers.views["files"], state=ServerState.WAITING, reason="gone\x1b[2J\n")
    servers.views["files"] = down
    assert absent(READ.name, [], servers) == "files is not reached: gone\\u001b[2J"
