"""What a permission says of an argument: a glob over texts, over paths, or over addresses.

Paths are compared as they really are on the disk, as far as somebody looked (`real`), and addresses
by scheme, host, port and path. What cannot be compared for sure is never allowed and always denied.
"""

import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Final, TypeAlias, final

from attrs import field, frozen

from caxton_core.primitives import PermissionRule, ToolName
from caxton_core.primitives.addresses import (
    PORTS,
    Address,
    AddressGlob,
    address_glob,
    address_of,
    is_like_an_address,
    unescaped,
)
from caxton_core.tools.matching import ANY_DEPTH, alike, lies, may_lie_below, split

Real: TypeAlias = Mapping[str, str | None]
"""Paths as they were written, and where they really lead; None where that could not be followed.

Of a path that is not in it nobody knows more than how it is written.
"""

LONGEST_PATH: Final = 4096
"""Beyond this length nobody is sure of anything, and comparing takes no time."""
OF_EACH_PROCESS: Final = frozenset({"/proc", "/dev/fd"})
"""Folders in which every process finds something else."""
_OF_EACH_PROCESS: Final = frozenset(map(split, OF_EACH_PROCESS))
_WILD: Final = re.compile(r"[*?\[]")
_WITH_A_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:/|file:", re.IGNORECASE)


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
        return alike(value, self.glob)


@final
@frozen
class PathGlob:
    """Paths: `*` is any part of one name, `**` any number of folders.

    `base` is the folder before the first wildcard. A relative glob begins where the tool does, and
    where that is nobody knows for sure: of a glob and a path, one of them relative, nobody does.
    """

    glob: str
    base: str
    rest: tuple[str, ...]
    written: tuple[str, ...] = field(init=False, repr=False, eq=False)
    relative: bool = field(init=False, repr=False, eq=False)

    @written.default
    def _names(self) -> tuple[str, ...]:
        return (*split(self.base), *self.rest)

    @relative.default
    def _is_relative(self) -> bool:
        return not self.base.startswith("/")

    def permits(self, value: str, real: Real) -> bool:
        """Whether the path surely lies there."""
        names, glob = self._way(value, real), self._glob(real)
        if names is None or glob is None or not lies(names, glob):
            return False
        return not self.relative or lies(split(value), self.written)

    def forbids(self, value: str, real: Real) -> bool:
        """Whether the path, or a folder in which it lies, may be meant."""
        names, glob = self._way(value, real), self._glob(real)
        if names is None or glob is None:
            return True
        ways = {names, _lexical(value, relative=self.relative) or names}
        globs = {glob, self.written}
        return any(may_lie_below(way, each) for way in ways for each in globs) or (
            self.relative and alike(value, self.glob)
        )

    def _glob(self, real: Real) -> tuple[str, ...] | None:
        base = real.get(self.base, self.base)
        names = None if base is None else (*split(base), *self.rest)
        return None if names is None or ".." in names else names

    def _way(self, value: str, real: Real) -> tuple[str, ...] | None:
        """The names on the way to where a path leads; None where nobody can be sure."""
        if len(value) > LONGEST_PATH or _WITH_A_SCHEME.match(value):
            return None
        if value.startswith("/") == self.relative:
            return None
        if value not in real:
            followed = self.relative and real.get(self.base) is not None
            return None if followed else _lexical(value, relative=self.relative)
        found = real[value]
        climbs = self.relative and ".." in split(value)
        return None if found is None or climbs else _certain(split(found))


@final
@frozen
class UrlGlob:
    """Addresses of a scheme at a host: `*` is any host, `*.example.org` any below it."""

    glob: AddressGlob

    def permits(self, value: str, _: Real) -> bool:
        """Whether the address surely lies there."""
        url, glob = address_of(value), self.glob
        return (
            url is not None
            and self._reaches(url)
            and url.port == (PORTS.get(url.scheme) if glob.port is None else glob.port)
            and not url.unsure
            and lies(url.names, self._names)
        )

    def forbids(self, value: str, _: Real) -> bool:
        """Whether the address may lie there."""
        url = address_of(value)
        if url is None:
            return True
        ports = {self.glob.port, url.port}
        return (
            self._reaches(url)
            and (None in ports or len(ports) == 1)
            and (url.unsure or self._may_lie_below(url.names))
        )

    def _may_lie_below(self, names: tuple[str, ...]) -> bool:
        return may_lie_below(names, self._names) or may_lie_below(
            unescaped(names), unescaped(self._names)
        )

    @property
    def _names(self) -> tuple[str, ...]:
        return self.glob.names or (ANY_DEPTH,)

    def _reaches(self, url: Address) -> bool:
        if self.glob.scheme not in ("*", url.scheme):
            return False
        if self.glob.host.startswith("*."):
            return url.host.endswith(self.glob.host[1:])
        return self.glob.host in ("*", url.host)


@final
@frozen
class Unclear:
    """A glob of which nobody knows what it means."""

    def permits(self, _: str, __: Real) -> bool:
        """Nothing is sure."""
        return False

    def forbids(self, _: str, __: Real) -> bool:
        """Anything may be meant."""
        return True


Condition: TypeAlias = TextGlob | PathGlob | UrlGlob | Unclear


@final
@frozen
class Compiled:
    """A permission, read once: the tools it covers, and what it says of arguments."""

    tool: str
    arguments: tuple[str, ...] = ()
    condition: Condition | None = None

    def covers(self, name: ToolName) -> bool:
        """Whether the permission is about the tool."""
        if self.tool.endswith("*"):
            return name.value.startswith(self.tool[:-1])
        return name.value == self.tool

    def looks_up(self, arguments: Mapping[str, object]) -> Iterator[str]:
        """The paths of which somebody has to say where they really lead."""
        if isinstance(self.condition, PathGlob):
            if _certain(self.condition.written) is not None:
                yield self.condition.base
            texts = self._texts(arguments)
            yield from (text for text in texts if len(text) <= LONGEST_PATH)

    def permits(self, arguments: Mapping[str, object], real: Real) -> bool:
        """Whether the permission surely speaks of a call with the arguments.

        All that an argument may be has to match: tools differ in how they read a dotted name.
        """
        condition = self.condition
        if condition is None:
            return True
        found = [tuple(_readings(arguments, name)) for name in self.arguments]
        return all(found) and all(
            _permitted(each, condition, real) for readings in found for each in readings
        )

    def forbids(self, arguments: Mapping[str, object], real: Real) -> bool:
        """Whether the permission may speak of a call with the arguments.

        Of what it permits it does speak, by construction.
        """
        condition = self.condition
        if condition is None:
            return True
        found = any(condition.forbids(text, real) for text in self._texts(arguments))
        return found or self.permits(arguments, real)

    def _texts(self, arguments: Mapping[str, object]) -> Iterator[str]:
        for name in self.arguments:
            for value in _readings(arguments, name):
                yield from texts_in(value)


@lru_cache(maxsize=4096)
def compiled(rule: PermissionRule) -> Compiled:
    """The permission as it is compared with calls."""
    tool = rule.tool.value
    if rule.condition is None:
        return Compiled(tool)
    return Compiled(tool, rule.arguments, condition_of(rule.condition[1]))


def condition_of(glob: str) -> Condition:
    """What the glob is compared with; what begins with a slash is a path in any case."""
    if glob.startswith("/"):
        return _path_glob(glob)
    if is_like_an_address(glob):
        addresses = address_glob(glob)
        return Unclear() if addresses is None else UrlGlob(addresses)
    if "/" not in glob:
        return TextGlob(glob)
    return Unclear() if glob.startswith("~") else _path_glob(glob)


def _path_glob(glob: str) -> PathGlob:
    names = split(glob)
    literal = next((n for n, name in enumerate(names) if _WILD.search(name)), len(names))
    base = "/".join(names[:literal])
    return PathGlob(glob, f"/{base}" if glob.startswith("/") else base or ".", names[literal:])


def _readings(value: object, name: str) -> Iterator[object]:
    """All that a tool may take for the argument: by its name, or by steps into what holds it.

    An object stands for an item of a list that has none.
    """
    if isinstance(value, list | tuple):
        for item in value:
            yield from tuple(_readings(item, name)) or ({},)
    if not isinstance(value, Mapping):
        return
    if name in value:
        yield value[name]
    for dot in re.finditer(r"\.", name) if "." in name else ():
        if (head := name[: dot.start()]) in value:
            yield from _readings(value[head], name[dot.end() :])


def _permitted(value: object, condition: Condition, real: Real) -> bool:
    """Whether the value is made of texts alone, at least one, that all surely match."""
    texts = tuple(texts_in(value))
    return (
        bool(texts)
        and not _holds_objects(value)
        and all(condition.permits(text, real) for text in texts)
    )


def _holds_objects(value: object) -> bool:
    if isinstance(value, list | tuple):
        return any(map(_holds_objects, value))
    return isinstance(value, Mapping)


def texts_in(value: object) -> Iterator[str]:
    """Every text in the value, names too; truths as JSON writes them, whole numbers as such."""
    match value:
        case None:
            return
        case str():
            yield value
        case bool():
            yield "true" if value else "false"
        case Mapping():
            for name, inner in value.items():
                yield str(name)
                yield from texts_in(inner)
        case list() | tuple():
            for item in value:
                yield from texts_in(item)
        case float() if value.is_integer():
            yield str(int(value))
        case _:
            yield str(value)


def _lexical(value: str, *, relative: bool) -> tuple[str, ...] | None:
    """The names as they are written."""
    if value.startswith("/") == relative or value.startswith("~") or "\0" in value or "\\" in value:
        return None
    names = split(value)
    return None if ".." in names else names if relative else _certain(names)


def _certain(names: tuple[str, ...]) -> tuple[str, ...] | None:
    """The names, unless they are those of something else in every process."""
    return None if names[:1] in _OF_EACH_PROCESS or names[:2] in _OF_EACH_PROCESS else names
