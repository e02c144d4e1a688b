"""Where in a TOML text each key and value stands; for text that the parser already accepted."""

import re
from typing import Final, TypeAlias, final

import tomli
from attrs import frozen

from caxton_core.problems import Path
from caxton_core.reading.toml_text import STRING

Offsets: TypeAlias = tuple[int, int]

_GAP: Final = re.compile(r"(?>(?:[ \t\n,]|#[^\n]*)*)")
_PART: Final = re.compile(r"""[A-Za-z0-9_-]+|"(?>(?:[^"\\\n]|\\.)*)"|'[^'\n]*'""")
_DOT: Final = re.compile(r"[ \t]*\.[ \t]*")
_EQUALS: Final = re.compile(r"[ \t]*=[ \t]*")
_STRING: Final = re.compile(STRING)
_BARE: Final = re.compile(r"[^,\]}\n#]*[^,\]}\n#\s]")


@final
@frozen
class Span:
    """Offsets of a key, or of the header of a table, and of its value; the end is exclusive."""

    key: Offsets
    value: Offsets


Spans: TypeAlias = dict[Path, Span]


def spans(text: str) -> Spans:
    """Find every key and every list item, by its path in the parsed table."""
    found: Spans = {}
    lists: dict[Path, int] = {}
    prefix: Path = ()
    at = _skip(text, 0)
    while at < len(text):
        if text[at] == "[":
            prefix, at = _header(text, at, found, lists)
        else:
            at = _pair(text, at, prefix, found)
        at = _skip(text, at)
    return found


def _skip(text: str, at: int) -> int:
    gap = _GAP.match(text, at)
    return at if gap is None else gap.end()


def _header(text: str, at: int, found: Spans, lists: dict[Path, int]) -> tuple[Path, int]:
    brackets = 2 if text.startswith("[[", at) else 1
    parts, key = _key(text, _skip(text, at + brackets))
    path: Path = ()
    for part in parts[:-1]:
        path = (*path, part)
        found.setdefault(path, Span(key, key))
        path = (*path, lists[path]) if path in lists else path
    path = (*path, parts[-1])
    found.setdefault(path, Span(key, key))
    if brackets == len("[["):
        lists[path] = lists.get(path, -1) + 1
        path = (*path, lists[path])
        found[path] = Span(key, key)
    return path, text.index("]", key[1]) + brackets


def _pair(text: str, at: int, prefix: Path, found: Spans) -> int:
    parts, key = _key(text, at)
    path = prefix
    for part in parts[:-1]:
        path = (*path, part)
        found.setdefault(path, Span(key, key))
    path = (*path, parts[-1])
    start = _end(_EQUALS, text, key[1])
    end = _value(text, start, path, found)
    found[path] = Span(key, (start, end))
    return end


def _key(text: str, at: int) -> tuple[tuple[str, ...], Offsets]:
    parts: list[str] = []
    end = at
    while True:
        start = end
        end = _end(_PART, text, start)
        parts.append(_unquoted(text[start:end]))
        dot = _DOT.match(text, end)
        if dot is None:
            return tuple(parts), (at, end)
        end = dot.end()


def _unquoted(part: str) -> str:
    if part.startswith("'"):
        return part[1:-1]
    if "\\" in part:
        return str(tomli.loads(f"key = {part}")["key"])
    return part.strip('"')


def _value(text: str, at: int, path: Path, found: Spans) -> int:
    if text[at] == "[":
        return _list(text, at, path, found)
    if text[at] == "{":
        return _inline_table(text, at, path, found)
    return _end(_STRING if text[at] in "\"'" else _BARE, text, at)


def _list(text: str, at: int, path: Path, found: Spans) -> int:
    at, index = _skip(text, at + 1), 0
    while text[at] != "]":
        end = _value(text, at, (*path, index), found)
        found[(*path, index)] = Span((at, end), (at, end))
        at, index = _skip(text, end), index + 1
    return at + 1


def _inline_table(text: str, at: int, path: Path, found: Spans) -> int:
    at = _skip(text, at + 1)
    while text[at] != "}":
        at = _skip(text, _pair(text, at, path, found))
    return at + 1


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    match = pattern.match(text, at)
    return at if match is None else match.end()
