"""STORY-020: agents use the tools of servers."""

from pathlib import Path
from typing import Final

import pytest

from tests.acceptance.criteria import criterion
from tests.acceptance.installation import installed, said
from tests.acceptance.tool_servers import PROVIDER, command, server_table, tool_names
from tests.cli.processes import log_of

AGENT: Final = """
name = "helper"
system_prompt = "You help."
capabilities = ["helping"]
tools = ["one.*", "late.echo"]
[permissions]
allow = ["one.echo", "one.add", "late.*"]
"""

SCENARIO: Final = """
[[rules]]
contains = "say"
calls = [{ tool = "one.echo", arguments = { text = "{{request}}" } }]
then = "It said: {{result}}"

[[rules]]
contains = "fail"
calls = [{ tool = "one.fail" }]
then = "It did not."

[[rules]]
answer = "Hello!"
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "scenario.toml").write_text(SCENARIO)
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


@criterion("STORY-020.3", "STORY-020.6", "STORY-040.8")
def test_what_a_tool_answered_is_in_the_answer_and_its_call_in_the_log(directory: Path) -> None:
    with installed(directory, PROVIDER + server_table("one")) as server:
        server.deploy(AGENT)
        key = "sk-proj-abcdefghijklmnop0123"
        assert said(server, "helper", f"say {key}")["text"] == f"It said: say {key}"
        [line] = [line for line in log_of(server.shell) if line["event"] == "tool.called"]
        assert (line["tool"], line["outcome"]) == ("one.echo", "succeeded")
        assert "*" in str(line["arguments"])
        assert key not in str(line)
        assert {"agent", "message", "seconds"} <= line.keys()


@criterion("STORY-020.6", "STORY-040.8")
def test_calls_that_are_refused_and_calls_by_hand_are_in_the_log_too(directory: Path) -> None:
    with installed(directory, PROVIDER + server_table("one")) as server:
        server.deploy(AGENT)
        assert said(server, "helper", "fail")["text"] == "It did not."
        by_hand = server.run("tools", "call", "one.echo", "text=hello")
        assert by_hand.out == "hello\n"
        lines = log_of(server.shell)
        [refused] = [line for line in lines if line["event"] == "security.call_refused"]
        assert refused["tool"] == "one.fail"
        assert any(line.get("path") == "/tools/one.echo/call" for line in lines)
