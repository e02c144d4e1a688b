"""Rules about what tools may reach: the folders and hosts in the conditions of permissions."""

import re
from collections.abc import Iterator
from ipaddress import IPv4Address, ip_address
from typing import Final

from caxton_core.agent.policy.finding import Found, found
from caxton_core.agent.policy.primitives import HostGlob, NameGlob, PathName
from caxton_core.agent.policy.rules.rule import Case, Rule
from caxton_core.primitives import PermissionRule, ToolPattern
from caxton_core.problems import Path

_WILD: Final = re.compile(r"[*?\[]")
_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://(?P<authority>[^/?#]*)")
_NUMERIC: Final = re.compile(
    r"(?:0x[0-9a-f]{1,8}|[0-9]{1,11})(?:\.(?:0x[0-9a-f]{1,8}|[0-9]{1,11})){0,3}"
)
_PORT: Final = re.compile(r":[0-9]*$")


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
    directories = tuple(each.value for each in rules.directories)
    for at, rule in _granted(case):
        if rule.condition is None or not any(_is_path(case, name) for name in rule.arguments):
            continue
        glob = rule.condition[1]
        secret = next((name for name in rules.secret_paths if _may_reach(glob, name)), None)
        if secret is not None:
            why = f"it may reach `{secret}`, which is in `access.secret_paths`"
            yield found(*at, rule=rule.value, why=why)
        elif directories and not any(_lies_in(glob, folder) for folder in directories):
            yield found(*at, rule=rule.value, why="it leaves the folders of `access.directories`")


def _literal(glob: str) -> str:
    """The text before the first wildcard."""
    return _WILD.split(glob, maxsplit=1)[0]


def _climbs(path: str) -> bool:
    return ".." in path.replace("\\", "/").split("/")


def _lies_in(glob: str, folder: str) -> bool:
    """Whether whatever fits the glob lies in the folder."""
    literal = _literal(glob)
    below = literal.startswith(f"{folder}/") or (glob == literal and literal == folder)
    return below and not _climbs(glob)


def _may_reach(glob: str, secret: PathName) -> bool:
    """Whether something that fits the glob may be the secret path, or lie in it."""
    glob, name = glob.replace("\\", "/"), secret.value
    if not name.startswith("/"):
        return _names_in_it(glob, NameGlob(name))
    literal, is_wild = _literal(glob), _WILD.search(glob) is not None
    plain = re.sub("/{2,}", "/", literal)
    return (
        f"{plain}/".startswith(f"{name}/")
        or (is_wild and name.startswith(plain))
        or (plain.startswith("/") and _climbs(glob))
    )


def _names_in_it(glob: str, name: NameGlob) -> bool:
    parts = [part for part in re.split(r"/", glob) if part]
    return any(name.covers(part) for part in parts if set(part) > {"*"} or not _WILD.search(part))


def _network(case: Case) -> Iterator[Found]:
    rules = case.policy.access
    for at, rule in _granted(case):
        if rule.condition is None or not any(_is_url(case, name) for name in rule.arguments):
            continue
        host = host_of(rule.condition[1])
        secret = next((each for each in rules.secret_hosts if _may_be(host, each)), None)
        if secret is not None:
            why = f"it may reach `{secret}`, which is in `access.secret_hosts`"
            yield found(*at, rule=rule.value, why=why)
        elif rules.hosts and not any(_is_below(host, each) for each in rules.hosts):
            yield found(*at, rule=rule.value, why="it leaves the hosts of `access.hosts`")


def host_of(glob: str) -> str:
    """The host that a glob over addresses names; a glob without one may name any."""
    url = _URL.match(glob)
    if url is None:
        return "*" if _WILD.search(glob) or "/" in glob else _plainly(_PORT.sub("", glob))
    authority = url["authority"].rpartition("@")[2].rpartition("\\")[2]
    bracketed, closed, _ = authority.partition("]")
    return _plainly(bracketed + closed if closed else _PORT.sub("", authority))


def _plainly(host: str) -> str:
    """The host in its usual form: every other way to write an address is read as that address."""
    name = host.lower().rstrip(".")
    try:
        address = ip_address(_number(name) if _NUMERIC.fullmatch(name) else name.strip("[]"))
    except ValueError:
        return name
    if isinstance(address, IPv4Address):
        return str(address)
    return f"[{address}]" if address.ipv4_mapped is None else str(address.ipv4_mapped)


def _number(name: str) -> int:
    """What an address of one to four numbers stands for; the last one fills what is left."""
    *first, last = (int(part, _base(part)) for part in name.split("."))
    whole = sum(part << (24 - 8 * place) for place, part in enumerate(first))
    return whole + last


def _base(part: str) -> int:
    if part.startswith("0x"):
        return 16
    return 8 if part.startswith("0") and part.isdecimal() and len(part) > 1 else 10


def _may_be(host: str, secret: HostGlob) -> bool:
    """Whether a host that fits may be the secret one."""
    name = secret.value.lower()
    literal = _literal(host)
    if literal != host:
        ending = host.removeprefix("*")
        return not ending.startswith(".") or "*" in ending or _ends(name, ending)
    if name.endswith(".*"):
        return host.startswith(name[:-1])
    return host == name or (name.startswith("*.") and host.endswith(name[1:]))


def _ends(name: str, ending: str) -> bool:
    return name.endswith(ending) or (name.startswith("*.") and ending.endswith(name[1:]))


def _is_below(host: str, listed: HostGlob) -> bool:
    """Whether every host that fits is listed."""
    name = listed.value.lower()
    if name.startswith("*."):
        plain = host.removeprefix("*")
        return plain.endswith(name[1:]) and not _WILD.search(plain)
    return host == name or (name.endswith(".*") and host.startswith(name[:-1]))


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
