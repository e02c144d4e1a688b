"""A store under test with its three ports, and messages to put into it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from attrs import evolve, frozen
from returns.result import Result, Success

from caxton_core.conversation.message import AssistantMessage, Message, UserMessage
from caxton_core.conversation.model import Completion, FinishReason
from caxton_core.conversation.outcome import Answered, NotAnswered
from caxton_core.conversation.past import ConversationKey, Past, Summary
from caxton_core.conversation.turn import CallTools, Cancelled, ModelAnswered
from caxton_core.events import (
    CallAnswered,
    MessageAccepted,
    MessageEnded,
    MessageReopened,
    Observed,
    StepTaken,
    TurnEvent,
    TurnResumed,
)
from caxton_core.journal import StoredMessage, Unfinished
from caxton_core.limits import Usage
from caxton_core.ports import Conversations, Journal, Messages
from caxton_core.primitives import AgentId, ConversationId, JsonObject, MessageId, ToolName
from caxton_core.storage import NotRead, NotStored
from caxton_core.tools.tool import ToolCall, ToolResult, ToolSucceeded

T = TypeVar("T")

NOON = datetime(2026, 1, 2, 12, 0, 0, 123456, tzinfo=UTC)
EARLIER = NOON - timedelta(hours=1)
GREETER = AgentId("00000000-0000-4000-8000-000000000001")
WRITER = AgentId("00000000-0000-4000-8000-000000000002")
SUPPORT = ConversationId("support-42")
PLACE = ConversationKey(SUPPORT, GREETER)


@frozen
class Stores:
    """One store, by what it can do."""

    journal: Journal
    messages: Messages
    conversations: Conversations


def done(result: Result[T, NotStored | NotRead]) -> T:
    """What came of it; a store under test does what it is asked."""
    assert isinstance(result, Success), result
    return result.unwrap()


def accepted(
    number: int, agent: AgentId = GREETER, conversation: ConversationId = SUPPORT
) -> MessageAccepted:
    """A message unlike those of other numbers, accepted that many seconds after noon."""
    return MessageAccepted(
        agent,
        NOON + timedelta(seconds=number),
        MessageId(f"msg-{number}"),
        conversation,
        f"Question {number}",
    )


def observed(message: MessageAccepted, text: str = "Hello!") -> Observed:
    """What the model answered to it."""
    completion = Completion(text, FinishReason.STOP, Usage(3, 4), "some-model")
    return Observed(message.agent, message.at, message.message, ModelAnswered(completion))


def answered(
    message: MessageAccepted, *said: Message, summary: Summary | None = None
) -> MessageEnded:
    """Its ending with an answer a second later; without words of its own with two usual ones."""
    text = f"Answer to {message.text}"
    said = said or (UserMessage(message.text), AssistantMessage(text))
    outcome = Answered(text, FinishReason.STOP, "some-model", Usage(3, 4))
    at = message.at + timedelta(seconds=1)
    return MessageEnded(message.agent, at, message.message, outcome, said, summary)


def cancelled(message: MessageAccepted) -> MessageEnded:
    """Its ending without an answer a second later."""
    at = message.at + timedelta(seconds=1)
    return MessageEnded(message.agent, at, message.message, NotAnswered(Cancelled()))


def shared(message: MessageAccepted) -> MessageAccepted:
    """The same, in a conversation that agents share."""
    return evolve(message, shared=True)


async def append(store: Stores, *events: TurnEvent) -> None:
    """Record the events."""
    done(await store.journal.append(*events))


async def exchange(
    store: Stores, message: MessageAccepted, *, summary: Summary | None = None
) -> MessageAccepted:
    """A message that is accepted and answered."""
    await append(store, message)
    await append(store, answered(message, summary=summary))
    return message


async def past(
    store: Stores,
    place: ConversationKey = PLACE,
    *,
    at_most: int | None = None,
    since: datetime = EARLIER,
) -> Past:
    """What a turn would know."""
    return done(await store.conversations.past(place, at_most=at_most, since=since))


def questions(past: Past) -> Sequence[int]:
    """The numbers of the messages whose exchanges make up the past."""
    texts = [said.text for said in past.messages if isinstance(said, UserMessage)]
    return [int(text.removeprefix("Question ")) for text in texts]


def call(number: int) -> ToolCall:
    """A call unlike those of other numbers."""
    return ToolCall(f"call_{number}", ToolName("files.write"), JsonObject('{"path":"/a"}'))


def step(message: MessageAccepted, *calls: ToolCall) -> StepTaken:
    """The turn wants these calls."""
    return StepTaken(message.agent, message.at, message.message, CallTools(calls))


def resumed(message: MessageAccepted, attempt: int) -> TurnResumed:
    """The server started again."""
    return TurnResumed(message.agent, message.at, message.message, attempt)


def result(message: MessageAccepted, number: int, text: str = "done") -> CallAnswered:
    """One call has its result."""
    known = ToolSucceeded(f"call_{number}", text)
    return CallAnswered(message.agent, message.at, message.message, known)


def reopened(message: MessageAccepted, *results: ToolResult) -> MessageReopened:
    """A person wants the turn to go on."""
    return MessageReopened(message.agent, message.at, message.message, results)


async def unfinished(store: Stores) -> Sequence[Unfinished]:
    """What a server that starts finds."""
    return done(await store.journal.unfinished())


async def find(store: Stores, message: MessageAccepted) -> StoredMessage | None:
    """The message as it is stored."""
    return done(await store.journal.find(message.message))


async def found(store: Stores, message: MessageAccepted) -> StoredMessage:
    """The message as it is stored, which it is."""
    stored = await find(store, message)
    assert stored is not None
    return stored
