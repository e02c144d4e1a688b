"""How values stand in a TOML file, for suggestions and for whole files."""

import re
from collections.abc import Iterator, Mapping
from datetime import date, time
from enum import Enum
from typing import Final

from caxton_core.primitives import Duration, RealNumber, Size, Text, Usd, WholeNumber
from caxton_core.reading.layout import fields, is_table

LARGEST_INTEGER: Final = 2**63 - 1
"""TOML promises integers of 64 bits."""
LONGEST_SUGGESTION: Final = 80

_ESCAPES: Final = {"\\": "\\\\", '"': '\\"', "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r"}
_BARE: Final = re.compile("[A-Za-z0-9_-]+")
_UNPRINTABLE: Final = re.compile('[\x00-\x08\x0a-\x1f"\\\\\x7f]')
_UNPRINTABLE_IN_LINES: Final = re.compile('[\x00-\x08\x0b-\x1f\\\\\x7f]|"(?="")|"$')


def kind_of(value: object) -> str:
    """What a value of a table is, in words."""
    if isinstance(value, bool):
        return f"the boolean {str(value).lower()}"
    kinds = {
        str: "a text",
        int: "a whole number",
        float: "a number",
        list: "a list",
        tuple: "a list",
        dict: "a table",
    }
    if isinstance(value, date | time):
        return "a date or time"
    return kinds.get(type(value), "nothing" if value is None else "an unknown kind of value")


def is_short(value: object) -> bool:
    """Whether the value is a scalar that fits into a suggestion."""
    if isinstance(value, str):
        return len(value) <= LONGEST_SUGGESTION
    return isinstance(value, bool | float) or (
        isinstance(value, int) and abs(value) <= LARGEST_INTEGER
    )


def table_of(value: object) -> dict[str, object]:
    """The table that reads as this value; keys that have their default value are left out."""
    cls: type = type(value)
    return {
        field.name: plain(getattr(value, field.name))
        for field in fields(cls)
        if getattr(value, field.name) != field.default
    }


def plain(value: object) -> object:
    """The value as it stands in a table: numbers, texts, lists and tables."""
    match value:
        case tuple():
            return [plain(item) for item in value]
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case _ if is_table(type(value)):
            return table_of(value)
        case _:
            return _plain_scalar(value)


def _plain_scalar(value: object) -> object:
    match value:
        case Usd():
            return value.dollars
        case Duration() | Size():
            return str(value)
        case Text() | WholeNumber() | RealNumber() | Enum():
            return value.value
        case _:
            return value


def toml_value(value: object) -> str:
    """The value in one line of TOML."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return _text(value)
        case dict():
            pairs = ", ".join(
                f"{toml_key(key)} = {toml_value(item)}" for key, item in value.items()
            )
            return f"{{{pairs}}}"
        case list() | tuple():
            return f"[{', '.join(map(toml_value, value))}]"
        case date() | time():
            return value.isoformat()
        case _:
            return str(value)


def toml_key(key: str) -> str:
    """The key, quoted where it must be."""
    return key if _BARE.fullmatch(key) else _text(key)


def _text(text: str) -> str:
    return f'"{_UNPRINTABLE.sub(_escaped, text)}"'


def _lines(text: str) -> str:
    return f'"""\n{_UNPRINTABLE_IN_LINES.sub(_escaped, text)}"""'


def _escaped(found: re.Match[str]) -> str:
    character = found[0]
    return _ESCAPES.get(character) or f"\\u{ord(character):04x}"


def toml_text(table: Mapping[str, object], at: tuple[str, ...] = ()) -> str:
    """The table as a TOML document: plain keys first, then its tables under headers."""
    return "".join(_document(table, at)).removeprefix("\n")


def _document(table: Mapping[str, object], at: tuple[str, ...]) -> Iterator[str]:
    for key, value in table.items():
        if not isinstance(value, dict):
            shown = _lines(value) if isinstance(value, str) and "\n" in value else toml_value(value)
            yield f"{toml_key(key)} = {shown}\n"
    for key, value in table.items():
        if isinstance(value, dict):
            path = (*at, toml_key(key))
            yield f"\n[{'.'.join(path)}]\n"
            yield from _document(value, path)
