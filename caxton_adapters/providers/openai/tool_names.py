"""Tool names on the wire, where a name has neither dots nor slashes nor more than 64 characters."""

import hashlib
import re
from collections.abc import Iterable

from returns.result import Failure

from caxton_core.primitives import ToolName
from caxton_core.tools.tool import Tool

LONGEST = 64
SEPARATOR = "__"
ESCAPES = {"-_": "-_h", ".": "-_d", "/": "-_s", "__": "-_u"}
EDGE = "-_e"
UNESCAPES = {escape: text for text, escape in ESCAPES.items()} | {EDGE: "_"}


def wire_name(name: ToolName) -> str:
    """`server.tool` as `server__tool`, with escapes for what would be ambiguous.

    `tool_name` reverses it. A name that becomes too long ends with a digest instead and is found
    only among the tools of its request.
    """
    server = re.sub("_$", EDGE, _escaped(name.server))
    tool = re.sub("^_", EDGE, _escaped(name.tool))
    whole = f"{server}{SEPARATOR}{tool}"
    if len(whole) <= LONGEST:
        return whole
    digest = hashlib.sha256(name.value.encode()).hexdigest()[:12]
    return f"{whole[: LONGEST - len(digest) - 1]}-{digest}"


def tool_name(wire: str, tools: Iterable[Tool]) -> ToolName | None:
    """The tool that a model means, offered or not; None where it is no tool's name at all."""
    for tool in tools:
        if wire in (wire_name(tool.name), tool.name.value):
            return tool.name
    server, _, name = wire.partition(SEPARATOR)
    read = ToolName.parse(f"{_unescaped(server)}.{_unescaped(name)}")
    return None if isinstance(read, Failure) else read.unwrap()


def _escaped(text: str) -> str:
    return re.sub(r"-_|__|[./]", lambda found: ESCAPES[found[0]], text)


def _unescaped(text: str) -> str:
    return re.sub("-_[hdsue]", lambda found: UNESCAPES[found[0]], text)
