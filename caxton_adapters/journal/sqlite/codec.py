"""What happened and what was said as JSON, and back; read into domain classes and nothing else."""

import json
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias, TypeVar

import msgspec
from attrs import evolve

from caxton_adapters.converting import converter
from caxton_core.conversation.message import AssistantMessage, Message, UserMessage
from caxton_core.conversation.model import ModelFailure
from caxton_core.conversation.outcome import Answered, NotAnswered, Outcome, TurnFailure
from caxton_core.conversation.turn import Observation
from caxton_core.tools.approval import Approval, Said
from caxton_core.tools.tool import RequestedCall, ToolCall, ToolResult

T = TypeVar("T")
Plain: TypeAlias = object
"""None, numbers, texts, and lists and string-keyed dicts of them."""

_UNIONS: Final = (
    RequestedCall,
    ToolResult,
    Message,
    ModelFailure,
    TurnFailure,
    Observation,
    Said,
)
_CONVERTER: Final = converter(*_UNIONS)

_Calls = tuple[ToolCall, ...]
_Results = tuple[ToolResult, ...]
_Said = tuple[Message, ...]
_observation_from: Final = _CONVERTER.get_structure_hook(Observation)
_result_from: Final = _CONVERTER.get_structure_hook(ToolResult)
_results_from: Final = _CONVERTER.get_structure_hook(_Results)
_calls_from: Final = _CONVERTER.get_structure_hook(_Calls)
_said_from: Final = _CONVERTER.get_structure_hook(_Said)
_approval_from: Final = _CONVERTER.get_structure_hook(Approval)
_consent_from: Final = _CONVERTER.get_structure_hook(Said)
_answered_from: Final = _CONVERTER.get_structure_hook(Answered)
_not_answered_from: Final = _CONVERTER.get_structure_hook(NotAnswered)

plain_observation: Final[Callable[[Observation], Plain]] = _CONVERTER.get_unstructure_hook(
    Observation
)
plain_result: Final[Callable[[ToolResult], Plain]] = _CONVERTER.get_unstructure_hook(ToolResult)
plain_results: Final[Callable[[_Results], Plain]] = _CONVERTER.get_unstructure_hook(_Results)
plain_calls: Final[Callable[[_Calls], Plain]] = _CONVERTER.get_unstructure_hook(_Calls)
plain_approval: Final[Callable[[Approval], Plain]] = _CONVERTER.get_unstructure_hook(Approval)
plain_consent: Final[Callable[[Said], Plain]] = _CONVERTER.get_unstructure_hook(Said)
_plain_said: Final[Callable[[_Said], list[Plain]]] = _CONVERTER.get_unstructure_hook(_Said)
_plain_answered: Final[Callable[[Answered], dict[str, Plain]]] = _CONVERTER.get_unstructure_hook(
    Answered
)
_plain_not_answered: Final[Callable[[NotAnswered], dict[str, Plain]]] = (
    _CONVERTER.get_unstructure_hook(NotAnswered)
)


def observation(plain: Plain) -> Observation:
    """The observation that `plain_observation` wrote."""
    read: Observation = _observation_from(plain, Observation)
    return read


def result(plain: Plain) -> ToolResult:
    """The result that `plain_result` wrote."""
    read: ToolResult = _result_from(plain, ToolResult)
    return read


def results(plain: Plain) -> _Results:
    """The results that `plain_results` wrote."""
    read: _Results = _results_from(plain, _Results)
    return read


def calls(plain: Plain) -> _Calls:
    """The calls that `plain_calls` wrote."""
    read: _Calls = _calls_from(plain, _Calls)
    return read


def approval(plain: Plain) -> Approval:
    """The approval that `plain_approval` wrote."""
    read: Approval = _approval_from(plain, Approval)
    return read


def consent(plain: Plain) -> Said:
    """What a person said, as `plain_consent` wrote it."""
    read: Said = _consent_from(plain, Said)
    return read


def plain_said(said: _Said) -> list[Plain]:
    """What was said; None stands for the user's message at the beginning."""
    if said and isinstance(said[0], UserMessage):
        return [None, *_plain_said(said[1:])]
    return _plain_said(said)


def said(plain: Sequence[Plain], opening: str) -> _Said:
    """What `plain_said` wrote, with the text of the message at its beginning."""
    if plain and plain[0] is None:
        rest: _Said = _said_from(plain[1:], _Said)
        return (UserMessage(opening), *rest)
    read: _Said = _said_from(plain, _Said)
    return read


def plain_outcome(outcome: Outcome, said: _Said) -> Plain:
    """The outcome without what follows from what was said: the text and the calls of an answer."""
    match outcome:
        case Answered():
            plain = _plain_answered(outcome)
            if (outcome.text, outcome.calls) == _answer_in(said):
                del plain["text"]
                plain.pop("calls", None)
            return plain
        case NotAnswered():
            return _plain_not_answered(outcome)


def outcome(plain: dict[str, Plain], said: _Said, *, answered: bool) -> Outcome:
    """The outcome that `plain_outcome` wrote."""
    if not answered:
        missing: NotAnswered = _not_answered_from(plain, NotAnswered)
        return missing
    if "text" in plain:
        whole: Answered = _answered_from(plain, Answered)
        return whole
    text, requested = _answer_in(said)
    read: Answered = _answered_from({**plain, "text": text}, Answered)
    return evolve(read, calls=requested) if requested else read


def _answer_in(said: _Said) -> tuple[str, tuple[RequestedCall, ...]]:
    last = said[-1] if said else None
    text = last.text if isinstance(last, AssistantMessage) else ""
    spoken = (message for message in said if isinstance(message, AssistantMessage))
    return text, tuple(call for message in spoken for call in message.calls)


def written(plain: Plain) -> str:
    """The plain value as JSON; only JSON's escapes can say half a surrogate pair."""
    try:
        return msgspec.json.encode(plain).decode()
    except UnicodeEncodeError:
        return json.dumps(plain, separators=(",", ":"))


def _reader(kind: type[T]) -> Callable[[str], T]:
    quick = msgspec.json.Decoder(kind)

    def read(text: str) -> T:
        try:
            return quick.decode(text)
        except msgspec.DecodeError:
            return msgspec.convert(json.loads(text), kind)

    return read


text_from: Final = _reader(str)
plain_from: Final = _reader(object)
list_from: Final = _reader(list[object])
object_from: Final = _reader(dict[str, object])
exchanges_from: Final = _reader(list[tuple[str, list[object]]])
