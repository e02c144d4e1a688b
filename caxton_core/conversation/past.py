"""What a turn knows when it begins: what was said before, and what the agent remembers."""

from typing import final

from attrs import frozen

from caxton_core.conversation.message import Message
from caxton_core.primitives import AgentId, ConversationId


@final
@frozen
class ConversationKey:
    """One conversation: of an agent alone, or shared by all agents whose files say so (None)."""

    conversation: ConversationId
    agent: AgentId | None


@final
@frozen
class Past:
    """The conversation so far, oldest first, and what was recalled for the message.

    `summary` stands for everything that was said before the messages.
    """

    messages: tuple[Message, ...] = ()
    summary: str = ""
    recalled: tuple[str, ...] = ()


@final
@frozen
class Summary:
    """What takes the place of the oldest `exchanges` of the past that a turn was given.

    The summary that the past had already is part of it.
    """

    text: str
    exchanges: int


NOTHING = Past()
