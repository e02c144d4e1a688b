"""How a message ended: with an answer, or with the reason why there is none."""

from enum import Enum
from typing import TypeAlias, final

from attrs import frozen

from caxton_core.conversation.model import FinishReason
from caxton_core.conversation.turn import Cancelled, GiveUpReason, Reply
from caxton_core.limits import Usage
from caxton_core.storage import NotRead, NotStored
from caxton_core.tools.tool import RequestedCall, ToolCall


@final
@frozen
class AgentCrashed:
    """The agent broke down on this message, and again when it was tried anew."""

    why: str


@final
@frozen
class AgentGone:
    """The agent takes no part any more: stopped, deleted or failed before it answered."""

    why: str


@final
@frozen
class OutcomeUnknown:
    """The turn was cut off while these tools were at work, and they may not be called twice.

    Whether they did it is for a person to find out; the turn can go on from there.
    """

    calls: tuple[ToolCall, ...]


@final
@frozen
class DeadLettered:
    """The server ended so often while it worked on the message that it is not tried again."""

    attempts: int


@final
@frozen
class Suspended:
    """The server ends; the message is kept, and goes on when the server starts again."""


TurnFailure: TypeAlias = (
    GiveUpReason
    | AgentCrashed
    | AgentGone
    | OutcomeUnknown
    | DeadLettered
    | Suspended
    | NotRead
    | NotStored
)


@final
@frozen
class Answered:
    """The agent's answer."""

    text: str
    finish: FinishReason
    model: str
    usage: Usage
    calls: tuple[RequestedCall, ...] = ()


@final
@frozen
class NotAnswered:
    """Why there is no answer, and what was spent all the same."""

    why: TurnFailure
    usage: Usage = Usage()


Outcome: TypeAlias = Answered | NotAnswered


@final
class MessageState(Enum):
    """Where a message is on its way."""

    ACCEPTED = "accepted"
    RUNNING = "running"
    ANSWERED = "answered"
    FAILED = "failed"
    CANCELLED = "cancelled"
    DEAD_LETTERED = "dead_lettered"


def state_after(outcome: Outcome) -> MessageState:
    """The state of a message that ended so."""
    match outcome:
        case Answered():
            return MessageState.ANSWERED
        case NotAnswered(Cancelled()):
            return MessageState.CANCELLED
        case NotAnswered(DeadLettered()):
            return MessageState.DEAD_LETTERED
        case NotAnswered(Suspended()):
            return MessageState.ACCEPTED
        case NotAnswered():
            return MessageState.FAILED


def answered(reply: Reply) -> Answered:
    """What the sender is told of a turn that ended well."""
    calls = tuple(call for message in reply.said for call in getattr(message, "calls", ()))
    return Answered(reply.text, reply.finish, reply.model, reply.usage, calls)
