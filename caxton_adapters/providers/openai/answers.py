"""Answers in the core's words, out of whole responses and out of the chunks of a stream."""

from typing import final

from attrs import define, field
from returns.result import Failure, Success

from caxton_adapters.providers.openai.tool_names import tool_name
from caxton_adapters.providers.openai.wire import (
    ChatResponse,
    Choice,
    CountedUsage,
    ReceivedCall,
    ReceivedMessage,
)
from caxton_core.conversation.model import (
    AnswerCut,
    AnswerEmpty,
    Completion,
    ContentFiltered,
    FinishReason,
    ModelFailure,
    ModelRequest,
)
from caxton_core.limits import Usage
from caxton_core.ports import Answer
from caxton_core.primitives import JsonObject
from caxton_core.primitives.json_object import MOST_LEVELS
from caxton_core.tools.tool import BrokenToolCall, RequestedCall, Tool, ToolCall

NO_USAGE = Usage()
FINISH_REASONS = {
    "stop": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "tool_calls": FinishReason.TOOL_CALLS,
    "function_call": FinishReason.TOOL_CALLS,
    "content_filter": FinishReason.CONTENT_FILTER,
}


def completion(response: ChatResponse, request: ModelRequest, model: str) -> Answer:
    """The answer that a whole response holds; `model` was asked."""
    if not response.choices:
        return Failure(AnswerEmpty())
    choice = response.choices[0]
    message = choice.message or ReceivedMessage()
    calls = tuple(_call(call, request.tools) for call in message.tool_calls or ())
    return _answer(
        message.content or message.refusal or "",
        calls,
        choice.finish_reason,
        usage(response.usage),
        response.model or model,
    )


def usage(counted: CountedUsage | None) -> Usage:
    """What the service counted; nothing where it does not count."""
    if counted is None:
        return NO_USAGE
    prompt, answer = counted.prompt_tokens_details, counted.completion_tokens_details
    return Usage(
        counted.prompt_tokens or 0,
        counted.completion_tokens or 0,
        (prompt.cached_tokens or 0) if prompt is not None else 0,
        (answer.reasoning_tokens or 0) if answer is not None else 0,
    )


def _answer(
    text: str, calls: tuple[RequestedCall, ...], finish: str | None, counted: Usage, model: str
) -> Answer:
    default = FinishReason.TOOL_CALLS if calls else FinishReason.STOP
    reason = FINISH_REASONS.get(finish or "", default)
    if reason is FinishReason.CONTENT_FILTER and not text and not calls:
        return Failure(ContentFiltered("the service withheld the answer"))
    return Success(Completion(text, reason, counted, model, calls))


def _call(call: ReceivedCall, tools: tuple[Tool, ...]) -> RequestedCall:
    function = call.function
    name = (function.name if function else None) or ""
    arguments = (function.arguments if function else None) or "{}"
    return requested_call(call.id or "", name, arguments, tools)


def requested_call(id_: str, name: str, arguments: str, tools: tuple[Tool, ...]) -> RequestedCall:
    """A call with its name and arguments read, or what is wrong with them."""
    tool = tool_name(name, tools)
    if tool is None:
        return BrokenToolCall(id_, name, arguments, f"there is no tool {name!r}")
    read = JsonObject.parse(arguments)
    if isinstance(read, Failure):
        why = f"the arguments are not a JSON object of at most {MOST_LEVELS} levels"
        return BrokenToolCall(id_, name, arguments, why)
    return ToolCall(id_, tool, read.unwrap())


@final
@define
class CallPieces:
    """A call that comes piece by piece."""

    id: str = ""
    name: str = ""
    arguments: list[str] = field(factory=list)


@final
class Assembly:
    """A streamed answer so far: `take` each chunk, then ask for the `answer`."""

    __slots__ = ("_calls", "_finish", "_model", "_request", "_seen", "_text", "_usage")

    def __init__(self, request: ModelRequest, model: str) -> None:
        self._request = request
        self._model = model
        self._text: list[str] = []
        self._calls: dict[int, CallPieces] = {}
        self._finish: str | None = None
        self._usage: CountedUsage | None = None
        self._seen = False

    def take(self, chunk: ChatResponse) -> str:
        """Add a chunk; its text is what there is to show."""
        if chunk.usage is not None:
            self._usage = chunk.usage
        if chunk.model:
            self._model = chunk.model
        if not chunk.choices:
            return ""
        return self._take_choice(chunk.choices[0])

    @property
    def finished(self) -> bool:
        """Whether the service said why the answer ends."""
        return self._finish is not None

    def answer(self) -> Answer:
        """The whole answer, or why it is none."""
        if self._finish is None:
            return Failure(self._unfinished())
        calls = tuple(
            requested_call(call.id, call.name, "".join(call.arguments) or "{}", self._request.tools)
            for _, call in sorted(self._calls.items())
        )
        return _answer("".join(self._text), calls, self._finish, usage(self._usage), self._model)

    def _unfinished(self) -> ModelFailure:
        if self._seen:
            return AnswerCut("the stream ended before the answer did")
        return AnswerEmpty()

    def _take_choice(self, choice: Choice) -> str:
        self._seen = True
        if choice.finish_reason:
            self._finish = choice.finish_reason
        delta = choice.delta or choice.message
        if delta is None:
            return ""
        for call in delta.tool_calls or ():
            self._take_call(call)
        text = delta.content or delta.refusal or ""
        if text:
            self._text.append(text)
        return text

    def _take_call(self, piece: ReceivedCall) -> None:
        """Add a piece of a call; without an index an id begins a call and the rest follows it."""
        index = piece.index
        if index is None:
            index = len(self._calls) - (0 if piece.id or not self._calls else 1)
        call = self._calls.setdefault(index, CallPieces())
        call.id = call.id or piece.id or ""
        if piece.function is not None:
            call.name = call.name or piece.function.name or ""
            call.arguments.append(piece.function.arguments or "")
