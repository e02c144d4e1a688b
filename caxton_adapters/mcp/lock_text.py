"""The text of `caxton.lock`: written for people who compare versions of it, and read strictly.

The same pins are the same text. What stands in it comes from servers: whatever they say of their
tools, the text is one that can be read again, and shows all that it holds.
"""

import json
import re
from collections.abc import Iterable
from typing import Annotated, ClassVar, Final, TypeAlias, final

import tomli
from attrs import frozen
from returns.result import Failure, Result, Success

from caxton_core.codes.catalogue import EXPLANATIONS
from caxton_core.memory.primitives import Moment
from caxton_core.primitives import JsonObject, NumberRule, ServerName, ToolName, WholeNumber
from caxton_core.problems import (
    BadSyntax,
    Path,
    Problem,
    Problems,
    Repeated,
    Stated,
    TooDeep,
    What,
)
from caxton_core.reading.keys import Key
from caxton_core.reading.report import Report, report
from caxton_core.reading.tables import read
from caxton_core.tools.pinning import Fingerprint, Lock, Pin, fingerprint
from caxton_core.tools.tool import Tool
from caxton_core.tools.visible import escaped, is_visible

PIN_ALTERED: Final = "CX3034"
_ABOUT: Final = """\
# Definitions of tools as they were approved. Caxton calls a tool only while its server describes it
# like this; see `caxton tools diff`. Written by `caxton tools approve`.
version = 1
"""
_DEEPEST: Final = 100
_ESCAPES: Final = {"\\": "\\\\", "\t": "\\t", "\r": "\\r", '"': '\\"'}
_PLAIN: Final = re.compile(r"[\n -~]*")
_QUOTED: Final = re.compile(r'["\\]')
_Table: TypeAlias = dict[str, object]


@final
@frozen
class LockVersion(WholeNumber):
    """The form of a lock; there is one so far."""

    rule: ClassVar = NumberRule("the version of a lock", high=1, low=1)


@final
@frozen(kw_only=True)
class PinTable:
    """`[[tool]]`: one approved definition."""

    server: Annotated[ServerName, Key("The server.", '"files"', why="It offers the tool.")]
    name: Annotated[str, Key("The tool.", '"read"', why="It names the tool.")]
    hash: Annotated[
        Fingerprint,
        Key("The fingerprint.", f'"{Fingerprint.rule.example}"', why="It proves the rest."),
    ]
    description: Annotated[str, Key("What it is said to do.", '"Reads."', why="Models read it.")]
    parameters: Annotated[str, Key("What it takes.", "'{}'", why="Models read it.")]
    approved: Annotated[
        Moment, Key("When.", f'"{Moment.rule.example}"', why="It tells how old the approval is.")
    ]


@final
@frozen(kw_only=True)
class LockTable:
    """The whole file."""

    version: Annotated[LockVersion, Key("The form.", "1", why="Later forms may mean other things.")]
    tool: Annotated[tuple[PinTable, ...], Key("The definitions.", "[]")] = ()


def write_lock(lock: Lock) -> str:
    """The text of the lock, its tools by name."""
    pins = sorted(lock.pins.values(), key=lambda pin: pin.tool.name.value)
    return "\n".join([_ABOUT, *map(_written, pins)])


def _written(pin: Pin) -> str:
    tool = pin.tool
    return f"""\
[[tool]]
server = "{tool.name.server}"
name = "{tool.name.tool}"
hash = "{pin.hash}"
description = {_text(tool.description)}
parameters = {_json(tool.parameters)}
approved = "{Moment.of(pin.approved_at)}"
"""


def _text(text: str) -> str:
    """A TOML text in which everything can be seen; its lines stay lines."""
    plain = _PLAIN.fullmatch(text) is not None and not _QUOTED.search(text)
    shown = text if plain else "".join(c if c == "\n" else _character(c) for c in text)
    return f'"""\n{shown}"""' if "\n" in text else f'"{shown}"'


def _character(character: str) -> str:
    known = _ESCAPES.get(character)
    if known is not None:
        return known
    return character if is_visible(character) else escaped(character)


def _json(value: JsonObject) -> str:
    """JSON over several lines; what cannot be seen, or would end the text, is escaped in JSON."""
    text = json.dumps(value.members(), ensure_ascii=False, sort_keys=True, indent=2)
    plain = _PLAIN.fullmatch(text) is not None
    shown = text if plain else "".join(map(_visible_in_json, text))
    return "'''\n" + re.sub("'(?=')", r"\\u0027", shown) + "'''"


def _visible_in_json(character: str) -> str:
    if character == "\n" or is_visible(character):
        return character
    return json.dumps(character)[1:-1]


def read_lock(text: str, file: str) -> Result[Lock, Report]:
    """The pins, or everything that is wrong with the text, with line and column."""
    parsed = _parsed(text)
    if isinstance(parsed, Failure):
        return Failure(report([parsed.failure()], text, file))
    table = read(LockTable, parsed.unwrap())
    if isinstance(table, Failure):
        return Failure(report(table.failure(), text, file))
    pins = _pins(table.unwrap().tool)
    if isinstance(pins, Failure):
        return Failure(report(pins.failure(), text, file))
    return Success(Lock().with_pins(pins.unwrap()))


def _parsed(text: str) -> Result[_Table, Problem]:
    """The table of the text.

    The guards of other files look for long keys in the text: here a server's words would trip them.
    """
    try:
        return Success(tomli.loads(text))
    except tomli.TOMLDecodeError as error:
        return Failure(Problem((), BadSyntax(error.msg, error.lineno, error.colno)))
    except (RecursionError, ValueError):
        return Failure(Problem((), TooDeep(_DEEPEST)))


def _pins(tables: Iterable[PinTable]) -> Result[tuple[Pin, ...], Problems]:
    found: dict[str, Pin] = {}
    problems: list[Problem] = []
    for index, table in enumerate(tables):
        pin = _pin(table)
        name = f"{table.server}.{table.name}"
        if isinstance(pin, Failure):
            at, what = pin.failure()
            problems.append(Problem(("tool", index, *at), what))
        elif name in found:
            problems.append(Problem(("tool", index, "name"), Repeated(name)))
        else:
            found[name] = pin.unwrap()
    if problems:
        return Failure((problems[0], *problems[1:]))
    return Success(tuple(found.values()))


def _pin(table: PinTable) -> Result[Pin, tuple[Path, What]]:
    name = ToolName.parse(f"{table.server}.{table.name}")
    if isinstance(name, Failure):
        return Failure((("name",), name.failure()))
    parameters = JsonObject.parse(table.parameters)
    if isinstance(parameters, Failure):
        return Failure((("parameters",), parameters.failure()))
    tool = Tool(name.unwrap(), table.description, parameters.unwrap())
    if fingerprint(tool) != table.hash:
        return Failure((("hash",), _altered(name.unwrap())))
    return Success(Pin(tool, table.hash, table.approved.time))


def _altered(name: ToolName) -> Stated:
    explained = EXPLANATIONS[PIN_ALTERED]
    return Stated(PIN_ALTERED, explained.message.format(tool=name), explained.advice)
