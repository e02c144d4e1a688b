"""A server that is called in place of another one, and the paths that mean the same at both."""

from collections.abc import Callable, Collection
from typing import TypeAlias

from caxton_adapters.runtime.real_paths import real_paths
from caxton_core.primitives import JsonObject, ToolName
from caxton_core.tools.conditions import LONGEST_PATH, Real, texts_in
from caxton_core.tools.tool import ToolCall

Follow: TypeAlias = Callable[[ToolName, Collection[str]], Real]
MayStandIn: TypeAlias = Callable[[ToolCall, Follow], bool]
"""Whether the rules above the agents' files allow a call, which nobody has been asked about."""


def followed(directory: str | None, paths: Collection[str]) -> Real:
    """Where paths lead for a program that begins there; nobody knows it of a server elsewhere."""
    return {} if directory is None else real_paths(paths, directory)


def followed_at_both(here: str | None, there: str | None, paths: Collection[str]) -> Real:
    """The same, without the relative paths of which the other server would make another one."""
    own, other = followed(here, paths), followed(there, paths)
    return {
        path: real for path, real in own.items() if path.startswith("/") or other.get(path) == real
    }


def leads_elsewhere(here: str | None, there: str | None, arguments: JsonObject) -> bool:
    """Whether an absolute path in the arguments leads to another place at the other server."""
    paths = {text for text in texts_in(arguments.members()) if _is_absolute(text)}
    own, other = followed(here, paths), followed(there, paths)
    return any(own.get(path, path) != other.get(path, path) for path in paths)


def _is_absolute(text: str) -> bool:
    return text.startswith("/") and len(text) <= LONGEST_PATH
