"""What each key takes, derived from the class of a file: in words and as JSON Schema.

One source for the reader, the references and the editors: a rule that changes, changes everywhere.
"""

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import TypeAlias, final, get_args, get_origin

import tomli
from attrs import frozen

from caxton_core.primitives import Duration, RealNumber, Size, Text, Usd, WholeNumber
from caxton_core.primitives.rules import NumberRule, TextRule
from caxton_core.problems import Path
from caxton_core.reading.layout import Field, bare, fields, is_table
from caxton_core.reading.written import plain, toml_value

Schema: TypeAlias = dict[str, object]

_PLAIN: dict[type, str] = {str: "string", bool: "boolean", int: "integer", float: "number"}
_WORDS: dict[type, str] = {str: "text", bool: "boolean", int: "whole number", float: "number"}


@final
@frozen
class Entry:
    """One key of a file, in words."""

    at: Path
    type: str
    default: str
    rule: str
    says: str
    example: str


def entries(cls: type, at: Path = ()) -> Iterator[Entry]:
    """Every key of the class and of its tables, in the order of definition."""
    for field in fields(cls):
        inner = bare(field.type)
        yield _entry(field, (*at, field.name))
        for table in _classes_in(inner):
            yield from entries(table, (*at, field.name, *_named(inner)))


def _named(annotation: object) -> Path:
    """The name that an author gives to each table of a kind."""
    return ("NAME",) if get_origin(annotation) is Mapping else ()


def _classes_in(annotation: object) -> Iterator[type]:
    holds_others = get_origin(annotation) in (tuple, Mapping)
    types = [each for each in get_args(annotation) if each is not Ellipsis]
    inner = bare(types[-1]) if holds_others else annotation
    if isinstance(inner, type) and is_table(inner):
        yield inner


def _entry(field: Field, at: Path) -> Entry:
    inner = bare(field.type)
    items = "" if field.distinct is None else f"at most {field.distinct.at_most}, all different; "
    return Entry(
        at,
        _word(inner),
        _default(field),
        f"{items}{_rule(inner)}",
        field.key.says,
        field.key.example,
    )


def _word(annotation: object) -> str:
    if get_origin(annotation) is tuple:
        return f"list of {_word(bare(get_args(annotation)[0]))}"
    if not isinstance(annotation, type):
        return "table" if any(_classes_in(annotation)) else _word_of_mapping(annotation)
    if annotation in _WORDS:
        return _WORDS[annotation]
    if issubclass(annotation, WholeNumber):
        return "whole number"
    return _word_of_class(annotation)


def _word_of_mapping(annotation: object) -> str:
    members = get_args(annotation)
    return f"table of {_word(bare(members[-1]))}" if members else "table"


def _word_of_class(cls: type) -> str:
    if issubclass(cls, RealNumber | Usd):
        return "number"
    return "text" if issubclass(cls, Text | Duration | Size | Enum) else "table"


def _default(field: Field) -> str:
    if field.is_required:
        return "required"
    if field.key.default:
        return field.key.default
    return _shown(field.default)


def _shown(value: object) -> str:
    written = plain(value)
    return "empty" if isinstance(written, dict) else f"`{toml_value(written)}`"


def _rule(annotation: object) -> str:
    if get_origin(annotation) is tuple:
        return _rule(bare(get_args(annotation)[0]))
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return " or ".join(f'`"{member.value}"`' for member in annotation)
    rule: object = getattr(annotation, "rule", None)
    if isinstance(rule, TextRule):
        longest = "" if rule.longest is None else f"; at most {rule.longest} characters"
        return f"{rule.says}{longest}"
    return rule.says if isinstance(rule, NumberRule) else ""


def json_schema(cls: type, title: str) -> Schema:
    """The JSON Schema (2020-12) of a file that is read into the class."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        **_object(cls),
    }


def _object(cls: type) -> Schema:
    required = [field.name for field in fields(cls) if field.is_required]
    return {
        "type": "object",
        "properties": {field.name: _property(field) for field in fields(cls)},
        **({"required": required} if required else {}),
        "additionalProperties": False,
    }


def _property(field: Field) -> Schema:
    schema = {**_type(bare(field.type)), "description": field.key.says}
    if field.distinct is not None:
        schema |= {"maxItems": field.distinct.at_most, "uniqueItems": True}
    if field.key.example:
        schema["examples"] = [tomli.loads(f"example = {field.key.example}")["example"]]
    if field.default is not None and not field.is_required:
        written = plain(field.default)
        schema["default"] = {} if isinstance(written, dict) else written
    return schema


def _type(annotation: object) -> Schema:
    if get_origin(annotation) is tuple:
        return {"type": "array", "items": _type(bare(get_args(annotation)[0]))}
    if not isinstance(annotation, type):
        return {"type": "object", "additionalProperties": _type(bare(get_args(annotation)[-1]))}
    if annotation in _PLAIN:
        return {"type": _PLAIN[annotation]}
    if issubclass(annotation, Enum):
        return {"type": "string", "enum": [member.value for member in annotation]}
    return _object(annotation) if is_table(annotation) else _primitive(annotation)


def _primitive(cls: type) -> Schema:
    rule: object = getattr(cls, "rule", None)
    if isinstance(rule, TextRule):
        longest = {} if rule.longest is None else {"maxLength": rule.longest}
        return {"type": "string", "pattern": f"^(?:{rule.pattern})$", **longest}
    if isinstance(rule, NumberRule):
        low = {"minimum": rule.low} if rule.above is None else {"exclusiveMinimum": rule.above}
        kind = "integer" if issubclass(cls, WholeNumber) else "number"
        return {"type": kind, **low, "maximum": rule.high}
    return {"type": "object"}
