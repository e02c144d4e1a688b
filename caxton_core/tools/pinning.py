"""Definitions of tools as a person approved them: fingerprints, and what has changed since.

What a server says of its tools is read by models as instructions, so a definition that changes
behind the operator's back is an attack until he has seen it.
"""

import difflib
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import ClassVar, Final, final

from attrs import evolve, field, frozen

from caxton_core.primitives import JsonObject, Text, TextRule, ToolName
from caxton_core.tools.tool import Tool
from caxton_core.tools.visible import named, uncommon, visible

_DEEPEST: Final = 24
_MOST_PAIRS: Final = 10_000
"""Of sentences that may be the same; to compare all takes the third power of their number."""
_NOT_COMPARED: Final = "? too many sentences to be compared: all that were there, all that are now"
_SENTENCE: Final = re.compile(r"(?<=[.!?]\s)")


@final
@frozen
class Fingerprint(Text):
    """The SHA-256 of a definition: equal for equal ones, whatever the order of their keys."""

    rule: ClassVar = TextRule(
        "a fingerprint",
        "sha256:[0-9a-f]{64}",
        "`sha256:` and 64 digits",
        71,
        "sha256:b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    )


def fingerprint(tool: Tool) -> Fingerprint:
    """The fingerprint of all that a model is told of the tool."""
    told = {
        "name": tool.name.value,
        "description": tool.description,
        "parameters": tool.parameters.members(),
    }
    return Fingerprint(f"sha256:{hashlib.sha256(JsonObject.of(told).value.encode()).hexdigest()}")


@final
@frozen
class Pin:
    """A definition that was approved."""

    tool: Tool
    hash: Fingerprint
    approved_at: datetime


def pinned(tool: Tool, *, now: datetime) -> Pin:
    """The tool as it is now, approved."""
    return Pin(tool, fingerprint(tool), now)


@final
@frozen
class Lock:
    """Every pin, by the name of its tool."""

    pins: Mapping[ToolName, Pin] = field(factory=dict)

    def pin(self, name: ToolName) -> Pin | None:
        """The pin of the tool, if it ever was approved."""
        return self.pins.get(name)

    def of_server(self, server: str) -> tuple[Pin, ...]:
        """The pins of a server's tools, by name."""
        mine = (pin for name, pin in self.pins.items() if name.server == server)
        return tuple(sorted(mine, key=_name_of))

    def with_pins(self, pins: Iterable[Pin]) -> "Lock":
        """The same with these pins, in place of those of the same tools."""
        return evolve(self, pins={**self.pins, **{pin.tool.name: pin for pin in pins}})


def is_same(pin: Pin, tool: Tool) -> bool:
    """Whether the tool is as it was approved."""
    before = pin.tool
    return (before.name, before.description, before.parameters) == (
        tool.name,
        tool.description,
        tool.parameters,
    )


def _name_of(pin: Pin) -> str:
    return pin.tool.name.value


@final
@frozen
class Difference:
    """A part of a definition that is another one now; None where there is, or was, no such part.

    `at` is its place, such as `parameters.properties.path.type`. The texts are for reading: what
    cannot be seen stands there as an escape. `characters` names those beyond ASCII that are new.
    """

    at: str
    before: str | None
    now: str | None
    characters: tuple[str, ...] = ()


def differences(before: Tool, now: Tool) -> tuple[Difference, ...]:
    """Everything in which the definitions differ: the description first, then the schema."""
    described = (
        ()
        if before.description == now.description
        else (_difference("description", before.description, now.description),)
    )
    schema = _in_schema(before.parameters.members(), now.parameters.members(), "parameters", 0)
    return (*described, *schema)


def line_diff(difference: Difference) -> tuple[str, ...]:
    """The difference sentence by sentence: `- ` was before, `+ ` is new, two spaces are neither.

    More than can be compared soon stands there whole, after a line `? ` that says so.
    """
    before, now = (_sentences(text) for text in (difference.before, difference.now))
    most = min(len(before), len(now))
    head = next((at for at in range(most) if before[at] != now[at]), most)
    most -= head
    tail = next((at for at in range(most) if before[-1 - at] != now[-1 - at]), most)
    changed = _compared(before[head : len(before) - tail], now[head : len(now) - tail])
    return (*_marked("  ", now[:head]), *changed, *_marked("  ", now[len(now) - tail :]))


def _compared(before: list[str], now: list[str]) -> Iterator[str]:
    if len(before) * len(now) > _MOST_PAIRS:
        yield _NOT_COMPARED
        yield from (*_marked("- ", before), *_marked("+ ", now))
        return
    matcher = difflib.SequenceMatcher(None, before, now, autojunk=False)
    for kind, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        if kind == "equal":
            yield from _marked("  ", now[new_from:new_to])
        else:
            yield from _marked("- ", before[old_from:old_to])
            yield from _marked("+ ", now[new_from:new_to])


def _marked(mark: str, sentences: Iterable[str]) -> Iterator[str]:
    return (f"{mark}{sentence}" for sentence in sentences)


def _sentences(text: str | None) -> list[str]:
    """Every sentence of every line; that two texts differ can be seen in them."""
    lines = [] if text is None else text.split("\n")
    return [sentence for line in lines for sentence in _SENTENCE.split(line)]


def _in_schema(before: object, now: object, at: str, depth: int) -> Iterator[Difference]:
    if _json(before) == _json(now):
        return
    if depth < _DEEPEST and isinstance(before, dict) and isinstance(now, dict):
        for key in sorted({*before, *now}):
            yield from _of_member(before, now, key, f"{at}.{visible(key)}", depth + 1)
    elif depth < _DEEPEST and isinstance(before, list) and isinstance(now, list):
        yield from _of_items(before, now, at, depth + 1)
    else:
        yield _difference(at, _json(before), _json(now))


def _of_member(
    before: Mapping[str, object], now: Mapping[str, object], key: str, at: str, depth: int
) -> Iterator[Difference]:
    if key not in now:
        yield _difference(at, _json(before[key]), None)
    elif key not in before:
        yield _difference(at, None, _json(now[key]))
    else:
        yield from _in_schema(before[key], now[key], at, depth)


def _of_items(
    before: Sequence[object], now: Sequence[object], at: str, depth: int
) -> Iterator[Difference]:
    """Items one by one where they are tables and as many as before, else the whole list."""
    if len(before) == len(now) and all(isinstance(item, dict) for item in (*before, *now)):
        for index, (old, new) in enumerate(zip(before, now, strict=True)):
            yield from _in_schema(old, new, f"{at}[{index}]", depth)
    else:
        yield _difference(at, _json(before), _json(now))


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _difference(at: str, before: str | None, now: str | None) -> Difference:
    fresh = uncommon(now or "") - uncommon(before or "")
    return Difference(
        at, _readable(before), _readable(now), tuple(named(each) for each in sorted(fresh))
    )


def _readable(text: str | None) -> str | None:
    return None if text is None else visible(text, keep="\n")
