"""What was said so far, by agent and conversation, in memory and within a bound.

Time is in monotonic seconds and comes as an argument.
"""

from collections import OrderedDict
from typing import Final, TypeAlias, final

from attrs import define, field

from caxton_core.conversation.message import Message
from caxton_core.conversation.window import text_bytes
from caxton_core.primitives import AgentId, ConversationId

OVERHEAD: Final = 512
"""What a conversation and a pair of messages take beside their text, roughly, in bytes."""

_Key: TypeAlias = tuple[AgentId, ConversationId]


@final
@define(eq=False)
class _Conversation:
    """A history, forgotten when nobody uses it `until` then."""

    until: float
    said: tuple[Message, ...] = ()
    bytes: int = 0


@final
@define
class Conversations:
    """Histories; beyond `most_bytes` those that were used least lately are forgotten."""

    most_bytes: int
    bytes: int = field(default=0, init=False)
    _kept: OrderedDict[_Key, _Conversation] = field(factory=OrderedDict, init=False)

    def history(
        self, agent: AgentId, conversation: ConversationId, *, now: float, idle: float
    ) -> tuple[Message, ...]:
        """Everything that was said, oldest first; nothing in a conversation that is new.

        To ask is to use it: it is kept for another `idle` seconds.
        """
        key = (agent, conversation)
        kept = self._kept.get(key)
        if kept is None:
            return ()
        if kept.until < now:
            self._forget(key)
            return ()
        kept.until = now + idle
        self._kept.move_to_end(key)
        return kept.said

    def add(
        self,
        agent: AgentId,
        conversation: ConversationId,
        said: tuple[Message, ...],
        *,
        now: float,
        idle: float,
    ) -> None:
        """Append what a turn added, and trim: first what was idle for too long."""
        key = (agent, conversation)
        kept = self._kept.setdefault(key, _Conversation(now))
        self._kept.move_to_end(key)
        size = sum(map(text_bytes, said)) + OVERHEAD
        kept.until = now + idle
        kept.said = (*kept.said, *said)
        kept.bytes += size
        self.bytes += size
        self._trim(now)

    def forget_agent(self, agent: AgentId) -> None:
        """Remove every conversation of an agent."""
        for key in [key for key in self._kept if key[0] == agent]:
            self._forget(key)

    def _trim(self, now: float) -> None:
        while len(self._kept) > 1:
            least_lately = next(iter(self._kept))
            if self.bytes <= self.most_bytes and self._kept[least_lately].until >= now:
                return
            self._forget(least_lately)

    def _forget(self, key: _Key) -> None:
        self.bytes -= self._kept.pop(key).bytes
