"""Where paths really lead on this machine, for rules about them."""

import errno
import os
from collections.abc import Callable, Collection
from functools import cache
from typing import Final

from caxton_core.tools.conditions import OF_EACH_PROCESS, Real

MOST_LINKS: Final = 40
"""As many links of one path are followed, as Linux does."""
_NO_LINKS: Final = frozenset({errno.EINVAL, errno.ENOENT, errno.ENOTDIR, errno.EACCES})
"""What reading a link says of what is none, is not there, or is not for us to see."""


def real_paths(paths: Collection[str], directory: str | None = None) -> Real:
    """The paths with links followed; relative ones begin in the directory, if there is one.

    None stands for what cannot be followed: circles, impossible names, whatever leads through
    `/proc` or `/dev/fd`, for that is another place in every process, and a `..` that leads
    elsewhere for those who take it out of the text before they look. Relative paths without a
    directory, and `~`, are left out.
    """
    found: dict[str, str | None] = {}
    link = cache(_link)
    for path in paths:
        if path.startswith("/"):
            found[path] = _surely(path, link)
        elif directory is not None and not path.startswith("~"):
            whole = _whole(directory)
            found[path] = None if whole is None else _followed(f"{whole}/{path}", link)
    return found


def _surely(path: str, link_at: Callable[[str], str | None]) -> str | None:
    """Where the path leads, whether the system or the text decides what `..` goes back from."""
    found = _followed(path, link_at)
    if ".." in path.split("/") and found != _followed(os.path.normpath(path), link_at):
        return None
    return found


def _whole(directory: str) -> str | None:
    if directory.startswith("/"):
        return directory
    try:
        return f"{os.getcwd()}/{directory}"  # noqa: PTH109
    except OSError:  # somebody removed it
        return None


def _followed(path: str, link_at: Callable[[str], str | None]) -> str | None:
    """Where the path leads: what `os.path.realpath` finds, but for places of each process."""
    way, names, links = "", _backwards(path), 0
    while names:
        name = names.pop()
        folder, way = way, way.rpartition("/")[0] if name == ".." else f"{way}/{name}"
        link = "" if name == ".." else link_at(way)
        links += bool(link)
        if link is None or links > MOST_LINKS:
            return None
        if link:
            names += _backwards(link)
            way = "" if link.startswith("/") else folder
    return way or "/"


def _link(path: str) -> str | None:
    """What the link says; an empty text where there is none, None where nobody can tell."""
    if path in OF_EACH_PROCESS:
        return None
    try:
        return os.readlink(path)  # noqa: PTH115
    except ValueError:
        return None
    except OSError as problem:
        return "" if problem.errno in _NO_LINKS else None


def _backwards(path: str) -> list[str]:
    return [name for name in reversed(path.split("/")) if name not in ("", ".")]
