"""A server's tools as models see them: named after the server, with visible descriptions."""

import json
from collections.abc import Iterable, Mapping
from typing import final

from attrs import evolve, frozen
from returns.result import Failure

from caxton_adapters.mcp.listed import ListedTool
from caxton_adapters.mcp.registration import Registration
from caxton_adapters.mcp.said import LOG
from caxton_adapters.mcp.visible import one_line, visible
from caxton_core.primitives import JsonObject, ToolName
from caxton_core.tools.tool import Tool


@final
@frozen
class Described:
    """A tool, and the schema of its results if there is one."""

    tool: Tool
    returns: JsonObject | None = None


def described(
    server: str, written: Registration, listed: Iterable[ListedTool]
) -> tuple[Described, ...]:
    """The tools that agents can be offered; the log tells of the others."""
    found = (_described(server, written, tool) for tool in listed)
    return tuple(each for each in found if each is not None)


def as_written(tool: Tool, written: Registration) -> Tool:
    """The tool with what its server's registration says of it."""
    own = written.tools.get(tool.name.tool)
    wanted = None if own is None else own.idempotent
    return tool if wanted is None else evolve(tool, idempotent=wanted)


def _described(server: str, written: Registration, listed: ListedTool) -> Described | None:
    name = ToolName.parse(f"{server}.{listed.name}")
    if isinstance(name, Failure):
        _leave_out(server, listed, "its name is none for a tool")
        return None
    parameters = _parameters(listed.parameters)
    if parameters is None:
        _leave_out(server, listed, "its parameters are no schema of an object")
        return None
    repeatable = written.trust_annotations and listed.repeatable
    description = visible(listed.description)
    tool = Tool(name.unwrap(), description, parameters, repeatable)
    returns = None if listed.returns is None else _schema(listed.returns)
    return Described(as_written(tool, written), returns)


def _leave_out(server: str, listed: ListedTool, why: str) -> None:
    LOG.warning("%s: the tool %s is left out: %s", server, one_line(listed.name, 100), why)


def _parameters(schema: Mapping[str, object]) -> JsonObject | None:
    """The schema of an object; one that does not say so is completed."""
    if schema.get("type", "object") != "object":
        return None
    return _schema({**schema, "type": "object"})


def _schema(schema: Mapping[str, object]) -> JsonObject | None:
    try:
        text = json.dumps(schema, allow_nan=False)
    except (ValueError, TypeError, RecursionError):
        return None
    read = JsonObject.parse(text)
    return None if isinstance(read, Failure) else read.unwrap()
