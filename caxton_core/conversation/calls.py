"""The calls that a model asks for in one answer: which of them are made, and what came of each."""

from collections.abc import Iterable
from typing import Final

from caxton_core.conversation.message import AssistantMessage, Message, ToolMessage
from caxton_core.conversation.repair import with_own_ids
from caxton_core.tools.tool import (
    BrokenToolCall,
    RequestedCall,
    ToolCall,
    ToolFailed,
    ToolResult,
)

MOST_CALLS_IN_A_ROUND: Final = 64


def with_distinct_ids(
    calls: tuple[RequestedCall, ...], said: Iterable[Message]
) -> tuple[RequestedCall, ...]:
    """The calls, with ids of ours for those whose ids are missing or were used in `said`."""
    if not calls:
        return calls
    earlier = (call for told in said if isinstance(told, AssistantMessage) for call in told.calls)
    used = {"", *(call.id for call in earlier)}
    return with_own_ids(calls, used, used | {call.id for call in calls})


def to_be_made(calls: Iterable[RequestedCall]) -> tuple[ToolCall, ...]:
    """The calls that can be made, as far as one round may have so many.

    Also of tools that are not offered: whoever makes the calls refuses those, so that a turn goes
    the same way again when other tools are offered than before.
    """
    sound = (call for call in calls if isinstance(call, ToolCall))
    return tuple(sound)[:MOST_CALLS_IN_A_ROUND]


def answered_calls(asking: Message, results: Iterable[ToolResult]) -> tuple[ToolMessage, ...]:
    """Exactly one result for every call of the message, whatever was told."""
    told = {result.call_id: result for result in results}
    calls = asking.calls if isinstance(asking, AssistantMessage) else ()
    return tuple(ToolMessage(told.get(call.id) or _not_made(call)) for call in calls)


def _not_made(call: RequestedCall) -> ToolFailed:
    match call:
        case BrokenToolCall():
            return ToolFailed(call.id, call.why)
        case ToolCall():
            return ToolFailed(call.id, f"{call.name.value} was not called")
