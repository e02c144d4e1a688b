"""New names for things: sortable by time, and never the same twice."""

import random
import time
import uuid
from typing import Final

from caxton_core.primitives import AgentId, ConversationId, MessageId

MESSAGE: Final = "msg_"
"""How the identity of every message begins."""

_CONVERSATION: Final = "conv_"
_random: Final = random.Random()  # noqa: S311 - never the same twice is all that is needed


def new_agent_id() -> AgentId:
    """A random UUID."""
    return AgentId(str(uuid.uuid4()))


def new_message_id() -> MessageId:
    """An identity that sorts by the time at which it was made."""
    return MessageId(MESSAGE + _sortable())


def new_conversation_id() -> ConversationId:
    """An identity that sorts by the time at which it was made."""
    return ConversationId(_CONVERSATION + _sortable())


def is_ours(conversation: ConversationId) -> bool:
    """Whether the identity looks like one that was made here."""
    return conversation.value.startswith(_CONVERSATION)


def _sortable() -> str:
    milliseconds = time.time_ns() // 1_000_000
    return f"{milliseconds:011x}{_random.getrandbits(64):016x}"
