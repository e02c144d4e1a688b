"""Rules for calls that hold for all agents, and name what is not there."""

from collections.abc import Iterator
from typing import Final

from caxton_core.agent.policy.facts import Facts
from caxton_core.agent.policy.finding import Found, found, problem
from caxton_core.agent.policy.levels import Level
from caxton_core.agent.policy.rules.tools import Named, unknown_servers, unknown_tools
from caxton_core.agent.sections import Permissions
from caxton_core.primitives import PermissionRule, ToolPattern
from caxton_core.problems import Path, Problem
from caxton_core.reading.nearest import nearest

IDLE_RULE: Final = "CX2224"


def doubts(permissions: Permissions, facts: Facts) -> Iterator[Problem]:
    """Warn of every rule that speaks of no call, as far as the installation is known."""
    written = tuple(_written(permissions))
    named: tuple[Named, ...] = tuple((at, rule.tool, rule.value) for at, rule in written)
    conditions = (each for at, rule in written for each in _idle(at, rule, facts))
    for code, findings in (
        ("CX1328", unknown_servers(named, facts)),
        ("CX1329", unknown_tools(named, facts)),
        (IDLE_RULE, conditions),
    ):
        for finding in findings:
            told = problem(code, Level.WARNING, finding)
            if told is not None:
                yield told


def _written(permissions: Permissions) -> Iterator[tuple[Path, PermissionRule]]:
    lists = (("allow", permissions.allow), ("ask", permissions.ask), ("deny", permissions.deny))
    for name, rules in lists:
        for index, rule in enumerate(rules):
            yield ("permissions", name, index), rule


def _idle(at: Path, rule: PermissionRule, facts: Facts) -> Iterator[Found]:
    """A condition that no call fulfils: on an argument that is not there, or on no text at all."""
    if rule.condition is None:
        return
    argument, glob = rule.condition
    meant = [names for tool, names in facts.tools.items() if rule.tool.covers(ToolPattern(tool))]
    known = sorted(frozenset[str]().union(*meant))
    if not glob:
        yield found(*at, rule=rule.value, why="an empty glob is fulfilled by an empty text alone")
    elif meant and not any(_may_be(argument, name) for name in known):
        why = f"no tool that it names has an argument `{argument}`"
        yield found(*at, suggestion=nearest(argument, known), rule=rule.value, why=why)


def _may_be(argument: str, known: str) -> bool:
    """Whether the condition is on the argument, or on something in it."""
    return argument == known or argument.startswith(f"{known}.")
