"""What was said before: read from the store once, and kept at hand while it is used.

Time is in monotonic seconds and comes as an argument.
"""

from collections import OrderedDict, deque
from datetime import datetime, timedelta
from typing import Final, final

from attrs import define, evolve, field
from returns.result import Result, Success

from caxton_core.conversation.message import Message
from caxton_core.conversation.past import NOTHING, ConversationKey, Past, Summary
from caxton_core.conversation.window import exchanges, text_bytes
from caxton_core.ports import Conversations
from caxton_core.primitives import AgentId
from caxton_core.storage import NotRead

OVERHEAD: Final = 512
"""What a conversation and a pair of messages take beside their text, roughly, in bytes."""


@final
@define(eq=False)
class _Kept:
    """The newest exchanges of a conversation, over when nobody uses it `until` then."""

    until: float
    most: int | None
    lasting: bool
    summary: str = ""
    said: deque[tuple[Message, ...]] = field(factory=deque)
    bytes: int = OVERHEAD

    def add(self, exchange: tuple[Message, ...]) -> None:
        """Append what was said in one turn."""
        self.said.append(exchange)
        self.bytes += _size(exchange)
        while self.most is not None and len(self.said) > self.most:
            self.drop()

    def drop(self) -> None:
        """Let go of the oldest exchange."""
        self.bytes -= _size(self.said.popleft())

    def holds(self, at_most: int | None) -> bool:
        """Whether so many are here, or all that there are."""
        if self.most is None or len(self.said) < self.most:
            return True
        return at_most is not None and at_most <= self.most


@final
@define(eq=False)
class Pasts:
    """Histories at hand; beyond `most_bytes` those used least lately have to be read again."""

    store: Conversations
    most_bytes: int
    bytes: int = field(default=0, init=False)
    _kept: OrderedDict[ConversationKey, _Kept] = field(factory=OrderedDict, init=False)
    _reading: dict[ConversationKey, set[object]] = field(factory=dict, init=False)
    """The reads on their way that saw everything: what changes meanwhile takes them out."""

    async def of(
        self,
        place: ConversationKey,
        *,
        at_most: int | None,
        now: float,
        today: datetime,
        idle: float,
        lasting: bool = True,
    ) -> Result[Past, NotRead]:
        """The newest exchanges, `at_most` so many; nothing in a conversation that is new.

        To ask is to use it: it goes on for another `idle` seconds. What is said in one that is not
        `lasting` is kept nowhere else.
        """
        kept = self._kept.get(place)
        if kept is not None and kept.until >= now and (kept.holds(at_most) or not kept.lasting):
            kept.until = now + idle
            self._kept.move_to_end(place)
            return Success(_past(kept))
        since, this_read = today - timedelta(seconds=idle), object()
        self._reading.setdefault(place, set()).add(this_read)
        try:
            read = await self.store.past(place, at_most=at_most, since=since)
        finally:
            sees_everything = self._has_read(place, this_read)
        if sees_everything and isinstance(read, Success):
            self._keep(place, read.unwrap(), _Kept(now + idle, at_most, lasting), now)
        return read

    def new(
        self,
        place: ConversationKey,
        *,
        at_most: int | None,
        now: float,
        idle: float,
        lasting: bool = True,
    ) -> Past:
        """The past of a conversation that nobody can have used before: there is none to read."""
        self._keep(place, NOTHING, _Kept(now + idle, at_most, lasting), now)
        return NOTHING

    def add(
        self,
        place: ConversationKey,
        said: tuple[Message, ...],
        summary: Summary | None,
        *,
        now: float,
        idle: float,
    ) -> None:
        """What a turn added is recorded: from now on it is part of the past."""
        self._reading.pop(place, None)
        kept = self._kept.get(place)
        if kept is None:
            return
        if place.agent is None and (kept.lasting or summary is not None):
            # Another agent may have read this already, or said what the summary does not cover.
            self.forget(place)
            return
        self.bytes -= kept.bytes
        if summary is not None:
            for _ in range(min(summary.exchanges, len(kept.said))):
                kept.drop()
            kept.bytes += len(summary.text) - len(kept.summary)
            kept.summary = summary.text
        kept.add(said)
        self.bytes += kept.bytes
        kept.until = now + idle
        self._kept.move_to_end(place)
        self._trim(now)

    def forget(self, place: ConversationKey) -> None:
        """The store was changed: read the conversation again when it goes on."""
        self._reading.pop(place, None)
        kept = self._kept.pop(place, None)
        if kept is not None:
            self.bytes -= kept.bytes

    def forget_stored(self) -> None:
        """Much in the store was changed: read again what is there."""
        for place in (*self._kept, *self._reading):
            kept = self._kept.get(place)
            if kept is None or kept.lasting:
                self.forget(place)

    def forget_agent(self, agent: AgentId) -> None:
        """The agent is gone, and what it said to others with it."""
        self.forget_stored()
        for place in tuple(self._kept):
            if place.agent == agent:
                self.forget(place)

    def _has_read(self, place: ConversationKey, this_read: object) -> bool:
        """Whether nothing changed while this was on its way, which is over now."""
        reading = self._reading.get(place, set())
        if this_read not in reading:
            return False
        reading.remove(this_read)
        if not reading:
            del self._reading[place]
        return True

    def _keep(self, place: ConversationKey, past: Past, kept: _Kept, now: float) -> None:
        self.forget(place)
        self._kept[place] = kept
        kept.summary = past.summary
        kept.bytes += len(past.summary)
        for exchange in reversed(tuple(exchanges(past.messages))):
            kept.add(exchange)
        self.bytes += kept.bytes
        self._trim(now)

    def _trim(self, now: float) -> None:
        while len(self._kept) > 1:
            least_lately = next(iter(self._kept))
            if self.bytes <= self.most_bytes and self._kept[least_lately].until >= now:
                return
            self.forget(least_lately)


def _size(exchange: tuple[Message, ...]) -> int:
    return OVERHEAD + sum(map(text_bytes, exchange))


def _past(kept: _Kept) -> Past:
    if not kept.said and not kept.summary:
        return NOTHING
    return Past(tuple(message for said in kept.said for message in said), kept.summary)


def with_recalled(past: Past, recalled: tuple[str, ...]) -> Past:
    """The same past, with what the agent remembers."""
    return evolve(past, recalled=recalled) if recalled else past
