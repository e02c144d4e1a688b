"""The part of a chat completion request that the model server looks at."""

from typing import Any, TypeAlias

from msgspec import Struct
from msgspec.json import Decoder

JsonObject: TypeAlias = dict[str, Any]


class Part(Struct):
    """One part of a message's content."""

    type: str = "text"
    text: str = ""


class CalledFunction(Struct):
    """What was called, with the JSON text of its arguments."""

    name: str
    arguments: str


class SaidCall(Struct):
    """The wrapper that the wire puts around a call."""

    function: CalledFunction


class Message(Struct):
    """Who said what."""

    role: str
    content: str | list[Part] | None = None
    tool_calls: list[SaidCall] | None = None

    @property
    def text(self) -> str:
        """The content without its pictures."""
        content = self.content
        if isinstance(content, str):
            return content
        return "".join(part.text for part in content or ())


class Function(Struct):
    """A function that the model may call."""

    name: str
    description: str = ""
    parameters: JsonObject = {}


class Tool(Struct):
    """The wrapper that the wire puts around a function."""

    function: Function


class StreamOptions(Struct):
    """What a stream carries beside the text."""

    include_usage: bool = False


class NamedSchema(Struct):
    """A JSON schema under the name that the client gave it."""

    schema: JsonObject = {}


class ResponseFormat(Struct):
    """The form that the answer must have."""

    type: str
    json_schema: NamedSchema | None = None


class ChatRequest(Struct):
    """One call of `/chat/completions`."""

    model: str
    messages: list[Message]
    stream: bool = False
    stream_options: StreamOptions | None = None
    tools: list[Tool] = []
    tool_choice: str | JsonObject | None = None
    response_format: ResponseFormat | None = None

    @property
    def prompt_tokens(self) -> int:
        """Four characters are a token, at least one a message."""
        tokens = 0
        for message in self.messages:
            tokens += 1 + len(message.text) // 4
        return tokens


decode_chat_request = Decoder(ChatRequest).decode
