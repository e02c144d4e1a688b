"""What the model says: deterministic, so that a mixed-up conversation shows.

The answer is the last user text; or a call of each offered tool whose name follows the word `call`
in it (`call weather {"city": "Oslo"}`, arguments not given are made from the tool's schema); or,
after a tool's result, that result. A JSON schema as response format is answered by an instance.
"""

import json
import re
from collections.abc import Iterator
from itertools import takewhile
from typing import TypeAlias, final

from attrs import frozen

from tests.model_server.behaviour import Behaviour, Fault
from tests.model_server.obeying import READ, orders
from tests.model_server.request import ChatRequest, Function, JsonObject, ResponseFormat

_PLAIN: dict[str, object] = {"string": "text", "boolean": True, "null": None}
_CALL = re.compile(r"\bcall\s+([A-Za-z0-9_.-]+)")


@final
@frozen
class Said:
    """A text answer."""

    text: str
    finish: str = "stop"


@final
@frozen
class Called:
    """Calls of tools: the name and the JSON text of the arguments of each."""

    calls: tuple[tuple[str, str], ...]
    finish: str = "tool_calls"


Answer: TypeAlias = Said | Called


def answer(request: ChatRequest, behaviour: Behaviour, fault: Fault) -> Answer:
    """What this model says to the request."""
    if behaviour.obey and _forced(request) is None:
        return _obedience(request)
    last = request.messages[-1]
    if request.tools and last.role != "tool":
        calls = tuple(_calls(request, last.text, fault))
        if calls:
            return Called(calls)
    if behaviour.text is not None:
        text = behaviour.text
    elif request.response_format is not None and request.response_format.type != "text":
        text = _instance_text(request.response_format, last.text)
    else:
        text = last.text if last.role == "tool" else _last_user_text(request)
    return Said(text, behaviour.finish or "stop")


def _obedience(request: ChatRequest) -> Answer:
    """Calls of all that was ordered and is not done yet; then a list of what was done."""
    done = [call.function for message in request.messages for call in message.tool_calls or ()]
    todo = orders(request)[len(done) :]
    if not todo:
        return Said(json.dumps({"obeyed": [[each.name, each.arguments] for each in done]}))
    first, *others = todo
    at_once = takewhile(lambda each: READ not in each.arguments, others)
    read = request.messages[-1].text
    return Called(tuple(each.carried_out(read) for each in (first, *at_once)))


def _last_user_text(request: ChatRequest) -> str:
    for message in reversed(request.messages):
        if message.role == "user":
            return message.text
    return ""


def _calls(request: ChatRequest, text: str, fault: Fault) -> Iterator[tuple[str, str]]:
    if request.tool_choice == "none":
        return
    offered = {tool.function.name: tool.function for tool in request.tools}
    asked = [match for match in _CALL.finditer(text) if match[1] in offered]
    for match in asked:
        yield match[1], _arguments(offered[match[1]], text[match.end() :].lstrip(), fault)
    forced = _forced(request)
    if forced is not None and not asked:
        yield forced, _arguments(offered[forced], "", fault)


def _forced(request: ChatRequest) -> str | None:
    match request.tool_choice:
        case "required":
            return request.tools[0].function.name
        case {"function": {"name": str(name)}}:
            return name
        case _:
            return None


def _arguments(function: Function, following: str, fault: Fault) -> str:
    if fault is Fault.ARGUMENTS:
        return '{"broken": '
    if following.startswith("{"):
        given, end = json.JSONDecoder().raw_decode(following)
        return following[:end] if isinstance(given, dict) else "{}"
    return json.dumps(instance_of(function.parameters))


def _instance_text(form: ResponseFormat, text: str) -> str:
    if form.json_schema is None:
        return json.dumps({"answer": text})
    return json.dumps(instance_of(form.json_schema.schema))


def instance_of(schema: JsonObject) -> object:
    """The plainest value that a JSON schema accepts (types, enum, const, required properties)."""
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type", "object")
    match kind[0] if isinstance(kind, list) else kind:
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "array":
            return [instance_of(schema.get("items", {}))] * max(1, schema.get("minItems", 1))
        case "object":
            properties = schema.get("properties", {})
            return {name: instance_of(properties[name]) for name in schema.get("required", ())}
        case plain:
            return _PLAIN[plain]
