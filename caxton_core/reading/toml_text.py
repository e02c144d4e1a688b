"""TOML text becomes a plain table; a text that would cost too much is refused before parsing."""

import re
from typing import Final, TypeAlias

import tomli
from returns.result import Failure, Result, Success

from caxton_core.problems import (
    BadSyntax,
    HugeNumber,
    NotUtf8,
    Problem,
    TooDeep,
    TooLarge,
)

AGENT_FILE_LIMIT: Final = 64 * 1024
"""The most bytes of an agent file."""
SETTINGS_FILE_LIMIT: Final = 256 * 1024
"""The most bytes of a settings file."""
DEEPEST: Final = 16
"""The most parts of a dotted key, and the most levels of tables and lists."""

STRING: Final = (
    r'"""(?>(?:[^"\\]|\\[\s\S]|"(?!""))*)"{3,5}'
    r"|'''(?>(?:[^']|'(?!''))*)'{3,5}"
    r'|"(?>(?:[^"\\\n]|\\.)*)"'
    r"|'[^'\n]*'"
)
"""The pattern of a text in quotes of any kind; atomic, for hostile text must not cost more.

Atomic groups and not possessive repetition, which matches groups wrongly before Python 3.11.5.
"""
_PART: Final = r"""(?:[\w\-]++|"(?>(?:[^"\\\n]|\\.)*)"|'[^'\n]*+')[ \t]*+"""
_LONG_KEY: Final = re.compile(
    rf"(?:^|[\[{{,])[ \t]*+(?:{_PART}\.[ \t]*+){{{DEEPEST}}}", re.MULTILINE
)
_TOKEN: Final = re.compile(rf"{STRING}|#[^\n]*|[\[\]{{}}]")
_LONG_DIGITS: Final = re.compile("[0-9_]{4000,}+")

Parsed: TypeAlias = Result[dict[str, object], Problem]


def decoded(data: bytes) -> Result[str, Problem]:
    """Read the bytes of a file as UTF-8; a byte order mark is left out."""
    try:
        return Success(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        return Failure(Problem((), NotUtf8(error.start)))


def parse_toml(text: str, limit: int = SETTINGS_FILE_LIMIT) -> Parsed:
    """Parse the text, at most `limit` bytes long, or say why that cannot be done."""
    size = len(text.encode("utf-8", "replace"))
    if size > limit:
        return Failure(Problem((), TooLarge(size, limit)))
    long_key = _LONG_KEY.search(text)
    if long_key is not None:
        return Failure(Problem((), TooDeep(DEEPEST, *position(text, long_key.end() - 1))))
    parsed = _parse(text)
    if isinstance(parsed, Success) and _is_deeper(parsed.unwrap(), DEEPEST):
        return Failure(_too_deep(text))
    return parsed


def _parse(text: str) -> Parsed:
    try:
        return Success(tomli.loads(text))
    except tomli.TOMLDecodeError as error:
        return Failure(Problem((), BadSyntax(error.msg, error.lineno, error.colno)))
    except RecursionError:
        return Failure(_too_deep(text))
    except ValueError:
        return Failure(Problem((), _huge_number(text)))


def _huge_number(text: str) -> HugeNumber:
    found = _LONG_DIGITS.search(text)
    if found is None:
        return HugeNumber(0)
    return HugeNumber(len(found[0]), *position(text, found.start()))


def _too_deep(text: str) -> Problem:
    """The bracket that opens one level too many, if brackets alone are to blame."""
    depth = 0
    for token in _TOKEN.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token[0], 0)
        if depth > DEEPEST:
            return Problem((), TooDeep(DEEPEST, *position(text, token.start())))
    return Problem((), TooDeep(DEEPEST))


def _is_deeper(value: object, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_deeper(item, levels - 1) for item in inner)


def position(text: str, offset: int) -> tuple[int, int]:
    """Line and column of an offset, both from 1; columns count characters."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)
