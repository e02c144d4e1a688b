"""Rules about tools: which ones, how widely, and whether they are there at all."""

from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias

from caxton_core.agent.policy.facts import Facts
from caxton_core.agent.policy.finding import Found, found
from caxton_core.agent.policy.primitives import NameGlob
from caxton_core.agent.policy.reach import leaves_all_open
from caxton_core.agent.policy.rules.rule import Case, Rule
from caxton_core.primitives import PermissionRule, ToolPattern
from caxton_core.problems import Path
from caxton_core.reading.nearest import nearest

Named: TypeAlias = tuple[Path, ToolPattern, str]
"""Where tools are named, which they are, and the words that name them."""


def _named(case: Case) -> Iterator[Named]:
    """Every tool that the agent lists or may call."""
    for index, tool in enumerate(case.config.tools):
        yield ("tools", index), tool, tool.value
    permissions = case.config.permissions
    for name, rules in (("allow", permissions.allow), ("ask", permissions.ask)):
        for index, rule in enumerate(rules):
            yield ("permissions", name, index), rule.tool, rule.value


def server_of(tool: ToolPattern) -> str:
    """The server of the tools that the pattern names."""
    return tool.value.partition(".")[0]


def is_wildcard(tool: ToolPattern) -> bool:
    """Whether the pattern names all tools of a server."""
    return tool.value.endswith(".*")


def _wildcards(case: Case) -> Iterator[Found]:
    trusted = {server.value for server in case.policy.tools.trusted}
    for at, tool, written in _named(case):
        is_asked = at[:2] == ("permissions", "ask")
        if is_wildcard(tool) and not is_asked and server_of(tool) not in trusted:
            yield found(*at, pattern=written, server=server_of(tool))


def _unconditional(case: Case) -> Iterator[Found]:
    for index, rule in enumerate(case.config.permissions.allow):
        is_open = rule.condition is None or leaves_all_open(rule.condition[1])
        if is_open and not _is_overruled(case, rule):
            name = next((name for name in _meant(case, rule) if _is_sensitive(case, name)), None)
            if name is not None:
                yield found("permissions", "allow", index, rule=rule.value, tool=name)


def _is_overruled(case: Case, rule: PermissionRule) -> bool:
    """Whether a person is asked, or the call denied, whatever the rule allows."""
    stronger = (*case.config.permissions.ask, *case.config.permissions.deny)
    return any(each.condition is None and each.tool.covers(rule.tool) for each in stronger)


def _meant(case: Case, rule: PermissionRule) -> Iterator[str]:
    """The tools that a rule names, as far as they are known."""
    yield rule.tool.value
    if is_wildcard(rule.tool):
        known = (*case.facts.tools, *(tool.value for tool in case.config.tools))
        yield from (name for name in known if name.startswith(rule.tool.value[:-1]))


def _is_sensitive(case: Case, tool: str) -> bool:
    return any(glob.covers(tool) for glob in case.policy.tools.sensitive)


def _missing_deny(case: Case) -> Iterator[Found]:
    for needed in case.policy.tools.deny:
        concerned = tuple(_both(needed.tool, tool) for tool in case.config.tools)
        if any(tool is not None and not _is_denied(case, needed, tool) for tool in concerned):
            yield found("permissions", "deny", rule=needed.value)


def _both(one: ToolPattern, other: ToolPattern) -> ToolPattern | None:
    """The tools that both patterns name."""
    if one.covers(other):
        return other
    return one if other.covers(one) else None


def _is_denied(case: Case, needed: PermissionRule, tool: ToolPattern) -> bool:
    return any(
        rule.condition in (None, needed.condition) and rule.tool.covers(tool)
        for rule in case.config.permissions.deny
    )


def _forbidden(case: Case) -> Iterator[Found]:
    rules = case.policy.tools
    for at, tool, written in _named(case):
        never = next((glob.value for glob in rules.never if _may_mean(glob, tool)), None)
        if never is not None:
            yield found(*at, tool=written, why=f"`{never}` is in `tools.never`")
        elif rules.only and not any(glob.covers(tool.value) for glob in rules.only):
            yield found(*at, tool=written, why="it is not in `tools.only`")


def _may_mean(glob: NameGlob, tool: ToolPattern) -> bool:
    """Whether a tool that the glob names is among those of the pattern."""
    if not is_wildcard(tool):
        return glob.covers(tool.value)
    literal, wild, _ = glob.value.lower().partition("*")
    server = tool.value.lower()[:-1]
    return literal.startswith(server) or (bool(wild) and server.startswith(literal))


def unknown_servers(named: Iterable[Named], facts: Facts) -> Iterator[Found]:
    """Servers of tools that are not registered, each where it is named first."""
    known = facts.servers
    if known is None:
        return
    told: set[str] = set()
    for at, tool, written in named:
        server = server_of(tool)
        if server not in known and server not in told:
            told.add(server)
            shown = ", ".join(sorted(known)) or "none"
            yield found(
                *at, suggestion=nearest(server, known), pattern=written, server=server, known=shown
            )


def unknown_tools(named: Iterable[Named], facts: Facts) -> Iterator[Found]:
    """Tools that their server does not have, where its tools are known."""
    tools = facts.tools
    described = {name.partition(".")[0] for name in tools}
    for at, tool, _ in named:
        server = server_of(tool)
        if server in described and not is_wildcard(tool) and tool.value not in tools:
            of_server = [name for name in tools if name.startswith(f"{server}.")]
            meant = nearest(tool.value, of_server)
            yield found(*at, suggestion=meant, tool=tool.value, server=server)


TOOLS: Final = (
    Rule("CX1324", lambda policy: policy.tools.wildcards, _wildcards),
    Rule("CX1325", lambda policy: policy.tools.unconditional, _unconditional),
    Rule("CX1326", lambda policy: policy.tools.missing_deny, _missing_deny),
    Rule("CX1327", lambda policy: policy.tools.forbidden, _forbidden),
    Rule(
        "CX1328",
        lambda policy: policy.tools.unknown_servers,
        lambda case: unknown_servers(_named(case), case.facts),
    ),
    Rule(
        "CX1329",
        lambda policy: policy.tools.unknown_tools,
        lambda case: unknown_tools(_named(case), case.facts),
    ),
)
