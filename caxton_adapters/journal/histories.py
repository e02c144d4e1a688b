"""What was said in conversations, in memory and within a bound."""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import islice
from typing import Final, TypeAlias, final

from attrs import define, field, frozen

from caxton_core.conversation.message import Message
from caxton_core.conversation.past import NOTHING, ConversationKey, Past, Summary
from caxton_core.conversation.window import text_bytes
from caxton_core.journal import ConversationView
from caxton_core.primitives import AgentId

OVERHEAD: Final = 512
"""What an exchange or a conversation takes beside its text, roughly, in bytes."""

_Key: TypeAlias = tuple[str, str | None]
"""A `ConversationKey` in plain text: it costs a fifth to look up."""


@final
@frozen
class Exchange:
    """What an agent's turn added to its conversation."""

    agent: AgentId
    said: tuple[Message, ...]
    ended: datetime
    bytes: int


@final
@define(eq=False)
class History:
    """One conversation: what was said, and from where on a turn may see it.

    The first `hidden` exchanges lie before the last reset or are part of the summary; that was
    decided when so many messages had been accepted everywhere as `marked` says.
    """

    place: ConversationKey
    created: datetime
    last_used: datetime
    messages: int = 0
    summary: str = ""
    exchanges: deque[Exchange] = field(factory=deque)
    hidden: int = 0
    marked: int = 0

    @property
    def view(self) -> ConversationView:
        """The conversation as it is listed."""
        return ConversationView(
            self.place, self.messages, self.created, self.last_used, self.summary
        )

    @property
    def bytes(self) -> int:
        """What it takes, roughly."""
        return OVERHEAD + len(self.summary) + sum(said.bytes for said in self.exchanges)

    def past(self, at_most: int | None) -> Past:
        """The newest exchanges that are not hidden, and the summary of those that are."""
        seen = len(self.exchanges) - self.hidden
        if at_most is not None:
            seen = min(seen, at_most)
        if not seen and not self.summary:
            return NOTHING
        newest = [exchange.said for exchange in islice(reversed(self.exchanges), seen)]
        newest.reverse()
        return Past(tuple([message for said in newest for message in said]), self.summary)

    def drop(self) -> Exchange:
        """Forget the oldest exchange."""
        self.hidden = max(0, self.hidden - 1)
        return self.exchanges.popleft()


@final
@define
class Histories:
    """Conversations; beyond `most_bytes` those used least lately are forgotten.

    Of the one that was used last the oldest exchanges are forgotten, but never the newest.
    """

    most_bytes: int
    bytes: int = field(default=0, init=False)
    accepted: int = field(default=0, init=False)
    _kept: OrderedDict[_Key, History] = field(factory=OrderedDict, init=False)

    def __iter__(self) -> Iterator[History]:
        """Every conversation; they may be removed on the way."""
        return iter(tuple(self._kept.values()))

    def get(self, place: ConversationKey) -> History | None:
        """A conversation, if it is known."""
        return self._kept.get(_key(place))

    def used(self, place: ConversationKey, at: datetime) -> int:
        """A message was accepted: its number among all messages, from 1."""
        self.accepted += 1
        history = self._opened(place, at)
        history.messages += 1
        history.last_used = max(history.last_used, at)
        self._trim()
        return self.accepted

    def add(self, place: ConversationKey, exchange: Exchange) -> None:
        """A message was answered."""
        self._opened(place, exchange.ended).exchanges.append(exchange)
        self.bytes += exchange.bytes
        self._trim()

    def _opened(self, place: ConversationKey, at: datetime) -> History:
        key = _key(place)
        history = self._kept.get(key)
        if history is None:
            history = self._kept[key] = History(place, at, at)
            self.bytes += OVERHEAD
        else:
            self._kept.move_to_end(key)
        return history

    def summarise(self, place: ConversationKey, summary: Summary, accepted: int) -> None:
        """Hide what the summary covers, which a message brings that was `accepted` as such.

        If the conversation was reset or summarised since then, the summary may be of another past
        than the one that is there now: it is not taken.
        """
        history = self._kept.get(_key(place))
        if history is not None and history.marked < accepted:
            hidden = min(history.hidden + summary.exchanges, len(history.exchanges))
            self._mark(history, hidden, summary.text)

    def reset(self, history: History) -> None:
        """Hide everything that was said."""
        self._mark(history, len(history.exchanges), "")

    def _mark(self, history: History, hidden: int, summary: str) -> None:
        history.hidden = hidden
        history.marked = self.accepted
        self.bytes += len(summary) - len(history.summary)
        history.summary = summary

    def forget(self, history: History, unfinished: int = 0) -> None:
        """Remove a conversation; while messages of it are `unfinished`, it begins anew instead."""
        del self._kept[_key(history.place)]
        self.bytes -= history.bytes
        if unfinished:
            anew = self._opened(history.place, history.created)
            anew.last_used, anew.messages = history.last_used, unfinished
            anew.marked = self.accepted

    def forget_exchanges(self, history: History, gone: Callable[[Exchange], bool]) -> None:
        """Remove some of what was said; what was hidden stays hidden."""
        kept = [(n, one) for n, one in enumerate(history.exchanges) if not gone(one)]
        self.bytes -= history.bytes
        history.hidden = sum(n < history.hidden for n, _ in kept)
        history.exchanges = deque(exchange for _, exchange in kept)
        self.bytes += history.bytes

    def forget_message(self, place: ConversationKey) -> None:
        """One message less is known of the conversation."""
        history = self._kept.get(_key(place))
        if history is not None:
            history.messages -= 1
            if history.messages <= 0:
                self.forget(history)

    def _trim(self) -> None:
        while self.bytes > self.most_bytes and len(self._kept) > 1:
            _, history = self._kept.popitem(last=False)
            self.bytes -= history.bytes
        if self.bytes > self.most_bytes:
            (history,) = self._kept.values()
            while self.bytes > self.most_bytes and len(history.exchanges) > 1:
                self.bytes -= history.drop().bytes


def exchange_of(agent: AgentId, said: tuple[Message, ...], ended: datetime) -> Exchange:
    """What a turn adds to its conversation, measured."""
    return Exchange(agent, said, ended, OVERHEAD + sum(map(text_bytes, said)))


def _key(place: ConversationKey) -> _Key:
    return place.conversation.value, None if place.agent is None else place.agent.value
