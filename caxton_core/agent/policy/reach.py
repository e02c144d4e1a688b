"""What the condition of a permission may reach, by what it means and not by how it is written.

Of what nobody is sure is taken that it reaches everything: a path with `..`, a host that not every
program reads in the same way.
"""

import re
from typing import Final

from caxton_core.agent.policy.primitives import Directory, HostGlob, PathName
from caxton_core.primitives.addresses import address_glob, is_like_an_address
from caxton_core.primitives.wildcards import (
    ANY_DEPTH,
    begins_openly,
    may_meet,
    says_nothing,
    shortest,
    split,
)

_OPEN: Final = re.compile(r"[*?\[/]")
_NUMBERS: Final = re.compile(r"[0-9.]+")


def leaves_all_open(glob: str) -> bool:
    """Whether everything fits: all texts, all paths of some depth, or all hosts there are."""
    if glob.startswith("/") or not is_like_an_address(glob):
        names = split(glob) if "/" in glob else (glob,)
        return _climbs(glob) or all(map(says_nothing, names))
    addresses = address_glob(glob)
    return addresses is None or (addresses.host == "*" and all(map(says_nothing, addresses.names)))


def lies_in(glob: str, folder: Directory) -> bool:
    """Whether whatever fits the glob lies in the folder."""
    names, above = split(glob), split(folder.value)
    return glob.startswith("/") and not _climbs(glob) and names[: len(above)] == above


def may_reach(glob: str, secret: PathName) -> bool:
    """Whether something that fits the glob may be the secret path, or lie in it."""
    if _climbs(glob):
        return True
    if "/" not in glob:
        return _says_way(glob, secret)
    names, rooted = split(glob.replace("\\", "/")), secret.value.startswith("/")
    if rooted:
        return glob.startswith("/") and _leads_to(names, split(secret.value))
    return any(_names(name, secret.value) for name in set(names))


def _climbs(glob: str) -> bool:
    return ".." in glob.replace("\\", "/").split("/")


def _says_way(glob: str, secret: PathName) -> bool:
    """Whether a text of any form may lead to the secret: its wildcards stand for slashes too."""
    way = "*/".join(split(secret.value))
    before = ("*/",) if secret.value.startswith("/") else ("", "*/")
    return any(may_meet(glob, first + way + last) for first in before for last in ("", "/*"))


def _leads_to(names: tuple[str, ...], secret: tuple[str, ...]) -> bool:
    """Whether what fits the names, or a folder on its way, may be the secret path."""
    places = _onward({0}, names)
    for name in secret:
        through = {at for at in places if at < len(names) and names[at] == ANY_DEPTH}
        taken = {at + 1 for at in places - through if may_meet("".join(names[at : at + 1]), name)}
        places = _onward(through | taken, names)
    return bool(places)


def _onward(places: set[int], names: tuple[str, ...]) -> set[int]:
    """The places, and those behind folders of any number, for there may be none."""
    found = set(places)
    for at, name in enumerate(names):
        if at in found and name == ANY_DEPTH:
            found.add(at + 1)
    return found


def _names(name: str, secret: str) -> bool:
    """Whether a name of a glob means a secret one.

    One that begins in any way has to spell it: `*.md` fits `.env.md`, and nobody means that by it.
    """
    if not begins_openly(name):
        return may_meet(name, secret)
    if says_nothing(name):
        return False
    return may_meet(name, shortest(secret)) or may_meet(shortest(name), secret)


def host_of(glob: str) -> str:
    """The host that a glob over addresses means; `*` where it may be any, or nobody is sure."""
    has_scheme = is_like_an_address(glob)
    if glob.startswith("/") or (not has_scheme and _OPEN.search(glob)):
        return "*"
    addresses = address_glob(glob if has_scheme else f"*://{glob}")
    return "*" if addresses is None else addresses.host


def may_be(host: str, secret: HostGlob) -> bool:
    """Whether a host that fits may be the secret one."""
    name = _name_of(secret)
    if host.startswith("*"):
        return host == "*" or name.endswith(host[1:]) or _is_below(host, name)
    return _is_below(host, name)


def is_below(host: str, listed: HostGlob) -> bool:
    """Whether every host that fits is listed."""
    return _is_below(host, _name_of(listed))


def _name_of(listed: HostGlob) -> str:
    """The one form of the host that an operator listed."""
    read = address_glob(f"*://{listed.value}")
    return listed.value.lower() if read is None else read.host


def _is_below(host: str, name: str) -> bool:
    if name.startswith("*."):
        return host.endswith(name[1:])
    numbers = name.endswith(".*") and _NUMBERS.fullmatch(host) is not None
    return host == name or (numbers and host.startswith(name[:-1]))
