"""A tool's name on the wire is one that every service takes, and leads back to the tool."""

import re

from hypothesis import given
from hypothesis import strategies as st

from caxton_adapters.providers.openai.tool_names import LONGEST, tool_name, wire_name
from caxton_core.primitives import JsonObject, ToolName
from caxton_core.tools.tool import Tool

NAMES = st.from_regex(ToolName.rule.pattern, fullmatch=True).map(ToolName)
TRICKY = st.from_regex(r"[a-c][a-c_-]{0,4}\.[a-c_][a-c_./-]{0,5}", fullmatch=True).map(ToolName)


def tool(name: ToolName) -> Tool:
    return Tool(name, "", JsonObject())


@given(NAMES | TRICKY)
def test_it_is_a_name_that_services_take(name: ToolName) -> None:
    assert re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", wire_name(name))


@given(TRICKY)
def test_a_short_name_leads_back_without_its_tool(name: ToolName) -> None:
    assert tool_name(wire_name(name), ()) == name


@given(st.lists(NAMES | TRICKY, unique=True, max_size=6))
def test_every_offered_tool_is_found_under_both_names(names: list[ToolName]) -> None:
    tools = [tool(name) for name in names]
    assert [tool_name(wire_name(name), tools) for name in names] == names
    assert [tool_name(name.value, tools) for name in names] == names


@given(st.lists(NAMES | TRICKY, unique=True, min_size=2, max_size=2))
def test_two_tools_never_share_a_name(names: list[ToolName]) -> None:
    assert wire_name(names[0]) != wire_name(names[1])


def test_usual_names_stay_readable() -> None:
    assert wire_name(ToolName("files.read_file")) == "files__read_file"
    assert wire_name(ToolName("git-hub.create.issue")) == "git-hub__create-_dissue"
    assert len(wire_name(ToolName(f"files.{'x' * 100}"))) == LONGEST


def test_a_name_that_no_tool_can_have_is_none() -> None:
    assert tool_name("get weather", ()) is None
    assert tool_name("", ()) is None
    assert tool_name("nodot", ()) is None
