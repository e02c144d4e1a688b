"""Deciding about a call of a tool: three levels of rules, with conditions over real paths."""

import os
from collections.abc import Iterator
from functools import partial

from attrs import evolve

from caxton_adapters.runtime.real_paths import real_paths
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
from caxton_core.tools.permission import Effect, Grant, Level, above, decide, grant, looked_up
from caxton_core.tools.tool import Tool, ToolCall
from tests.benchmarks.effort import Effort
from tests.benchmarks.figures import AtMost, Baseline, Figure, in_turns
from tests.benchmarks.repeating import seconds_per_call

_MICROSECONDS = 1e6
_OF_A_LINK = "/usr/lib/os-release"
_OTHERS = tuple(f"server-{number}.tool:path=/srv/{number}/**" for number in range(50))


def measure(effort: Effort) -> Iterator[Figure]:
    """A rule over tools alone, and rules over paths as they really are on the disk."""
    plain, conditional = _clerk("files.read"), _clerk("files.read:path=/usr/lib/**")
    server = above("server", _rules(allow=(*_OTHERS, "files.*")))
    policy = above("policy", _rules(deny=(*_OTHERS, "files.*:path=/etc/**")))
    call = ToolCall("1", ToolName("files.read"), JsonObject.of({"path": _OF_A_LINK}))
    _check(plain, conditional, (server, policy), call)
    few, many, bare = in_turns(
        effort.blocks * 3,
        partial(seconds_per_call, partial(decide, plain, (server,), call), effort.calls),
        partial(
            seconds_per_call,
            partial(_decided, conditional, (server, policy), call),
            max(5, effort.calls // 4),
        ),
        partial(seconds_per_call, partial(os.path.realpath, _OF_A_LINK), max(5, effort.calls // 4)),
    )
    yield Figure(
        "permission check, rules over tools",
        few.middle * _MICROSECONDS,
        "µs",
        must=AtMost(100),
        aim=AtMost(10),
        note="two levels, 50 other rules",
    )
    yield Figure(
        "permission check, rules over paths that are looked up",
        many.middle * _MICROSECONDS,
        "µs",
        Baseline(bare.middle * _MICROSECONDS, "following the links alone"),
        must=AtMost(100),
        note="three levels, links followed on the disk",
    )


def _decided(granted: Grant, levels: tuple[Level, ...], call: ToolCall) -> Effect:
    real = real_paths(looked_up(granted, levels, call))
    return decide(granted, levels, call, real).effect


def _check(plain: Grant, conditional: Grant, levels: tuple[Level, ...], call: ToolCall) -> None:
    """What is measured lets the call through, and another one not."""
    assert decide(plain, levels[:1], call).effect is Effect.ALLOW
    assert _decided(conditional, levels, call) is Effect.ALLOW
    elsewhere = evolve(call, arguments=JsonObject.of({"path": "/etc/passwd"}))
    assert _decided(conditional, levels, elsewhere) is Effect.DENY


def _rules(**lists: tuple[str, ...]) -> Permissions:
    return Permissions(**{name: tuple(map(PermissionRule, each)) for name, each in lists.items()})


def _clerk(allowed: str) -> Grant:
    config = AgentConfig(AgentName("clerk"), SystemPrompt("You file."))
    config = evolve(config, tools=(ToolPattern("files.*"),), permissions=_rules(allow=(allowed,)))
    return grant(config, (Tool(ToolName("files.read"), "Reads.", JsonObject("{}")),))
