"""What a permission says of an argument: a glob over texts, over paths, or over URLs.

Paths are compared as they really are on the disk, as far as somebody looked (`real`), and URLs by
scheme, host, port and path. What cannot be compared for sure is never allowed and always denied.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Final, TypeAlias, final

from attrs import field, frozen

from caxton_core.primitives import PermissionRule, ToolName

Real: TypeAlias = Mapping[str, str]
"""Paths as they were written, and where they really lead."""

ANY_DEPTH: Final = "**"
LONGEST_PATH: Final = 4096
LONGEST_URL: Final = 8192
"""Beyond these lengths nobody is sure of anything, and comparing takes no time."""
_WILD: Final = re.compile(r"[*?\[]")
_URL: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*|\*)://([^/?#\\]*)([^?#\\]*)([?#][^\\]*)?")
_AUTHORITY: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:@\[\]\s]+)(?::([0-9]{1,5}))?")
_NUMERIC_HOST: Final = re.compile(r"(0x[0-9a-f]*|[0-9]+)(\.(0x[0-9a-f]*|[0-9]+))*")
_PLAIN_IPV4: Final = re.compile(r"(?:(?:0|[1-9][0-9]{0,2})\.){3}(?:0|[1-9][0-9]{0,2})")
_UNSURE_PATH: Final = re.compile(r"%(2e|2f|5c|00)", re.IGNORECASE)
_DEVIATING: Final = frozenset("\u00df\u03c2\u200c\u200d")
"""Letters of host names of which not every library makes the same name."""
_PORTS: Final = {"http": "80", "https": "443", "ws": "80", "wss": "443", "ftp": "21"}


@final
@frozen
class TextGlob:
    """Any text; `*` is any part of it."""

    glob: str

    def permits(self, value: str, _: Real) -> bool:
        """Whether the text surely matches."""
        return fnmatchcase(value, self.glob)

    def forbids(self, value: str, _: Real) -> bool:
        """Whether the text may match."""
        return fnmatchcase(value.casefold(), self.glob.casefold())


@final
@frozen
class PathGlob:
    """An absolute path; `*` is any part of one name, `**` any number of folders.

    `base` is the folder before the first wildcard.
    """

    base: str
    rest: tuple[str, ...]
    written: tuple[str, ...] = field(init=False, repr=False, eq=False)

    @written.default
    def _folded(self) -> tuple[str, ...]:
        return _folded((*_split(self.base), *self.rest))

    def permits(self, value: str, real: Real) -> bool:
        """Whether the path surely lies there."""
        names = _names_of(value, real)
        return names is not None and _lies(names, self._glob(real))

    def forbids(self, value: str, real: Real) -> bool:
        """Whether the path, or a folder in which it lies, may be meant."""
        names = _names_of(value, real)
        if names is None:
            return True
        globs = {self.written, _folded(self._glob(real))}
        ways = {_folded(names), _folded(_lexical(value) or names)}
        return any(_lies_below(way, glob) for way in ways for glob in globs)

    def _glob(self, real: Real) -> tuple[str, ...]:
        return (*_split(real.get(self.base, self.base)), *self.rest)


@final
@frozen
class UrlGlob:
    """Addresses of a scheme at a host: `*` is any host, `*.example.org` any below it."""

    scheme: str
    host: str
    port: str | None
    path: tuple[str, ...]

    def permits(self, value: str, _: Real) -> bool:
        """Whether the address surely lies there."""
        url = _url(value)
        return (
            url is not None
            and self._reaches(url)
            and url.port == (self.port or _PORTS.get(url.scheme))
            and not url.unsure
            and _lies(url.path, self.path)
        )

    def forbids(self, value: str, _: Real) -> bool:
        """Whether the address may lie there."""
        url = _url(value)
        if url is None:
            return True
        return (
            self._reaches(url)
            and self.port in (None, url.port)
            and (url.unsure or _lies_below(_folded(url.path), _folded(self.path)))
        )

    def _reaches(self, url: "_Url") -> bool:
        if self.scheme not in ("*", url.scheme):
            return False
        if self.host.startswith("*."):
            return url.host.endswith(self.host[1:])
        return self.host in ("*", url.host)


Condition: TypeAlias = TextGlob | PathGlob | UrlGlob


@final
@frozen
class Compiled:
    """A permission, read once: the tools it covers, and what it says of an argument."""

    tool: str
    argument: str = ""
    condition: Condition | None = None

    def covers(self, name: ToolName) -> bool:
        """Whether the permission is about the tool."""
        if self.tool.endswith("*"):
            return name.value.startswith(self.tool[:-1])
        return name.value == self.tool

    def looks_up(self, arguments: Mapping[str, object]) -> Iterator[str]:
        """The paths of which somebody has to say where they really lead."""
        if isinstance(self.condition, PathGlob):
            yield self.condition.base
            texts = _texts(_member(arguments, self.argument))
            yield from (text for text in texts if len(text) <= LONGEST_PATH)

    def permits(self, arguments: Mapping[str, object], real: Real) -> bool:
        """Whether the permission surely speaks of a call with the arguments."""
        condition = self.condition
        if condition is None:
            return True
        value = _member(arguments, self.argument)
        if isinstance(value, Mapping):
            return False
        texts = tuple(_texts(value))
        return bool(texts) and all(condition.permits(text, real) for text in texts)

    def forbids(self, arguments: Mapping[str, object], real: Real) -> bool:
        """Whether the permission may speak of a call with the arguments."""
        condition = self.condition
        if condition is None:
            return True
        texts = _texts(_member(arguments, self.argument))
        return any(condition.forbids(text, real) for text in texts)


@lru_cache(maxsize=4096)
def compiled(rule: PermissionRule) -> Compiled:
    """The permission as it is compared with calls."""
    tool, _, condition = rule.value.partition(":")
    argument, equals, glob = condition.partition("=")
    return Compiled(tool, argument, _condition(glob)) if equals else Compiled(tool)


def _condition(glob: str) -> Condition:
    if glob.startswith("/"):
        return _path_glob(glob)
    return _url_glob(glob) or TextGlob(glob)


def _path_glob(glob: str) -> PathGlob:
    names = _split(glob)
    literal = next((n for n, name in enumerate(names) if _WILD.search(name)), len(names))
    return PathGlob("/" + "/".join(names[:literal]), names[literal:])


def _url_glob(glob: str) -> UrlGlob | None:
    parts = _URL.fullmatch(glob)
    authority = parts and _AUTHORITY.fullmatch(parts[2])
    if parts is None or authority is None:
        return None
    path = _split(parts[3]) if parts[3] not in ("", "/") else (ANY_DEPTH,)
    below = "*." if authority[1].startswith("*.") else ""
    host = _host(authority[1].removeprefix(below))
    return UrlGlob(parts[1].lower(), below + host, authority[2], path) if host else None


def _member(arguments: Mapping[str, object], name: str) -> object:
    """An argument by its name, or by the way to it in the objects that hold it: `filter.path`."""
    if name in arguments:
        return arguments[name]
    head, dot, rest = name.partition(".")
    inner = arguments.get(head)
    return _member(inner, rest) if dot and isinstance(inner, Mapping) else None


def _texts(value: object) -> Iterator[str]:
    """Every text in the value; numbers and truths as JSON writes them."""
    match value:
        case None:
            return
        case str():
            yield value
        case bool():
            yield "true" if value else "false"
        case Mapping():
            for inner in value.values():
                yield from _texts(inner)
        case list() | tuple():
            for item in value:
                yield from _texts(item)
        case _:
            yield str(value)


def _names_of(value: str, real: Real) -> tuple[str, ...] | None:
    """The names on the way to where a path leads; None where nobody can be sure."""
    if len(value) > LONGEST_PATH:
        return None
    found = real.get(value)
    return _lexical(value) if found is None else _split(found)


def _lexical(value: str) -> tuple[str, ...] | None:
    if not value.startswith("/") or "\0" in value or "\\" in value:
        return None
    names = _split(value)
    return None if ".." in names else names


def _split(path: str) -> tuple[str, ...]:
    return tuple(name for name in path.split("/") if name not in ("", "."))


def _folded(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(name.casefold() for name in names)


def _lies(names: Sequence[str], glob: Sequence[str]) -> bool:
    """Whether the whole path matches."""
    return len(names) in _reached(names, glob)


def _lies_below(names: Sequence[str], glob: Sequence[str]) -> bool:
    """Whether the path or one of its folders matches."""
    return bool(_reached(names, glob))


def _reached(names: Sequence[str], glob: Sequence[str]) -> set[int]:
    """After how many names the glob may be at its end."""
    places = {0}
    for pattern in glob:
        if pattern == ANY_DEPTH:
            places = set(range(min(places), len(names) + 1))
        else:
            places = {
                place + 1
                for place in places
                if place < len(names) and fnmatchcase(names[place], pattern)
            }
        if not places:
            break
    return places


@final
@frozen
class _Url:
    """An address in parts; `unsure` where servers read its path in different ways."""

    scheme: str
    host: str
    port: str | None
    path: tuple[str, ...]
    unsure: bool


def _url(text: str) -> _Url | None:
    """The address, or None where two libraries might read two of it."""
    parts = _URL.fullmatch(text) if len(text) <= LONGEST_URL else None
    if parts is None or parts[1] == "*" or re.search(r"[\s\x00-\x1f\x7f]", text):
        return None
    authority = _AUTHORITY.fullmatch(parts[2])
    host = authority and _host(authority[1])
    if authority is None or not host:
        return None
    scheme, names = parts[1].lower(), _split(parts[3])
    unsure = ".." in names or bool(_UNSURE_PATH.search(parts[3]))
    return _Url(scheme, host, authority[2] or _PORTS.get(scheme), names, unsure)


def _host(written: str) -> str | None:
    if not written.isascii():
        if _DEVIATING & set(written):
            return None
        try:
            written = written.encode("idna").decode("ascii")
        except UnicodeError:
            return None
    host = written.lower().rstrip(".")
    if "%" in host or (_NUMERIC_HOST.fullmatch(host) and not _PLAIN_IPV4.fullmatch(host)):
        return None
    return host
