"""What authors write for what the format means: older spellings, and keys of another place."""

from collections.abc import Iterator
from typing import Final, TypeAlias

from returns.result import Success

from caxton_core.agent.config import AgentConfig
from caxton_core.primitives import CapabilityName
from caxton_core.problems import (
    MisplacedKey,
    MovedKey,
    NormalisedCapability,
    OlderSpelling,
    Path,
    Problem,
)
from caxton_core.reading.layout import free_tables, tables
from caxton_core.reading.misplaced import TOP, unknown
from caxton_core.reading.written import is_short, toml_value

Table: TypeAlias = dict[str, object]
Spelled: TypeAlias = tuple[Table, tuple[Problem, ...]]

_OPERATOR: Final = "in the server's settings: agent files name what the operator configured"
_CREDENTIALS: Final = f"the key of the provider {_OPERATOR}"
_SERVERS: Final = f"tool servers {_OPERATOR}"
_ELSEWHERE: Final = {
    **dict.fromkeys(
        ("api_key", "apikey", "api_token", "token", "password", "secret"), _CREDENTIALS
    ),
    **dict.fromkeys(("base_url", "endpoint", "providers"), f"providers {_OPERATOR}"),
    **dict.fromkeys(("mcp", "mcp_servers", "command", "args", "env"), _SERVERS),
}
_TOP_KEYS: Final = tables(AgentConfig)[()]
_OF_FREE_TABLES: Final = frozenset({"version", "description"})


def as_meant(table: Table) -> Spelled:
    """The table in today's spelling, and what was said about the rest."""
    problems: list[Problem] = []
    for step in (_without_moved, _with_tools, _with_provider, _with_capabilities, _with_top_keys):
        table, found = step(table)
        problems.extend(found)
    return table, tuple(problems)


def _without_moved(table: Table) -> Spelled:
    llm = table.get("llm")
    inner = llm if isinstance(llm, dict) else {}
    problems = (
        *(_moved(key, (key,)) for key in table if key in _ELSEWHERE),
        *(_moved(key, ("llm", key)) for key in inner if key in _ELSEWHERE),
    )
    kept = {key: value for key, value in table.items() if key not in _ELSEWHERE}
    if inner:
        kept["llm"] = {key: value for key, value in inner.items() if key not in _ELSEWHERE}
    return kept, problems


def _moved(key: str, at: Path) -> Problem:
    return Problem(at, MovedKey(key, _ELSEWHERE[key]))


def _with_tools(table: Table) -> Spelled:
    tools = table.get("tools")
    if not isinstance(tools, dict) or "available" not in tools:
        return table, ()
    meant = f"tools = {toml_value(tools['available'])}" if is_plain_list(tools) else "tools = [...]"
    others = (
        Problem(("tools", key), unknown(key, ("tools",), ("available",), tables(AgentConfig)))
        for key in tools
        if key != "available"
    )
    older = Problem(("tools", "available"), OlderSpelling("[tools] available", meant))
    return {**table, "tools": tools["available"]}, (older, *others)


def is_plain_list(tools: dict[str, object]) -> bool:
    """Whether the older list of tools is short enough to be shown."""
    available = tools["available"]
    return isinstance(available, list) and all(is_short(item) for item in available[:20])


def _with_provider(table: Table) -> Spelled:
    llm = table.get("llm")
    if not isinstance(llm, dict) or "provider" not in llm:
        return table, ()
    named = llm["provider"]
    shown = toml_value(named) if isinstance(named, str) and is_short(named) else '"..."'
    moved = MovedKey("provider", f"llm_provider = {shown} at the top level")
    rest = {key: value for key, value in llm.items() if key != "provider"}
    return {**table, "llm": rest}, (Problem(("llm", "provider"), moved),)


def _with_capabilities(table: Table) -> Spelled:
    written = table.get("capabilities")
    if not isinstance(written, list):
        return table, ()
    meant = [_capability(item) for item in written]
    problems = tuple(
        Problem(("capabilities", index), NormalisedCapability(str(was), str(now)))
        for index, (was, now) in enumerate(zip(written, meant, strict=True))
        if was is not now
    )
    return {**table, "capabilities": meant}, problems


def _capability(written: object) -> object:
    if not isinstance(written, str):
        return written
    read = CapabilityName.normalised(written)
    if isinstance(read, Success) and read.unwrap().value != written:
        return read.unwrap().value
    return written


def _with_top_keys(table: Table) -> Spelled:
    """Top-level keys that slid below [parameters] or [metadata], where any key is allowed."""
    return table, tuple(
        problem for name in free_tables(AgentConfig) for problem in _slid_into(name, table)
    )


def _slid_into(name: str, table: Table) -> Iterator[Problem]:
    free = table.get(name)
    for key in free if isinstance(free, dict) else ():
        if key in _TOP_KEYS and key not in table and key not in _OF_FREE_TABLES:
            yield Problem((name, key), MisplacedKey(key, f"[{name}]", TOP))
