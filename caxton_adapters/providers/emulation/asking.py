"""A request with tools, said again for a model that can only fit its answer to a JSON schema.

The answer has to be a call of one tool or an answer in words. Calls and results that the
conversation holds already are told as text.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from attrs import evolve

from caxton_core.conversation.message import (
    AssistantMessage,
    PromptMessage,
    SystemMessage,
    ToolMessage,
    UserMessage,
)
from caxton_core.conversation.model import JsonSchemaFormat, ModelRequest
from caxton_core.primitives import JsonObject
from caxton_core.tools.tool import RequestedCall, Tool, ToolResult, ToolSucceeded

# JSON objects are written with sorted keys, and a model writes in the order of the schema: the
# tool has to come before its arguments.
TOOL: Final = "tool"
ARGUMENTS: Final = "with"
ANSWER: Final = "answer"

_INSTRUCTIONS: Final = """\
You can call tools. Answer with one JSON object and nothing else.
To call a tool: {{"tool": "<name of the tool>", "with": {{...}}}}
To answer the user: {{"answer": "<your answer>"}}
Call a tool whenever it can find out what the user asks for. Tools:
{tools}"""


def without_tools(request: ModelRequest) -> ModelRequest:
    """The request as a model understands it that answers by a schema."""
    return evolve(
        request,
        messages=tuple(_plain(request.messages, request.tools)),
        tools=(),
        response_format=_format(request),
    )


def calls_before(messages: Sequence[PromptMessage]) -> int:
    """How many calls the conversation holds."""
    return sum(len(said.calls) for said in messages if isinstance(said, AssistantMessage))


def _format(request: ModelRequest) -> JsonSchemaFormat:
    answer: Mapping[str, object] = {"type": "string"}
    if request.response_format is not None:
        answer = request.response_format.schema.members()
    choices = [*map(_call_schema, request.tools), _object({ANSWER: answer})]
    return JsonSchemaFormat("call_or_answer", JsonObject.of({"anyOf": choices}))


def _call_schema(tool: Tool) -> dict[str, object]:
    return _object({TOOL: {"const": tool.name.value}, ARGUMENTS: tool.parameters.members()})


def _object(properties: Mapping[str, object]) -> dict[str, object]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def _plain(messages: Sequence[PromptMessage], tools: Sequence[Tool]) -> Iterator[PromptMessage]:
    """The messages with the tools explained first, and with results as the user's words."""
    first, said = (messages[0], messages[1:]) if messages else (None, messages)
    system = first.text if isinstance(first, SystemMessage) else ""
    said = said if isinstance(first, SystemMessage) else messages
    yield SystemMessage(f"{system}\n\n{_instructions(tools)}".lstrip())
    results: list[str] = []
    names: dict[str, str] = {}
    for message in said:
        if isinstance(message, ToolMessage):
            results.append(_told(message.result, names))
            continue
        if results:
            yield UserMessage("\n".join(results))
            results = []
        if isinstance(message, AssistantMessage) and message.calls:
            names = {call.id: str(call.name) for call in message.calls}
            yield AssistantMessage("\n".join(map(_written, message.calls)))
        elif isinstance(message, AssistantMessage):
            yield AssistantMessage(json.dumps({ANSWER: message.text}, ensure_ascii=False))
        else:
            yield message
    if results:
        yield UserMessage("\n".join(results))


def _instructions(tools: Sequence[Tool]) -> str:
    lines = (f"- {tool.name}: {tool.description} {tool.parameters}" for tool in tools)
    return _INSTRUCTIONS.format(tools="\n".join(lines))


def _written(call: RequestedCall) -> str:
    return f'{{"{TOOL}": {json.dumps(str(call.name))}, "{ARGUMENTS}": {call.arguments}}}'


def _told(result: ToolResult, names: Mapping[str, str]) -> str:
    name = names.get(result.call_id, "the tool")
    if isinstance(result, ToolSucceeded):
        return f"Result of {name}: {result.text}"
    return f"{name} failed: {result.why}"
