"""A JSON body as the type that it has to be, or everything that is wrong with it."""

import re
from typing import Final, TypeVar

import msgspec
from msgspec import inspect
from returns.result import Failure, Result, Success

from caxton_adapters.auth.token import TokenName
from caxton_adapters.rest import problem
from caxton_adapters.rest.problem import ErrorItem, Refused
from caxton_core.primitives.json_object import MOST_LEVELS, too_deep

T = TypeVar("T")

_PLACED: Final = re.compile(r"(.*) - at `\$\.?(.*)`", re.DOTALL)
_STEP: Final = re.compile(r"[^.\[\]]+|\[[^\]]*\]")
_NO_CHOICE: Final = re.compile(r"Invalid enum value (.*)", re.DOTALL)
_PATTERNS: Final = {
    r"\S": "a text that is not blank",
    f"^(?:{TokenName.rule.pattern})$": f"{TokenName.rule.subject}: {TokenName.rule.says}",
    "^sha256:[0-9a-f]{16,64}$": (
        "how the hash of a definition begins that was seen: 16 or more of 0-9 and a-f "
        "(`caxton tools diff` prints them)"
    ),
}
_IN_WORDS: Final = {
    f"Expected `str` matching regex {pattern!r}": f"Expected {words}"
    for pattern, words in _PATTERNS.items()
}


def read_json(decoder: "msgspec.json.Decoder[T]", body: bytes) -> Result[T, Refused]:
    """Read the body; the content type does not matter, the guard has seen to foreign pages."""
    if too_deep(body.decode("latin-1")):
        detail = f"The body is nested too deeply: {MOST_LEVELS} levels are the most."
        return Failure(Refused(400, problem.MALFORMED_BODY, detail))
    try:
        return Success(decoder.decode(body))
    except msgspec.ValidationError as error:
        return Failure(_misshapen(str(error), decoder.type))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return Failure(Refused(400, problem.MALFORMED_BODY, f"The body is not JSON: {error}."))


def invalid(message: str, at: str = "") -> Refused:
    """The refusal of a body of the wrong shape, or with one wrong value."""
    item = ErrorItem(code=problem.INVALID_BODY, message=message, at=at)
    return Refused(
        422, problem.INVALID_BODY, f"The body is not what it has to be: {message}.", (item,)
    )


def _misshapen(message: str, wanted: object) -> Refused:
    """What msgspec found, in the words of whoever sent it."""
    placed = _PLACED.fullmatch(message)
    said, where = (placed[1], placed[2]) if placed else (message, "")
    no_choice = _NO_CHOICE.fullmatch(said)
    if no_choice is not None:
        known = " or ".join(f"`{each}`" for each in _choices(wanted, where))
        said = f"{no_choice[1]} is none of its values: {known}"
    return invalid(_IN_WORDS.get(said, said), where)


def _choices(wanted: object, at: str) -> tuple[object, ...]:
    """The values that may stand at a place of the body."""
    known = inspect.type_info(wanted)
    for step in _STEP.findall(at):
        known = _within(_certain(known), step)
    known = _certain(known)
    return tuple(known.values) if isinstance(known, inspect.LiteralType) else ()


def _certain(known: inspect.Type) -> inspect.Type:
    """The type without what is said about it, and without null."""
    if isinstance(known, inspect.Metadata):
        return _certain(known.type)
    if isinstance(known, inspect.UnionType):
        return next(each for each in known.types if not isinstance(each, inspect.NoneType))
    return known


def _within(known: inspect.Type, step: str) -> inspect.Type:
    if isinstance(known, inspect.StructType):
        named = (each.type for each in known.fields if each.encode_name == step)
        return next(named, inspect.AnyType())
    if isinstance(known, inspect.VarTupleType | inspect.ListType):
        return known.item_type
    return known.value_type if isinstance(known, inspect.DictType) else inspect.AnyType()
