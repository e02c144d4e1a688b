"""Which tools an agent is shown, and which of its calls are made: deny > ask > allow > nothing."""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import final

from attrs import frozen

from caxton_core.agent.config import AgentConfig
from caxton_core.agent.sections import Permissions
from caxton_core.primitives import PermissionRule
from caxton_core.tools.tool import Tool, ToolCall, ToolFailed


@final
@frozen
class Grant:
    """The tools that an agent is shown, and its author's rules for calls of them."""

    tools: tuple[Tool, ...] = ()
    permissions: Permissions = Permissions()


def grant(config: AgentConfig, offered: Iterable[Tool]) -> Grant:
    """Of the offered tools those that the agent lists and may perhaps call."""
    permissions = config.permissions
    possible = (*permissions.allow, *permissions.ask)
    never = tuple(rule for rule in permissions.deny if rule.condition is None)
    shown = (
        tool
        for tool in offered
        if any(pattern.covers(tool.name) for pattern in config.tools)
        and any(rule.tool.covers(tool.name) for rule in possible)
        and not any(rule.tool.covers(tool.name) for rule in never)
    )
    return Grant(tuple(shown), permissions)


def refused(granted: Grant, call: ToolCall) -> ToolFailed | None:
    """Why the call is not made, in words for the model; None for a call that is allowed."""
    rules = granted.permissions
    if not any(tool.name == call.name for tool in granted.tools):
        return ToolFailed(call.id, f"there is no tool named {call.name.value}")
    if any(_forbids(rule, call) for rule in rules.deny):
        return ToolFailed(call.id, f"this call of {call.name.value} is denied")
    if any(_forbids(rule, call) for rule in rules.ask):
        return ToolFailed(call.id, f"a person has to confirm this call of {call.name.value}")
    if not any(_permits(rule, call) for rule in rules.allow):
        return ToolFailed(call.id, f"this call of {call.name.value} is not allowed")
    return None


def _permits(rule: PermissionRule, call: ToolCall) -> bool:
    """Whether the rule surely speaks of the call."""
    if not rule.tool.covers(call.name):
        return False
    condition = rule.condition
    if condition is None:
        return True
    argument, glob = condition
    value = _text(call, argument)
    return value is not None and fnmatchcase(value, glob) and not _climbs(value)


def _forbids(rule: PermissionRule, call: ToolCall) -> bool:
    """Whether the rule may speak of the call."""
    if not rule.tool.covers(call.name):
        return False
    condition = rule.condition
    if condition is None:
        return True
    argument, glob = condition
    value = _text(call, argument)
    return value is not None and (fnmatchcase(value, glob) or _climbs(value))


def _text(call: ToolCall, argument: str) -> str | None:
    value = call.arguments.members().get(argument)
    return None if value is None else str(value)


def _climbs(value: str) -> bool:
    """Whether a path in the value leads elsewhere than its text says."""
    return ".." in value.replace("\\", "/").split("/")
