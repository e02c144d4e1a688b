"""STORY-020: agents use the tools of servers."""

from pathlib import Path
from typing import Final

import pytest

from tests.acceptance.criteria import criterion
from tests.acceptance.installation import installed
from tests.acceptance.tool_servers import PROVIDER, command, server_table, tool_names

AGENT: Final = """
name = "helper"
system_prompt = "You help."
capabilities = ["helping"]
tools = ["one.*", "late.echo"]
[permissions]
allow = ["one.echo", "one.add", "late.*"]
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "scenario.toml").write_text('[[rules]]\nanswer = "Hello!"\n')
    return tmp_path


@criterion("STORY-020.1")
def test_the_tools_of_every_registered_server_are_discovered(directory: Path) -> None:
    settings = PROVIDER + server_table("one") + server_table("two", "tools=150", "page=7")
    with installed(directory, settings) as server:
        server.deploy(AGENT)
        found = tool_names(server)
        assert {"one.echo", "two.echo", "two.further_149", "memory.recall"} <= set(found)
        many = tool_names(server, "--server", "two")
        assert sum(name.startswith("two.further_") for name in many) == 150
        assert tool_names(server, "--agent", "helper") == ["one.add", "one.echo"]
        page = server.asked("GET", "/tools?server=one&limit=200").document
        tools = page["tools"]
        assert isinstance(tools, list)
        assert [tool["name"] for tool in tools] == tool_names(server, "--server", "one")


@criterion("STORY-020.1")
def test_tools_of_a_server_that_is_registered_later_are_discovered_too(directory: Path) -> None:
    with installed(directory, PROVIDER) as server:
        server.deploy(AGENT)
        assert tool_names(server, "--agent", "helper") == []
        added = server.run("mcp", "add", "late", "--", *command())
        assert added.code == 0, added.err
        assert tool_names(server, "--agent", "helper") == ["late.echo"]
        shown = server.asked("GET", "/mcp/servers/late").document
        assert (shown["state"], shown["origin"], shown["title"]) == (
            "connected",
            "api",
            "A small server",
        )
