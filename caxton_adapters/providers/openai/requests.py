"""A model request as the body of a chat completion."""

import json
import re

import msgspec

from caxton_adapters.providers.openai.decoding import repaired
from caxton_adapters.providers.openai.families import reasons
from caxton_adapters.providers.openai.tool_names import LONGEST, wire_name
from caxton_adapters.providers.openai.wire import (
    CalledFunction,
    ChatRequest,
    Function,
    FunctionTool,
    NamedSchema,
    SchemaFormat,
    SentCall,
    SentMessage,
    StreamOptions,
)
from caxton_core.conversation.message import (
    AssistantMessage,
    PromptMessage,
    SystemMessage,
    ToolMessage,
    UserMessage,
)
from caxton_core.conversation.model import JsonSchemaFormat, ModelRequest
from caxton_core.tools.tool import (
    BrokenToolCall,
    RequestedCall,
    Tool,
    ToolCall,
    ToolFailed,
    ToolResult,
    ToolSucceeded,
)

STREAM_OPTIONS = StreamOptions()

_encode = msgspec.json.Encoder().encode


def chat_request(request: ModelRequest, model: str, *, stream: bool) -> ChatRequest:
    """The question in the service's words; a reasoning model is not sent what it refuses."""
    sampling = request.sampling
    longest = None if sampling.max_tokens is None else sampling.max_tokens.value
    thinks = reasons(model)
    return ChatRequest(
        model=model,
        messages=[_message(message) for message in request.messages],
        tools=tuple(map(_tool, request.tools)),
        temperature=None if thinks else sampling.temperature,
        max_tokens=None if thinks else longest,
        max_completion_tokens=longest if thinks else None,
        top_p=None if thinks else sampling.top_p,
        frequency_penalty=None if thinks else sampling.frequency_penalty,
        presence_penalty=None if thinks else sampling.presence_penalty,
        seed=sampling.seed,
        stop=() if thinks else sampling.stop,
        response_format=_format(request.response_format),
        stream=stream,
        stream_options=STREAM_OPTIONS if stream else None,
    )


def encoded(body: ChatRequest) -> bytes:
    """The body as JSON; a lone surrogate, which is no character, is sent as U+FFFD."""
    try:
        return _encode(body)
    except UnicodeEncodeError:
        return repaired(json.dumps(as_builtins(body), ensure_ascii=False)).encode()


def as_builtins(body: ChatRequest) -> dict[str, object]:
    """The body as plain dictionaries and lists."""
    plain = msgspec.to_builtins(body, enc_hook=lambda raw: json.loads(bytes(raw)))
    assert isinstance(plain, dict)
    return plain


def _message(message: PromptMessage) -> SentMessage:
    match message:
        case UserMessage(text):
            return SentMessage("user", text)
        case SystemMessage(text):
            return SentMessage("system", text)
        case AssistantMessage(text, calls):
            content = None if calls and not text else text
            return SentMessage("assistant", content, tuple(map(_call, calls)))
        case ToolMessage(result):
            return SentMessage("tool", _result(result), tool_call_id=result.call_id)


def _result(result: ToolResult) -> str:
    match result:
        case ToolSucceeded(_, text) | ToolFailed(_, text):
            return text


def _call(call: RequestedCall) -> SentCall:
    match call:
        case ToolCall(id_, name, arguments):
            return SentCall(id_, CalledFunction(wire_name(name), arguments.value))
        case BrokenToolCall(id_, broken, arguments):
            # Some services parse the arguments of the past again, so they must be an object.
            held = json.dumps({"unreadable": arguments})
            plain = re.sub("[^a-zA-Z0-9_-]", "_", broken)[:LONGEST]
            return SentCall(id_, CalledFunction(plain or "unknown", held))


def _tool(tool: Tool) -> FunctionTool:
    parameters = msgspec.Raw(tool.parameters.value.encode())
    return FunctionTool(Function(wire_name(tool.name), tool.description, parameters))


def _format(chosen: JsonSchemaFormat | None) -> SchemaFormat | None:
    if chosen is None:
        return None
    return SchemaFormat(NamedSchema(chosen.name, msgspec.Raw(chosen.schema.value.encode())))
