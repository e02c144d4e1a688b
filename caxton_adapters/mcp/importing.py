"""Registrations out of the JSON files in which other clients keep theirs.

The `mcpServers` of Claude, Cursor and others, and the `servers` of VS Code.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Final, TypeAlias, final

from attrs import frozen
from returns.result import Failure, Result, Success

from caxton_adapters.mcp.registration import (
    RESERVED,
    Registration,
    beginning_where_nobody_meant,
)
from caxton_core.primitives import ServerName
from caxton_core.reading import wording
from caxton_core.reading.tables import read

Table: TypeAlias = Mapping[str, object]

_TABLES: Final = ("mcpServers", "servers")
_TAKEN: Final = ("command", "args", "env", "cwd", "url", "headers")
_SILENT: Final = frozenset({"type", "transport", "disabled", "enabled", "serverUrl"})
_OLD: Final = "sse"
_STRING_OR_COMMENT: Final = re.compile(r'"(?:\\.|[^"\\])*"|//[^\n]*|/\*.*?\*/', re.DOTALL)
_STRING_OR_COMMA: Final = re.compile(r'"(?:\\.|[^"\\])*"|,(?=\s*[}\]])', re.DOTALL)
_VARIABLE: Final = re.compile(
    r"\$\{(?:env:)?(?!workspaceFolder|userHome)([A-Za-z_][A-Za-z0-9_]*)(?::-[^}]*)?\}"
)
_ASKED: Final = re.compile(r"\$\{input:[^}]*\}")
_UNKNOWN: Final = re.compile(r"\$\{(?:workspaceFolder|userHome|[a-z]+:)[^}]*\}")


@final
@frozen
class LeftOut:
    """What was not taken over; an empty `key` speaks of the whole server."""

    server: str
    key: str
    why: str


@final
@frozen
class Imported:
    """The tables that register the servers, by name, and what they do not say.

    `renamed` are the names that those have in the file whose name cannot be had.
    """

    servers: Mapping[str, Table]
    left_out: tuple[LeftOut, ...] = ()
    renamed: Mapping[str, str] = {}


@final
@frozen
class NotImportable:
    """The file has no servers in it, as far as can be read."""

    why: str


def imported(text: str) -> Result[Imported, NotImportable]:
    """The servers of a file."""
    try:
        found: object = json.loads(_plain(text))
    except (ValueError, RecursionError) as error:
        return Failure(NotImportable(f"it is no JSON: {error}"))
    servers = _servers(found)
    if servers is None:
        return Failure(NotImportable("it has neither `mcpServers` nor `servers`"))
    taken: dict[str, Table] = {}
    renamed: dict[str, str] = {}
    left_out: list[LeftOut] = []
    for written, each in servers.items():
        name = _name(written, taken)
        table = _table(written, name, each, left_out)
        if table is not None:
            taken[name] = table
            if name != written:
                renamed[name] = written
    return Success(Imported(taken, tuple(left_out), renamed))


def _plain(text: str) -> str:
    """The text without comments and commas at ends, which some programs write."""
    if "//" in text or "/*" in text:
        text = _STRING_OR_COMMENT.sub(_kept_string, text)
    return _STRING_OR_COMMA.sub(_kept_string, text)


def _kept_string(found: re.Match[str]) -> str:
    return found[0] if found[0].startswith('"') else " "


def _servers(found: object) -> Mapping[str, object] | None:
    if not isinstance(found, dict):
        return None
    inner = found.get("mcp")
    tables = [found, *([inner] if isinstance(inner, dict) else [])]
    candidates = (table.get(key) for table in tables for key in _TABLES)
    return next((each for each in candidates if isinstance(each, dict)), None)


def _name(written: str, taken: Mapping[str, Table]) -> str:
    """The name, or the nearest one that can be had."""
    proposed = re.sub("[^A-Za-z0-9_-]+", "-", written).strip("-")
    if not proposed[:1].isalpha():
        proposed = f"server-{proposed}".strip("-")
    proposed = proposed[:60]
    if proposed in RESERVED:
        proposed = f"{proposed}-server"
    name, number = proposed, 2
    while name in taken:
        name, number = f"{proposed}-{number}", number + 1
    return ServerName(name).value


def _table(written: str, name: str, each: object, left_out: list[LeftOut]) -> Table | None:
    """The registration; where there can be none, why not, of the server as it is called there."""
    if not isinstance(each, dict):
        left_out.append(LeftOut(written, "", "it is no object"))
        return None
    table = dict(_taken(each))
    why = _why_not(each, table)
    if why is not None:
        left_out.append(LeftOut(written, "", why))
        return None
    checked = read(Registration, table)
    problem = (
        checked.failure()[0]
        if isinstance(checked, Failure)
        else next(beginning_where_nobody_meant(checked.unwrap()), None)
    )
    if problem is not None:
        at = ".".join(map(str, problem.at))
        left_out.append(LeftOut(written, at, wording.message(problem.what)))
        return None
    left_out += _unknown(name, each, table)
    return table


def _why_not(each: Mapping[str, object], table: Table) -> str | None:
    """Why the server as a whole is left out."""
    if _OLD in (each.get("type"), each.get("transport")):
        return "it speaks HTTP with SSE, which the protocol gave up; ask it for streamable HTTP"
    text = json.dumps(table)
    asked = sorted(set(_ASKED.findall(text)))
    if asked:
        return f"{', '.join(asked)} is asked for there; write it under [mcp.servers] in caxton.toml"
    variables = sorted({found[1] for found in _VARIABLE.finditer(text)})
    if variables:
        named = ", ".join(f"${{{name}}}" for name in variables)
        return (
            f"it needs {named} of the environment, whose value would be stored; "
            "write it under [mcp.servers] in caxton.toml, where references stay references"
        )
    if ("command" in table) == ("url" in table):
        return "it has not exactly one of `command` and `url`"
    return None


def _taken(each: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    for key in _TAKEN:
        value = each.get(key)
        if value not in (None, [], {}, ""):
            yield key, _with_texts(value)
    if "url" not in each and isinstance(each.get("serverUrl"), str):
        yield "url", each["serverUrl"]
    if each.get("disabled") is True or each.get("enabled") is False:
        yield "enabled", False


def _unknown(name: str, each: Mapping[str, object], table: Table) -> Iterator[LeftOut]:
    for key in each:
        if key not in _TAKEN and key not in _SILENT:
            yield LeftOut(name, str(key), "Caxton has nothing like it")
    for key, value in table.items():
        for reference in sorted(set(_UNKNOWN.findall(json.dumps(value)))):
            yield LeftOut(name, key, f"{reference} means nothing here and stays as it is")


def _with_texts(value: object) -> object:
    """The value with numbers and truth values in it as texts."""
    match value:
        case dict():
            return {str(key): _with_texts(_text(item)) for key, item in value.items()}
        case list():
            return [_with_texts(_text(item)) for item in value]
        case _:
            return value


def _text(value: object) -> object:
    """Numbers and truth values as the text that a variable has."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value
