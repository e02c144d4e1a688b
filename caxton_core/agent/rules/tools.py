"""Rules about tools and permissions."""

from collections.abc import Iterator
from typing import Final

from caxton_core.agent.config import AgentConfig
from caxton_core.agent.rules.rule import Rule, at
from caxton_core.agent.sections import Resources
from caxton_core.primitives import PermissionRule, ToolPattern
from caxton_core.problems import (
    PermissionWithoutTool,
    Problem,
    ShadowedPermission,
    ToolNotPermitted,
    UnboundedRounds,
    WithoutEffect,
)

_TOOLS: Final = (("tools",), ("permissions",))
_DEFAULT: Final = Resources()


def _overlap(one: ToolPattern, other: ToolPattern) -> bool:
    return one.covers(other) or other.covers(one)


def _permitted(config: AgentConfig) -> Iterator[Problem]:
    granted = (*config.permissions.allow, *config.permissions.ask)
    for index, tool in enumerate(config.tools):
        if not any(_overlap(rule.tool, tool) for rule in granted):
            yield at("tools", index)(ToolNotPermitted(tool.value))


def _listed(config: AgentConfig) -> Iterator[Problem]:
    lists = (("allow", config.permissions.allow), ("ask", config.permissions.ask))
    for name, rules in lists:
        for index, rule in enumerate(rules):
            if not any(_overlap(tool, rule.tool) for tool in config.tools):
                what = PermissionWithoutTool(rule.value, rule.tool.value)
                yield at("permissions", name, index)(what)


def _shadowed(config: AgentConfig) -> Iterator[Problem]:
    permissions = config.permissions
    yield from _covered("allow", permissions.allow, "deny", permissions.deny)
    yield from _covered("ask", permissions.ask, "deny", permissions.deny)
    yield from _covered("allow", permissions.allow, "ask", permissions.ask)


def _covered(
    name: str,
    rules: tuple[PermissionRule, ...],
    stronger: str,
    others: tuple[PermissionRule, ...],
) -> Iterator[Problem]:
    for index, rule in enumerate(rules):
        by = next((other for other in others if _covers(other, rule)), None)
        if by is not None:
            what = ShadowedPermission(rule.value, stronger, by.value)
            yield at("permissions", name, index)(what)


def _covers(stronger: PermissionRule, rule: PermissionRule) -> bool:
    if stronger.condition is None:
        return stronger.tool.covers(rule.tool)
    return stronger == rule


def _rounds(config: AgentConfig) -> Iterator[Problem]:
    resources = config.resources
    rounds = resources.max_tool_rounds
    if not config.tools:
        for key in ("tool_timeout", "max_tool_rounds"):
            if getattr(resources, key) != getattr(_DEFAULT, key):
                yield at("resources", key)(WithoutEffect(key, "the agent lists no tools"))
    elif rounds.value > _DEFAULT.max_tool_rounds.value and config.budget.tokens_per_turn is None:
        yield at("resources", "max_tool_rounds")(UnboundedRounds(rounds.value))


TOOLS: Final = (
    Rule(_TOOLS, _permitted),
    Rule(_TOOLS, _listed),
    Rule((("permissions",),), _shadowed),
    Rule((("tools",), ("resources",), ("budget", "tokens_per_turn")), _rounds),
)
