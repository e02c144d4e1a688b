"""The chat completions wire: what is sent, and the parts that are read of what comes back."""

from typing import Literal

from msgspec import Raw, Struct


class Function(Struct, frozen=True):
    """A function that the model may call."""

    name: str
    description: str
    parameters: Raw


class FunctionTool(Struct, frozen=True):
    """A tool of the only kind that we offer."""

    function: Function
    type: Literal["function"] = "function"


class CalledFunction(Struct, frozen=True):
    """A function with arguments; they are JSON in a text."""

    name: str
    arguments: str


class SentCall(Struct, frozen=True):
    """A call that an assistant message of the past made."""

    id: str
    function: CalledFunction
    type: Literal["function"] = "function"


class SentMessage(Struct, frozen=True, omit_defaults=True, gc=False):
    """A message of the conversation; `content` is null where an assistant only called tools."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str | None
    tool_calls: tuple[SentCall, ...] = ()
    tool_call_id: str | None = None


class NamedSchema(Struct, frozen=True):
    """A JSON Schema that the answer must fit."""

    name: str
    schema: Raw
    strict: bool = True


class SchemaFormat(Struct, frozen=True):
    """Structured output."""

    json_schema: NamedSchema
    type: Literal["json_schema"] = "json_schema"


class StreamOptions(Struct, frozen=True):
    """What a stream shall carry beside the answer."""

    include_usage: bool = True


class ChatRequest(Struct, frozen=True, omit_defaults=True):
    """The body of a chat completion."""

    model: str
    messages: list[SentMessage]
    tools: tuple[FunctionTool, ...] = ()
    temperature: float | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    top_p: float | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    response_format: SchemaFormat | None = None
    stream: bool = False
    stream_options: StreamOptions | None = None
    tool_choice: Literal["required"] | None = None


class PromptDetails(Struct, frozen=True, gc=False):
    """Parts of the prompt tokens."""

    cached_tokens: int | None = None


class CompletionDetails(Struct, frozen=True, gc=False):
    """Parts of the completion tokens."""

    reasoning_tokens: int | None = None


class CountedUsage(Struct, frozen=True, gc=False):
    """What the service counted."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: PromptDetails | None = None
    completion_tokens_details: CompletionDetails | None = None


class CallPart(Struct, frozen=True, gc=False):
    """A function's name and arguments, or a piece of them."""

    name: str | None = None
    arguments: str | None = None


class ReceivedCall(Struct, frozen=True, gc=False):
    """A call of a tool, or a piece of it: `index` says of which."""

    index: int | None = None
    id: str | None = None
    function: CallPart | None = None


class ReceivedMessage(Struct, frozen=True, gc=False):
    """A message of the assistant, or a piece of it."""

    content: str | None = None
    refusal: str | None = None
    tool_calls: list[ReceivedCall] | None = None


class Choice(Struct, frozen=True, gc=False):
    """One answer: `message` as a whole, `delta` in a stream."""

    index: int | None = None
    message: ReceivedMessage | None = None
    delta: ReceivedMessage | None = None
    finish_reason: str | None = None


class ErrorDetail(Struct, frozen=True):
    """Why a request failed; services agree on little more than the message."""

    message: str | None = None
    type: str | None = None
    code: str | int | None = None


class ChatResponse(Struct, frozen=True, gc=False):
    """A completion or a chunk of one, or an error in its place."""

    choices: list[Choice] | None = None
    usage: CountedUsage | None = None
    model: str | None = None
    error: ErrorDetail | str | None = None


class ErrorResponse(Struct, frozen=True):
    """The body of a refusal, in any of the forms that are about."""

    error: ErrorDetail | str | None = None
    message: str | None = None
    detail: object = None
    type: str | None = None
    code: str | int | None = None


class TemplateCapabilities(Struct, frozen=True):
    """What the chat template of a llama.cpp model can express."""

    supports_tools: bool = False
    supports_tool_calls: bool = False


class Modalities(Struct, frozen=True):
    """What a llama.cpp model can read beside text."""

    vision: bool = False


class GenerationSettings(Struct, frozen=True):
    """How a llama.cpp server generates; `n_ctx` is the context of one slot."""

    n_ctx: int | None = None


class LlamaProperties(Struct, frozen=True):
    """What a llama.cpp server says about itself at `/props`."""

    chat_template_caps: TemplateCapabilities
    default_generation_settings: GenerationSettings = GenerationSettings()
    modalities: Modalities = Modalities()


class ModelMeta(Struct, frozen=True):
    """What llama.cpp adds to a listed model."""

    n_ctx_train: int | None = None


class ListedModel(Struct, frozen=True):
    """One entry of the model list, with the names that services give the context length."""

    id: str
    max_model_len: int | None = None
    context_length: int | None = None
    context_window: int | None = None
    meta: ModelMeta | None = None
    supported_parameters: list[str] | None = None


class ModelList(Struct, frozen=True):
    """The models of a service."""

    data: list[ListedModel] = []
