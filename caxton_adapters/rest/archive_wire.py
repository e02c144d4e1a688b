"""Stored messages and conversations as they stand on the wire."""

from typing import Annotated

import msgspec
from msgspec import Meta

from caxton_adapters.rest.problem import ProblemDetails
from caxton_adapters.rest.wire import (
    Conversation,
    MessageId,
    MessageState,
    Name,
    Time,
    ToolCallBody,
    UsageBody,
)


class MessagePage(msgspec.Struct, frozen=True):
    """Messages; `next` is the cursor of the next page, null at the end."""

    messages: tuple[MessageState, ...]
    next: str | None


class FailedCall(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A tool call of which somebody knows that it failed."""

    failed: Annotated[str, Meta(description="Why, in words that the model can react to.")]


class RetryRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What came of calls whose outcome was unknown, by their ids; the others are made again."""

    results: dict[str, str | FailedCall] = msgspec.field(default_factory=dict)


class ConversationBody(msgspec.Struct, frozen=True):
    """A conversation: an agent has it for itself, or, where `agent` is null, agents share it.

    `summary` stands for what the models are not shown any more.
    """

    conversation_id: Conversation
    agent: Name | None
    message_count: int
    created: Time
    last_used: Time
    summary: str


class ConversationPage(msgspec.Struct, frozen=True):
    """Conversations, the one used last first; `next` is the cursor of the next page."""

    conversations: tuple[ConversationBody, ...]
    next: str | None


class ConversationDetails(msgspec.Struct, frozen=True):
    """A conversation with some of its messages, oldest first."""

    conversation_id: Conversation
    agent: Name | None
    message_count: int
    created: Time
    last_used: Time
    summary: str
    messages: tuple[MessageState, ...]
    next: str | None


class SaidBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the user, the assistant or a tool said; `failed` marks a tool's failure."""

    role: str
    text: str
    tool_calls: tuple[ToolCallBody, ...] = ()
    call_id: str | None = None
    failed: bool = False


class ExportedMessage(msgspec.Struct, frozen=True, omit_defaults=True):
    """A message with everything that was said in its turn."""

    message_id: MessageId
    conversation_id: str
    agent: Name
    accepted: Time
    status: str
    text: str
    said: tuple[SaidBody, ...] = ()
    model: str | None = None
    finish_reason: str | None = None
    usage: UsageBody | None = None
    problem: ProblemDetails | None = None
