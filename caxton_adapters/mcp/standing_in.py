"""A server that is called in place of another one, and the paths that mean the same at both."""

from collections.abc import Callable, Collection
from pathlib import Path
from typing import TypeAlias

from caxton_adapters.mcp.registration import Registration
from caxton_adapters.runtime.real_paths import real_paths
from caxton_core.primitives import JsonObject, ToolName
from caxton_core.tools.conditions import LONGEST_PATH, Real, texts_in
from caxton_core.tools.tool import ToolCall

Follow: TypeAlias = Callable[[ToolName, Collection[str]], Real]
MayStandIn: TypeAlias = Callable[[ToolCall, Follow], bool]
"""Whether the rules above the agents' files allow a call, which nobody has been asked about."""


def followed(written: Registration, paths: Collection[str]) -> Real:
    """Where paths lead for a server of this machine; nobody can follow those of one elsewhere."""
    if written.command is None:
        return {}
    own = written.cwd
    return real_paths(paths, "." if own is None else str(Path(own.value).expanduser()))


def followed_at_both(written: Registration, spare: Registration, paths: Collection[str]) -> Real:
    """The same, without the relative paths of which the other server would make another one."""
    here, there = followed(written, paths), followed(spare, paths)
    return {
        path: real for path, real in here.items() if path.startswith("/") or there.get(path) == real
    }


def leads_elsewhere(written: Registration, spare: Registration, arguments: JsonObject) -> bool:
    """Whether an absolute path in the arguments leads to another place at the other server."""
    paths = {text for text in texts_in(arguments.members()) if _is_absolute(text)}
    here, there = followed(written, paths), followed(spare, paths)
    return any(here.get(path, path) != there.get(path, path) for path in paths)


def _is_absolute(text: str) -> bool:
    return text.startswith("/") and len(text) <= LONGEST_PATH
