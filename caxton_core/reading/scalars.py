"""Strict hooks for single values: exact types, no coercion, facts for a good answer."""

from enum import Enum
from typing import NoReturn, TypeVar

from returns.result import Failure, Result

from caxton_core.primitives.rules import TextRule, is_unicode
from caxton_core.problems import HugeNumber, Malformed, NotAChoice, What, WrongType
from caxton_core.reading.found import refused
from caxton_core.reading.nearest import nearest
from caxton_core.reading.written import LARGEST_INTEGER, is_short, kind_of, toml_value

V = TypeVar("V")
E = TypeVar("E", bound=Enum)


def refuse_type(expected: str, value: object, suggestion: str | None = None) -> NoReturn:
    """Say that another kind of value stands there."""
    raise refused(WrongType(expected, kind_of(value), suggestion))


def text(value: object, _: object = str) -> str:
    """Take any text that can be written in a file."""
    if type(value) is not str:
        refuse_type("a text", value, _quoted(value))
    if not is_unicode(value):
        raise refused(Malformed(ascii(value)[:80], "a text", "Unicode without lone surrogates"))
    return value


def text_for(rule: TextRule, value: object) -> str:
    """Take a text for a primitive; for another scalar propose the text that it may stand for."""
    if type(value) is str:
        return text(value)
    meant = rule.propose(str_of(value)) if is_short(value) else None
    refuse_type(f"a text such as {toml_value(rule.example)}", value, meant and toml_value(meant))


def boolean(value: object, _: object = bool) -> bool:
    """Take `true` or `false`."""
    if type(value) is not bool:
        meant = {"true": "true", "yes": "true", "on": "true", "1": "true"}
        unmeant = {"false": "false", "no": "false", "off": "false", "0": "false"}
        refuse_type("`true` or `false`", value, {**meant, **unmeant}.get(str_of(value)))
    return value


def whole_number(value: object, _: object = int) -> int:
    """Take an integer of 64 bits."""
    if type(value) is not int:
        refuse_type("a whole number", value, _whole(value))
    if abs(value) > LARGEST_INTEGER:
        raise refused(HugeNumber(value.bit_length() * 3 // 10))
    return value


def number(value: object, _: object = float) -> float:
    """Take any number."""
    if type(value) is int:
        return float(whole_number(value))
    if type(value) is not float:
        refuse_type("a number", value, _number(value))
    return value


def choice(value: object, kind: type[E]) -> E:
    """Take one of an enum's values."""
    choices = tuple(str(member.value) for member in kind)
    if type(value) is not str:
        shown = " or ".join(f'"{one}"' for one in choices)
        refuse_type(f"a text: {shown}", value)
    try:
        return kind(value)
    except ValueError:
        meant = nearest(value, choices)
        raise refused(NotAChoice(value[:80], choices, meant)) from None


def parsed(result: Result[V, What]) -> V:
    """Pass a primitive on, or what is wrong with it."""
    if isinstance(result, Failure):
        raise refused(result.failure())
    return result.unwrap()


def str_of(value: object) -> str:
    """A short value as it was written, lower case."""
    return str(value).strip().lower() if is_short(value) else ""


def _quoted(value: object) -> str | None:
    if isinstance(value, bool | int | float) and abs(value) <= LARGEST_INTEGER:
        return toml_value(toml_value(value))
    return None


def _whole(value: object) -> str | None:
    if isinstance(value, float) and abs(value) < LARGEST_INTEGER:
        return str(round(value))
    written = str_of(value).replace("_", "")[:20]
    return written if written.removeprefix("-").isdecimal() and written.isascii() else None


def _number(value: object) -> str | None:
    written = str_of(value)[:30]
    digits = written.removeprefix("-").replace(".", "", 1)
    return written if digits.isdecimal() and digits.isascii() else None
