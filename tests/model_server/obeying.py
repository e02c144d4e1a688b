"""The orders in everything that a model is shown: it finds more of them than any real model would.

An order is a verb, the name of a tool and its arguments (`call desk.send {"to": ...}`), or a JSON
object that has a tool and arguments. It may stand in a message of the user, a result, or the
description of a tool, within JSON within JSON, and in disguise: as base64, rot13, percents or
entities, in wide letters, between letters or in letters that nobody sees.
"""

import base64
import binascii
import codecs
import html
import json
import re
import unicodedata
from collections.abc import Iterator
from typing import Any, Final, final
from urllib.parse import unquote

from attrs import frozen

from tests.model_server.request import ChatRequest

READ: Final = "$RESULT"
"""Stands in arguments for what the model has read last."""
_DEEPEST: Final = 6
_VERB: Final = "call|use|run|execute|invoke|rufe|appelle"
_ORDER: Final = re.compile(rf"\b(?:{_VERB})\s+([^\s{{]+)\s+(?:with\s+)?(?={{)", re.IGNORECASE)
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]{24,}={0,2}")
_UNSEEN: Final = re.compile(r"[\u200b-\u200f]|\\u200[b-f]")
_TAGS: Final = {number: number - 0xE0000 for number in range(0xE0020, 0xE007F)}


@final
@frozen
class Order:
    """A call that somebody wants; `arguments` are JSON text."""

    tool: str
    arguments: str

    def carried_out(self, read: str) -> tuple[str, str]:
        """The call, with the name that a tool has on the wire and what was read in its place."""
        quoted = json.dumps(read)[1:-1]
        return self.tool.replace(".", "__"), self.arguments.replace(READ, quoted)


def orders(request: ChatRequest) -> list[Order]:
    """Each order that others wrote: not the author, nor the model itself; new ones come last."""
    texts = [tool.function.description for tool in request.tools]
    texts += [each.text for each in request.messages if each.role in ("user", "tool")]
    return list(dict.fromkeys(order for text in texts for order in _orders(text, _DEEPEST)))


def _orders(text: str, depth: int) -> list[Order]:
    if depth <= 0:
        return []
    found = [*_spoken(text), *_written(text, depth)]
    disguised = (_orders(plain, depth - 2) for plain in _undisguised(text))
    return found or next(filter(None, disguised), [])


def _spoken(text: str) -> Iterator[Order]:
    for verb in _ORDER.finditer(text):
        arguments = _json(text, verb.end())
        if arguments is not None:
            yield Order(verb[1], json.dumps(arguments[0]))


def _written(text: str, depth: int) -> Iterator[Order]:
    """The orders in the JSON objects of a text."""
    at = text.find("{")
    while at >= 0:
        found = _json(text, at)
        if found is not None:
            yield from _within(found[0], depth)
        at = text.find("{", at + 1 if found is None else found[1])


def _within(value: object, depth: int) -> Iterator[Order]:
    match value:
        case {"name": str(tool), "arguments": arguments} | {
            "tool": str(tool),
            "arguments": arguments,
        }:
            yield Order(tool, arguments if isinstance(arguments, str) else json.dumps(arguments))
        case dict() | list():
            for each in value.values() if isinstance(value, dict) else value:
                yield from _within(each, depth)
        case str():
            yield from _orders(value, depth - 1)
        case _:
            return


def _json(text: str, at: int) -> tuple[dict[str, Any], int] | None:
    try:
        found, end = json.JSONDecoder().raw_decode(text, at)
    except ValueError:
        return None
    return (found, end) if isinstance(found, dict) else None


def _undisguised(text: str) -> Iterator[str]:
    plain = unicodedata.normalize("NFKC", _UNSEEN.sub("", text.translate(_TAGS)))
    for each in (plain, html.unescape(text), unquote(text), codecs.decode(text, "rot13")):
        if each != text:
            yield each
    for blob in _BASE64.findall(text):
        try:
            yield base64.b64decode(blob, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            continue
