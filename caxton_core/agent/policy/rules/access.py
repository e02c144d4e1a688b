"""Rules about what tools may reach: the folders and hosts in the conditions of permissions."""

from collections.abc import Iterator
from typing import Final

from caxton_core.agent.policy.finding import Found, found
from caxton_core.agent.policy.reach import host_of, is_below, lies_in, may_be, may_reach
from caxton_core.agent.policy.rules.rule import Case, Rule
from caxton_core.primitives import PermissionRule, ToolPattern
from caxton_core.problems import Path


def _granted(case: Case) -> Iterator[tuple[Path, PermissionRule]]:
    """What is allowed, or allowed once a person agrees."""
    permissions = case.config.permissions
    for name, rules in (("allow", permissions.allow), ("ask", permissions.ask)):
        for index, rule in enumerate(rules):
            yield ("permissions", name, index), rule


def _is_path(case: Case, argument: str) -> bool:
    return any(glob.covers(argument) for glob in case.policy.access.path_arguments)


def _is_url(case: Case, argument: str) -> bool:
    return any(glob.covers(argument) for glob in case.policy.access.url_arguments)


def _files(case: Case) -> Iterator[Found]:
    rules = case.policy.access
    for at, rule in _granted(case):
        if rule.condition is None or not any(_is_path(case, name) for name in rule.arguments):
            continue
        glob = rule.condition[1]
        secret = next((name for name in rules.secret_paths if may_reach(glob, name)), None)
        if secret is not None:
            why = f"it may reach `{secret}`, which is in `access.secret_paths`"
            yield found(*at, rule=rule.value, why=why)
        elif rules.directories and not any(lies_in(glob, each) for each in rules.directories):
            yield found(*at, rule=rule.value, why="it leaves the folders of `access.directories`")


def _network(case: Case) -> Iterator[Found]:
    rules = case.policy.access
    for at, rule in _granted(case):
        if rule.condition is None or not any(_is_url(case, name) for name in rule.arguments):
            continue
        host = host_of(rule.condition[1])
        secret = next((each for each in rules.secret_hosts if may_be(host, each)), None)
        if secret is not None:
            why = f"it may reach `{secret}`, which is in `access.secret_hosts`"
            yield found(*at, rule=rule.value, why=why)
        elif rules.hosts and not any(is_below(host, each) for each in rules.hosts):
            yield found(*at, rule=rule.value, why="it leaves the hosts of `access.hosts`")


def _unconditional(case: Case) -> Iterator[Found]:
    for at, rule in _granted(case):
        for kind in _unbounded(case, rule):
            yield found(*at, rule=rule.value, kind=kind)


def _unbounded(case: Case, rule: PermissionRule) -> Iterator[str]:
    """What the tools take and the rule says nothing of, where the policy bounds it."""
    access, named = case.policy.access, rule.arguments
    if not (access.directories or access.hosts):
        return
    free = sorted(set(_arguments(case, rule)) - set(named))
    paths = [name for name in free if access.directories and _is_path(case, name)]
    urls = [name for name in free if access.hosts and _is_url(case, name) and name not in paths]
    yield from (f"a path: `{name}`" for name in paths)
    yield from (f"an address: `{name}`" for name in urls)
    bounded = any(_is_path(case, name) or _is_url(case, name) for name in named)
    if not (paths or urls or bounded) and _reaches(case, rule):
        yield "a path or an address"


def _arguments(case: Case, rule: PermissionRule) -> Iterator[str]:
    """The arguments of the tools that the rule names, as far as these are known."""
    for name, arguments in case.facts.tools.items():
        if rule.tool.covers(ToolPattern(name)):
            yield from arguments


def _reaches(case: Case, rule: PermissionRule) -> bool:
    """Whether the tool is one that reaches something, where its definition is not known."""
    if rule.tool.value in case.facts.tools:
        return False
    return any(glob.covers(rule.tool.value) for glob in case.policy.access.tools)


ACCESS: Final = (
    Rule("CX1337", lambda policy: policy.access.files, _files),
    Rule("CX1338", lambda policy: policy.access.network, _network),
    Rule("CX1339", lambda policy: policy.access.unconditional, _unconditional),
)
