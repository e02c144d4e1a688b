"""Which tools an agent is shown, and which of its calls are made: deny > ask > allow > nothing.

Three levels have a say, and all must agree: the agent's file, the server's settings, the policy of
the installation. The strictest verdict counts.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from enum import IntEnum
from types import MappingProxyType
from typing import Final, TypeAlias, final

from attrs import field, frozen

from caxton_core.agent.config import AgentConfig
from caxton_core.agent.sections import Permissions
from caxton_core.primitives import PermissionRule, ToolName, ToolPattern
from caxton_core.tools.conditions import Compiled, Real, compiled
from caxton_core.tools.tool import Tool, ToolCall

AGENT: Final = "agent file"
SERVER: Final = "server"
POLICY: Final = "policy"
NOBODY_LOOKED: Final[Real] = MappingProxyType({})


@final
class Effect(IntEnum):
    """What a level says of a call; the higher one is stricter."""

    ALLOW = 0
    ASK = 1
    NOTHING = 2
    DENY = 3


_Read: TypeAlias = tuple[PermissionRule, Compiled]


@final
@frozen
class _Rules:
    """The rules of a level that are about one tool."""

    deny: tuple[_Read, ...]
    ask: tuple[_Read, ...]
    allow: tuple[_Read, ...]
    conditional: bool
    """Whether one of them wants to know of the arguments."""


@final
@frozen
class Level:
    """Somebody's rules for calls; where it is `open`, what no rule names is allowed."""

    name: str
    rules: Permissions = Permissions()
    open: bool = False
    _by_tool: dict[ToolName, _Rules] = field(factory=dict, init=False, repr=False, eq=False)

    def about(self, tool: ToolName) -> _Rules:
        """The rules about a tool, found once."""
        known = self._by_tool.get(tool)
        if known is None:
            known = self._by_tool[tool] = _rules_about(self.rules, tool)
        return known


def _rules_about(permissions: Permissions, tool: ToolName) -> _Rules:
    deny, ask, allow = (
        tuple((rule, read) for rule in rules if (read := compiled(rule)).covers(tool))
        for rules in (permissions.deny, permissions.ask, permissions.allow)
    )
    conditional = any(read.condition for _, read in (*deny, *ask, *allow))
    return _Rules(deny, ask, allow, conditional)


def above(name: str, rules: Permissions) -> Level:
    """A level over the agents' files: without a list of what is allowed, it allows everything."""
    return Level(name, rules, open=not rules.allow)


@final
@frozen
class Verdict:
    """What one level says of a call; `rule` is the one that decided, if one did."""

    level: str
    effect: Effect
    rule: PermissionRule | None = None


@final
@frozen
class Absent:
    """Nobody offers the tool."""

    why: str


@final
@frozen
class Unlisted:
    """The agent's file does not list the tool."""


Hindrance: TypeAlias = Absent | Unlisted | Verdict
"""Why an agent is not shown a tool; a verdict stands for a level that never lets it be called."""


@final
@frozen
class Decision:
    """Whether a call is made, and what each level says of it.

    Without verdicts the agent is not shown the tool, for what is `hindering`.
    """

    effect: Effect
    verdicts: tuple[Verdict, ...] = ()
    hindering: tuple[Hindrance, ...] = ()


@final
@frozen
class Grant:
    """The tools that an agent is shown, and its author's rules for calls of them."""

    tools: tuple[Tool, ...] = ()
    permissions: Permissions = Permissions()
    listed: tuple[ToolPattern, ...] = ()
    names: frozenset[ToolName] = field(init=False, repr=False, eq=False)
    level: Level = field(init=False, repr=False, eq=False)

    @names.default
    def _names(self) -> frozenset[ToolName]:
        return frozenset(tool.name for tool in self.tools)

    @level.default
    def _level(self) -> Level:
        return Level(AGENT, self.permissions)


def grant(config: AgentConfig, offered: Iterable[Tool], levels: Sequence[Level] = ()) -> Grant:
    """Of the offered tools those that the agent lists and may perhaps call."""
    own = Level(AGENT, config.permissions)
    shown = (
        tool
        for tool in offered
        if any(pattern.covers(tool.name) for pattern in config.tools)
        and all(_possible(level, tool.name) for level in (own, *levels))
    )
    return Grant(tuple(shown), config.permissions, config.tools)


def hindrances(
    granted: Grant, levels: Sequence[Level], tool: ToolName, absent: str
) -> tuple[Hindrance, ...]:
    """Why the agent is not shown the tool; `absent` says why nobody offers it, or is empty."""
    said = (_never(level, tool) for level in (granted.level, *levels))
    return (
        *((Absent(absent),) if absent else ()),
        *(() if any(each.covers(tool) for each in granted.listed) else (Unlisted(),)),
        *(verdict for verdict in said if verdict is not None),
    )


def _possible(level: Level, tool: ToolName) -> bool:
    """Whether the level may let a call of the tool be made."""
    return _never(level, tool) is None


def _never(level: Level, tool: ToolName) -> Verdict | None:
    """What the level says of every call of the tool, if it lets none be made."""
    rules = level.about(tool)
    for rule, read in rules.deny:
        if read.condition is None:
            return Verdict(level.name, Effect.DENY, rule)
    possible = level.open or rules.allow or rules.ask
    return None if possible else Verdict(level.name, Effect.NOTHING)


def looked_up(granted: Grant, levels: Sequence[Level], call: ToolCall) -> frozenset[str]:
    """The paths that have to be looked up before the call can be decided."""
    return _sought((granted.level, *levels), call)


def _sought(levels: Sequence[Level], call: ToolCall) -> frozenset[str]:
    found = [level.about(call.name) for level in levels]
    conditions = [
        read
        for rules in found
        if rules.conditional
        for _, read in (*rules.deny, *rules.ask, *rules.allow)
    ]
    if not conditions:
        return frozenset()
    arguments = call.arguments.members()
    return frozenset(path for each in conditions for path in each.looks_up(arguments))


def decide(
    granted: Grant, levels: Sequence[Level], call: ToolCall, real: Real = NOBODY_LOOKED
) -> Decision:
    """Whether the call is made, whether a person is asked first, and why.

    `real` tells of the paths in `looked_up` where they lead.
    """
    if call.name not in granted.names:
        return Decision(Effect.DENY)
    arguments: Mapping[str, object] | None = None
    verdicts = []
    for level in (granted.level, *levels):
        rules = level.about(call.name)
        if rules.conditional and arguments is None:
            arguments = call.arguments.members()
        verdicts.append(_verdict(level, rules, arguments or {}, real))
    strictest = max(verdict.effect for verdict in verdicts)
    effect = Effect.DENY if strictest is Effect.NOTHING else strictest
    return Decision(effect, tuple(verdicts))


def allowed_by(
    levels: Sequence[Level], call: ToolCall, follow: Callable[[Collection[str]], Real]
) -> bool:
    """Whether every one of the levels allows the call by itself, without a person's word."""
    paths = _sought(levels, call)
    real = follow(paths) if paths else NOBODY_LOOKED
    arguments = call.arguments.members()
    verdicts = (_verdict(level, level.about(call.name), arguments, real) for level in levels)
    return all(verdict.effect is Effect.ALLOW for verdict in verdicts)


def _verdict(level: Level, rules: _Rules, arguments: Mapping[str, object], real: Real) -> Verdict:
    """What a level says; asking about a call of which it is not sure takes that it is allowed."""
    for rule, read in rules.deny:
        if read.forbids(arguments, real):
            return Verdict(level.name, Effect.DENY, rule)
    unsure = None
    for rule, read in rules.ask:
        if read.permits(arguments, real):
            return Verdict(level.name, Effect.ASK, rule)
        if unsure is None and read.forbids(arguments, real):
            unsure = rule
    allowing = next((rule for rule, read in rules.allow if read.permits(arguments, real)), None)
    if allowing is None and not level.open:
        return Verdict(level.name, Effect.NOTHING)
    if unsure is not None:
        return Verdict(level.name, Effect.ASK, unsure)
    return Verdict(level.name, Effect.ALLOW, allowing)
