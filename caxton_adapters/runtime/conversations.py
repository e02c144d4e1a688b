"""What was said so far, by agent and conversation, in memory and within a bound."""

from collections import OrderedDict
from typing import Final, final

from attrs import define, field

from caxton_core.conversation.message import Message
from caxton_core.conversation.window import text_bytes
from caxton_core.primitives import AgentId, ConversationId

OVERHEAD: Final = 512
"""What a conversation and a pair of messages take beside their text, roughly, in bytes."""


@final
@define
class Conversations:
    """Histories; beyond `most_bytes` those that were used least lately are forgotten."""

    most_bytes: int
    bytes: int = field(default=0, init=False)
    _histories: OrderedDict[tuple[AgentId, ConversationId], tuple[Message, ...]] = field(
        factory=OrderedDict, init=False
    )

    def history(self, agent: AgentId, conversation: ConversationId) -> tuple[Message, ...]:
        """Everything that was said, oldest first; nothing in a conversation that is new."""
        return self._histories.get((agent, conversation), ())

    def add(self, agent: AgentId, conversation: ConversationId, said: tuple[Message, ...]) -> None:
        """Append what a turn added."""
        key = (agent, conversation)
        before = self._histories.get(key, ())
        self._histories[key] = (*before, *said)
        self._histories.move_to_end(key)
        self.bytes += _size(said) + OVERHEAD
        while self.bytes > self.most_bytes and len(self._histories) > 1:
            _, forgotten = self._histories.popitem(last=False)
            self._left(forgotten)

    def forget_agent(self, agent: AgentId) -> None:
        """Remove every conversation of an agent."""
        for key in [key for key in self._histories if key[0] == agent]:
            self._left(self._histories.pop(key))

    def _left(self, history: tuple[Message, ...]) -> None:
        self.bytes = max(0, self.bytes - _size(history) - OVERHEAD)


def _size(messages: tuple[Message, ...]) -> int:
    return sum(map(text_bytes, messages))
