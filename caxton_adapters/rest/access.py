"""Which scope each route asks for: one table for hot and other routes, and nothing beside it.

A path that no rule knows is the administrator's, so that a new route is closed until it is
declared; a test holds the table against the description of the API.
"""

from collections.abc import Mapping, Sequence
from typing import Final, final

from attrs import frozen

from caxton_adapters.auth.scopes import EVERYTHING, Scope, Scopes

ONE: Final = "{}"
"""One part of a path, whatever it is."""
REST: Final = "**"
"""All parts that follow, at least one."""


@final
@frozen
class Rule:
    """Whoever has one of the scopes may use the methods on paths of this form.

    `costly` requests are counted against a limit of their own.
    """

    methods: str
    path: str
    scopes: Scopes
    costly: bool = False


def _any(*scopes: Scope) -> Scopes:
    return frozenset(scopes)


NOBODY: Final[Scopes] = frozenset()
"""Nothing is asked for: the route is open."""
_ADMIN: Final = _any(Scope.ADMIN)
_READ: Final = _any(Scope.READ)
_MESSAGE: Final = _any(Scope.MESSAGE)
_AGENTS: Final = _any(Scope.AGENTS_WRITE)
_APPROVE: Final = _any(Scope.APPROVE)
_MEMORY: Final = _any(Scope.MEMORY_WRITE)
_MCP: Final = _any(Scope.MCP_ADMIN)

RULES: Final[Sequence[Rule]] = (
    Rule("GET", "/", NOBODY),
    Rule("GET", "/health", NOBODY),
    Rule("GET", "/health/{}", NOBODY),
    Rule("GET", "/schema", NOBODY),
    Rule("GET", "/schema/", NOBODY),
    Rule("GET", "/schema/{}", NOBODY),
    Rule("GET", "/agents", _READ),
    Rule("POST", "/agents", _AGENTS, costly=True),
    Rule("GET", "/agents/{}", _READ),
    Rule("PUT", "/agents/{}", _AGENTS, costly=True),
    Rule("DELETE", "/agents/{}", _AGENTS),
    Rule("POST", "/agents/{}/start", _AGENTS),
    Rule("POST", "/agents/{}/stop", _AGENTS),
    Rule("POST", "/agents/{}/restart", _AGENTS, costly=True),
    Rule("POST", "/agents/{}/message", _MESSAGE),
    Rule("POST", "/agents/{}/why", _READ, costly=True),
    Rule("POST", "/validate", _READ | _AGENTS, costly=True),
    Rule("GET", "/capabilities", _READ | _MESSAGE),
    Rule("GET", "/capabilities/{}", _READ | _MESSAGE),
    Rule("POST", "/capabilities/{}/message", _MESSAGE),
    Rule("GET", "/messages", _READ),
    Rule("GET", "/messages/{}", _READ | _MESSAGE),
    Rule("DELETE", "/messages/{}", _MESSAGE),
    Rule("POST", "/messages/{}/retry", _MESSAGE),
    Rule("GET", "/conversations", _READ),
    Rule("GET", "/conversations/{}", _READ),
    Rule("GET", "/conversations/{}/export", _READ),
    Rule("POST", "/conversations/{}/reset", _MESSAGE | _AGENTS),
    Rule("DELETE", "/conversations/{}", _AGENTS),
    Rule("GET", "/providers", _READ),
    Rule("GET", "/providers/{}", _READ),
    Rule("GET", "/events", _READ),
    Rule("GET", "/problems/{}", EVERYTHING),
    Rule("GET", "/memory", _READ),
    Rule("DELETE", "/memory", _MEMORY),
    Rule("POST", "/memory/import", _MEMORY, costly=True),
    Rule("GET", "/memory/**", _READ),
    Rule("PUT DELETE", "/memory/**", _MEMORY),
    Rule("GET", "/approvals", _READ | _APPROVE),
    Rule("GET", "/approvals/**", _READ | _APPROVE),
    Rule("POST PUT DELETE", "/approvals/**", _APPROVE),
    Rule("GET", "/tools", _READ),
    Rule("GET", "/tools/**", _READ),
    Rule("POST PUT DELETE", "/tools/**", _MCP),
    Rule("GET", "/mcp", _READ),
    Rule("GET", "/mcp/**", _READ),
    Rule("POST PUT DELETE", "/mcp/**", _MCP, costly=True),
    Rule("GET", "/policy", _READ),
    Rule("GET", "/policy/**", _READ),
    Rule("POST", "/policy/check", _READ | _AGENTS, costly=True),
    Rule("POST", "/policy/reload", _ADMIN, costly=True),
    Rule("GET", "/tokens", _ADMIN),
    Rule("POST", "/tokens", _ADMIN, costly=True),
    Rule("DELETE", "/tokens/{}", _ADMIN, costly=True),
)
UNDECLARED: Final = Rule("*", "/**", _ADMIN)
_ASKED_FOR_METHODS: Final = Rule("OPTIONS", "/**", EVERYTHING)


def rule_for(method: str, path: str) -> Rule:
    """What is asked for; the administrator's where nothing else is declared."""
    if method == "OPTIONS":
        return _ASKED_FOR_METHODS
    method = "GET" if method == "HEAD" else method
    exact = _EXACT.get((method, path))
    if exact is not None:
        return exact
    parts = path.split("/")
    if "" in parts[1:]:
        return UNDECLARED
    named = _NAMED.get((method, *parts[:2], *parts[3:]) if len(parts) > _NAME else ())
    return named or _BELOW.get((method, *parts[:2]), UNDECLARED)


_NAME: Final = 2
"""The part of a path that names what it is about, where one does: the second after the slash."""


def _keyed(rules: Sequence[Rule], marked: str) -> Mapping[tuple[str, ...], Rule]:
    """The rules whose path has the mark in the place of a name, by the parts around it."""
    return {
        (method, *parts[:_NAME], *parts[_NAME + 1 :]): rule
        for rule in rules
        for method in rule.methods.split()
        if (parts := rule.path.split("/"))[_NAME:] and parts[_NAME] == marked
    }


_EXACT: Final = {
    (method, rule.path): rule
    for rule in RULES
    for method in rule.methods.split()
    if ONE not in rule.path and REST not in rule.path
}
_NAMED: Final = _keyed(RULES, ONE)
_BELOW: Final = _keyed(RULES, REST)
