"""What an agent is shown and may call: three levels, and the strictest verdict counts."""

from time import thread_time

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
from caxton_core.tools.explaining import explained, summary, told_to_model
from caxton_core.tools.permission import (
    Decision,
    Effect,
    Grant,
    Level,
    above,
    decide,
    grant,
    hindrances,
    looked_up,
)
from caxton_core.tools.tool import Tool, ToolCall
from tests.acceptance.criteria import criterion

READ, WRITE = (
    Tool(ToolName(name), "About files.", JsonObject.of({"type": "object"}))
    for name in ("files.read", "files.write")
)
AGENT = AgentConfig(AgentName("clerk"), SystemPrompt("You file."))
RULES = (
    "files.*",
    "files.read",
    "web.fetch",
    "files.write:path=/tmp/**",
    "files.read:path=/tmp/*",
    "files.*:path=/etc",
    "files.read:path=*.txt",
    "files.*:path,other=/tmp/**",
    "files.read:path=a/**",
)
PATHS = ("/tmp/a", "/tmp/a/b", "/etc/passwd", "a.txt", "../x", None, ["/tmp/a", "/etc"], {"x": 1})
rules = st.lists(st.sampled_from(RULES), max_size=3).map(
    lambda texts: tuple(map(PermissionRule, texts))
)
permissions = st.builds(Permissions, rules, rules, rules)
levels = st.lists(st.builds(above, st.sampled_from(["server", "policy"]), permissions), max_size=2)
calls = st.builds(
    lambda name, path: ToolCall("1", ToolName(name), JsonObject.of({"path": path})),
    st.sampled_from(["files.read", "files.write"]),
    st.sampled_from(PATHS),
)


def lists(**texts: tuple[str, ...]) -> Permissions:
    return Permissions(**{name: tuple(map(PermissionRule, each)) for name, each in texts.items()})


def clerk(*listed: str, **texts: tuple[str, ...]) -> AgentConfig:
    return evolve(AGENT, tools=tuple(map(ToolPattern, listed)), permissions=lists(**texts))


def granted(*listed: str, **texts: tuple[str, ...]) -> Grant:
    return grant(clerk(*(listed or ("files.*",)), **texts), (READ, WRITE))


def reading(path: object) -> ToolCall:
    return ToolCall("1", READ.name, JsonObject.of({"path": path}))


def shown(config: AgentConfig, *levels: Level) -> list[str]:
    return [tool.name.value for tool in grant(config, (READ, WRITE), levels).tools]


def effect(path: object, **texts: tuple[str, ...]) -> Effect:
    return decide(granted(**texts), (), reading(path)).effect


@criterion("STORY-044.1")
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


def test_what_a_level_above_never_lets_be_called_is_not_shown() -> None:
    config = clerk("files.*", allow=("files.*",))
    assert shown(config, above("server", lists(deny=("files.write",)))) == ["files.read"]
    assert shown(config, above("server", lists(allow=("files.write",)))) == ["files.write"]
    assert shown(config, above("server", lists())) == ["files.read", "files.write"]


@pytest.mark.parametrize(
    ("texts", "path", "outcome"),
    [
        ({"allow": ("files.read",)}, "/etc/passwd", Effect.ALLOW),
        ({"allow": ("files.read:path=/reports/*",)}, "/reports/may.txt", Effect.ALLOW),
        ({"allow": ("files.read:path=/reports/*",)}, "/reports/2026/may.txt", Effect.DENY),
        ({"allow": ("files.read:path=/reports/**",)}, "/reports/2026/may.txt", Effect.ALLOW),
        ({"allow": ("files.read:path=/reports/*",)}, "/etc/passwd", Effect.DENY),
        ({"allow": ("files.read:path=/reports/*",)}, "/reports/../etc/passwd", Effect.DENY),
        ({"allow": ("files.read:path=/reports/*",)}, None, Effect.DENY),
        ({"allow": ("files.*",), "deny": ("files.read:path=/etc/*",)}, "/etc/passwd", Effect.DENY),
        ({"allow": ("files.*",), "deny": ("files.read:path=/etc/*",)}, "/etc/a/b", Effect.DENY),
        ({"allow": ("files.*",), "deny": ("files.read:path=/etc/*",)}, "/ETC/x", Effect.DENY),
        ({"allow": ("files.*",), "deny": ("files.read:path=/etc/*",)}, "/a/../etc/x", Effect.DENY),
        ({"allow": ("files.*",), "deny": ("files.read:path=/etc/*",)}, ["/home", "/etc/x"], 3),
        ({"allow": ("files.*",), "deny": ("files.read:path=/etc/*",)}, "/home", Effect.ALLOW),
        ({"allow": ("files.*",), "ask": ("files.read",)}, "/home", Effect.ASK),
        ({"ask": ("files.read:path=/tmp/*",)}, "/tmp/x", Effect.ASK),
        ({"ask": ("files.read:path=/tmp/*",)}, "../x", Effect.DENY),
        ({"allow": ("files.*",), "ask": ("files.read:path=/tmp/*",)}, "../x", Effect.ASK),
    ],
)
@criterion("STORY-044.2")
def test_deny_stands_above_ask_above_allow_above_nothing(
    texts: dict[str, tuple[str, ...]], path: object, outcome: Effect
) -> None:
    assert effect(path, **texts) == outcome


@criterion("STORY-044.4")
def test_the_strictest_of_all_levels_counts_and_each_says_why() -> None:
    own = granted(allow=("files.read:path=/srv/**",))
    server, policy = above("server", lists()), above("policy", lists(ask=("files.read",)))
    decision = decide(own, (server, policy), reading("/srv/docs/a"))
    assert decision.effect is Effect.ASK
    assert explained(decision) == (
        "the agent file allows it: files.read:path=/srv/**",
        "the server allows it, for no rule is against it",
        "the policy wants a person asked: files.read",
    )
    assert summary(decision) == "the call waits for a person"


def test_everything_that_hinders_every_call_is_told() -> None:
    config = evolve(AGENT, permissions=lists(deny=("files.*",)), tools=(ToolPattern("web.*"),))
    own = grant(config, [READ])
    server, policy = above("server", lists(allow=("web.fetch",))), above("policy", lists())
    found = hindrances(own, (server, policy), READ.name, "files is down")
    assert explained(Decision(Effect.DENY, hindering=found)) == (
        "the agent is not shown the tool",
        "nobody offers it: files is down",
        "the agent file does not list it in `tools`",
        "the agent file denies it: files.*",
        "the server has no rule under `allow` or `ask` that covers it",
    )


@given(permissions, levels, st.sampled_from([READ, WRITE]))
def test_a_tool_is_hidden_if_and_only_if_something_hinders(
    own: Permissions, above_it: list[Level], tool: Tool
) -> None:
    config = evolve(AGENT, permissions=own, tools=(ToolPattern("files.read"),))
    granted_ = grant(config, [tool], above_it)
    assert (tool.name in granted_.names) is not bool(hindrances(granted_, above_it, tool.name, ""))


def test_a_path_counts_where_it_really_leads() -> None:
    own = granted(allow=("files.read:path=/srv/docs/**",))
    call = reading("/srv/docs/link")
    assert looked_up(own, (), call) == {"/srv/docs", "/srv/docs/link"}
    outside = {"/srv/docs": "/srv/docs", "/srv/docs/link": "/etc/passwd"}
    moved = {"/srv/docs": "/data/docs", "/srv/docs/link": "/data/docs/real"}
    assert decide(own, (), call, outside).effect is Effect.DENY
    assert decide(own, (), call, moved).effect is Effect.ALLOW


def test_rules_about_different_arguments_are_alternatives_and_one_about_both_is_not() -> None:
    call = ToolCall("1", READ.name, JsonObject.of({"path": "/srv/a", "to": "/etc/b"}))
    either = granted(allow=("files.read:path=/srv/**", "files.read:to=/srv/**"))
    both = granted(allow=("files.read:path,to=/srv/**",))
    assert looked_up(both, (), call) == {"/srv", "/srv/a", "/etc/b"}
    assert decide(either, (), call).effect is Effect.ALLOW
    assert decide(both, (), call).effect is Effect.DENY


def test_what_an_argument_may_be_besides_decides_too() -> None:
    decoy = JsonObject.of({"filter.path": "/srv/x", "filter": [{"path": "/etc/passwd"}]})
    call = ToolCall("1", READ.name, decoy)
    allowing = granted(allow=("files.read:filter.path=/srv/**",))
    denying = granted(allow=("files.read",), deny=("files.read:filter.path=/etc/**",))
    assert decide(allowing, (), call).effect is Effect.DENY
    assert decide(denying, (), call).effect is Effect.DENY


def test_a_model_is_told_nothing_of_the_rules() -> None:
    call = reading("/etc/passwd")
    told = told_to_model(call, decide(granted(allow=("files.read:path=/srv/**",)), (), call))
    assert told.why == "this call of files.read is not permitted"
    assert told_to_model(call, decide(Grant(), (), call)).why == "there is no tool named files.read"


def test_without_conditions_nobody_looks_anything_up() -> None:
    assert not looked_up(granted(allow=("files.*",)), (), reading("/srv/x"))


@criterion("STORY-044.D2")
def test_a_decision_takes_less_than_a_tenth_of_a_millisecond() -> None:
    own = granted(allow=("files.read:path=/srv/**",), deny=("files.*:path=/srv/private/**",))
    over = (above("server", lists(deny=("files.*:path=/etc/**",))), above("policy", lists()))

    def seconds() -> float:
        """The processor's time: what else runs on the machine is not the price of a decision."""
        began = thread_time()
        for _ in range(100):
            decide(own, over, reading("/srv/docs/a"))
        return (thread_time() - began) / 100

    assert min(seconds() for _ in range(10)) < 100e-6


@given(st.lists(tools, max_size=4), permissions, sound_calls)
def test_nothing_is_called_that_was_not_shown(
    offered: list[Tool], written: Permissions, call: ToolCall
) -> None:
    config = evolve(AGENT, tools=(ToolPattern("files.*"),), permissions=written)
    own = grant(config, offered)
    if decide(own, (), call).effect is Effect.ALLOW:
        assert call.name in {tool.name for tool in own.tools}
        assert call.name.value.startswith("files.")
        assert any(rule.tool.covers(call.name) for rule in written.allow)
        assert not any(
            rule.tool.covers(call.name) for rule in written.deny if rule.condition is None
        )


@given(permissions, levels, calls, st.builds(above, st.just("one more"), permissions))
def test_one_more_level_never_permits_more(
    written: Permissions, over: list[Level], call: ToolCall, more: Level
) -> None:
    config = evolve(AGENT, tools=(ToolPattern("files.*"),), permissions=written)
    before = decide(grant(config, (READ, WRITE), over), over, call)
    after = decide(grant(config, (READ, WRITE), (*over, more)), (*over, more), call)
    assert after.effect >= before.effect


@given(permissions, levels, calls, st.sampled_from(RULES))
def test_one_more_denial_never_permits_more(
    written: Permissions, over: list[Level], call: ToolCall, rule: str
) -> None:
    stricter = evolve(written, deny=(*written.deny, PermissionRule(rule)))
    assert _decided(stricter, over, call).effect >= _decided(written, over, call).effect


def _decided(written: Permissions, over: list[Level], call: ToolCall) -> Decision:
    config = evolve(AGENT, tools=(ToolPattern("files.*"),), permissions=written)
    return decide(grant(config, (READ, WRITE), over), over, call)
