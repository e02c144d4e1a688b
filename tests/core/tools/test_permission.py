"""What an agent is shown and may call."""

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from caxton_core.agent.config import AgentConfig
from caxton_core.agent.sections import Permissions
from caxton_core.primitives import (
    AgentName,
    JsonObject,
    PermissionRule,
    SystemPrompt,
    ToolName,
    ToolPattern,
)
from caxton_core.testing.conversation import sound_calls, tools
from caxton_core.tools.permission import grant, refused
from caxton_core.tools.tool import Tool, ToolCall

READ, WRITE = (
    Tool(ToolName(name), "About files.", JsonObject.of({"type": "object"}))
    for name in ("files.read", "files.write")
)
AGENT = AgentConfig(AgentName("clerk"), SystemPrompt("You file."))
rules = st.lists(
    st.sampled_from(["files.*", "files.read", "web.fetch", "files.write:path=/tmp/*"]), max_size=3
).map(lambda texts: tuple(map(PermissionRule, texts)))
permissions = st.builds(Permissions, rules, rules, rules)


def clerk(*listed: str, **lists: tuple[str, ...]) -> AgentConfig:
    rules = {name: tuple(map(PermissionRule, texts)) for name, texts in lists.items()}
    return evolve(AGENT, tools=tuple(map(ToolPattern, listed)), permissions=Permissions(**rules))


def reading(path: object) -> ToolCall:
    return ToolCall("1", READ.name, JsonObject.of({"path": path}))


def shown(config: AgentConfig) -> list[str]:
    return [tool.name.value for tool in grant(config, (READ, WRITE)).tools]


def test_an_agent_is_shown_what_it_lists_and_may_call() -> None:
    assert shown(clerk("files.*", allow=("files.read",))) == ["files.read"]
    assert shown(clerk("files.*", allow=("files.read",), ask=("files.write",))) == [
        "files.read",
        "files.write",
    ]


@pytest.mark.parametrize(
    "config",
    [
        AGENT,
        clerk("files.*"),
        clerk(allow=("files.*",)),
        clerk("files.*", allow=("files.*",), deny=("files.*",)),
    ],
)
def test_what_is_not_listed_not_allowed_or_denied_is_not_shown(config: AgentConfig) -> None:
    assert shown(config) == []


@pytest.mark.parametrize(
    ("lists", "path", "why"),
    [
        ({"allow": ("files.read",)}, "/etc/passwd", None),
        ({"allow": ("files.read:path=/reports/*",)}, "/reports/may.txt", None),
        ({"allow": ("files.read:path=/reports/*",)}, "/etc/passwd", "not allowed"),
        ({"allow": ("files.read:path=/reports/*",)}, "/reports/../etc/passwd", "not allowed"),
        ({"allow": ("files.read:path=/reports/*",)}, None, "not allowed"),
        ({"allow": ("files.*",), "deny": ("files.read:path=/etc/*",)}, "/etc/passwd", "denied"),
        ({"allow": ("files.*",), "deny": ("files.read:path=/etc/*",)}, "/a/../etc/x", "denied"),
        ({"allow": ("files.*",), "deny": ("files.read:path=/etc/*",)}, "/home", None),
        ({"allow": ("files.*",), "ask": ("files.read",)}, "/home", "confirm"),
    ],
)
def test_deny_stands_above_ask_above_allow_above_nothing(
    lists: dict[str, tuple[str, ...]], path: object, why: str | None
) -> None:
    result = refused(grant(clerk("files.*", **lists), (READ, WRITE)), reading(path))
    assert (why is None) == (result is None)
    assert result is None or why is None or why in result.why


@given(st.lists(tools, max_size=4), permissions, sound_calls)
def test_nothing_is_called_that_was_not_shown(
    offered: list[Tool], permissions: Permissions, call: ToolCall
) -> None:
    config = evolve(AGENT, tools=(ToolPattern("files.*"),), permissions=permissions)
    granted = grant(config, offered)
    if refused(granted, call) is None:
        assert call.name in {tool.name for tool in granted.tools}
        assert call.name.value.startswith("files.")
        assert any(rule.tool.covers(call.name) for rule in permissions.allow)
        assert not any(
            rule.tool.covers(call.name) for rule in permissions.deny if rule.condition is None
        )
