"""History that every provider accepts, whatever became of it: imported, cut off, shared.

Each call has exactly one result, directly after the message that asks for it; no result stands
alone; calls have ids of their own; the first word is a user's.
"""

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Final

from attrs import evolve

from caxton_core.conversation.message import AssistantMessage, Message, ToolMessage, UserMessage
from caxton_core.tools.tool import RequestedCall, ToolFailed, ToolResult

INTERRUPTED: Final = "interrupted: nobody knows what came of this call"


def repaired(history: tuple[Message, ...]) -> tuple[Message, ...]:
    """The history itself where it is sound, else the nearest one that is.

    Every user's message stays, so a history has as many exchanges after it as before.
    """
    return history if is_sound(history) else tuple(_mended(history))


def is_sound(history: Sequence[Message]) -> bool:
    """Whether a provider accepts the history as it is."""
    if history and type(history[0]) is not UserMessage:
        return False
    seen: set[str] = set()
    waiting: set[str] = set()
    for message in history:
        if isinstance(message, ToolMessage):
            if message.result.call_id not in waiting:
                return False
            waiting.remove(message.result.call_id)
        elif waiting:
            return False
        elif isinstance(message, AssistantMessage) and message.calls:
            waiting = {call.id for call in message.calls}
            if len(waiting) != len(message.calls) or "" in waiting or waiting & seen:
                return False
            seen |= waiting
    return not waiting


def _mended(history: tuple[Message, ...]) -> Iterator[Message]:
    taken = {
        call.id for said in history if isinstance(said, AssistantMessage) for call in said.calls
    }
    seen = {""}
    begun = False
    for place, message in enumerate(history):
        begun = begun or isinstance(message, UserMessage)
        if not begun or isinstance(message, ToolMessage):
            continue
        if isinstance(message, UserMessage) or not message.calls:
            yield message
            continue
        calls = with_own_ids(message.calls, seen, taken)
        seen.update(call.id for call in calls)
        yield message if calls == message.calls else evolve(message, calls=calls)
        yield from _results(message.calls, calls, _told(history, place + 1))


def with_own_ids(
    calls: tuple[RequestedCall, ...], seen: set[str], taken: set[str]
) -> tuple[RequestedCall, ...]:
    """The calls, with new ids for those whose ids were `seen`; no new id is one of `taken`."""
    own = []
    used = set(seen)
    fresh = (name for n in count(1) if (name := f"call_{n}") not in taken and name not in used)
    for call in calls:
        named = evolve(call, id=next(fresh)) if call.id in used else call
        used.add(named.id)
        own.append(named)
    return tuple(own)


def _results(
    asked: tuple[RequestedCall, ...], calls: tuple[RequestedCall, ...], told: list[ToolResult]
) -> Iterator[ToolMessage]:
    """One result for each call: the first that was told under the id by which it was asked."""
    for was, call in zip(asked, calls, strict=True):
        result = next((result for result in told if result.call_id == was.id), None)
        if result is None:
            yield ToolMessage(ToolFailed(call.id, INTERRUPTED))
            continue
        told.remove(result)
        yield ToolMessage(result if call.id == was.id else evolve(result, call_id=call.id))


def _told(history: Sequence[Message], start: int) -> list[ToolResult]:
    """The results that stand one after another from there."""
    told = []
    for place in range(start, len(history)):
        message = history[place]
        if not isinstance(message, ToolMessage):
            break
        told.append(message.result)
    return told
