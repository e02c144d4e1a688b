"""The messages that were accepted: those at work, and the last ones that ended."""

from collections import deque
from collections.abc import Callable
from typing import final

from attrs import define, field

from caxton_adapters.runtime.ticket import Ticket
from caxton_core.primitives import AgentId


@final
@define(eq=False)
class Messages:
    """Tickets by identity and by idempotency key.

    Of those that ended the oldest are forgotten when there are more than `most_ended`, or when
    they hold more than `most_characters` together; the newest is always kept.
    """

    most_ended: int
    most_characters: int
    characters: int = field(default=0, init=False)
    characters_in_flight: int = field(default=0, init=False)
    _by_id: dict[str, Ticket] = field(factory=dict, init=False)
    _by_key: dict[tuple[AgentId, str], Ticket] = field(factory=dict, init=False)
    _ended: deque[Ticket] = field(factory=deque, init=False)

    @property
    def in_flight(self) -> int:
        """How many are at work."""
        return len(self._by_id) - len(self._ended)

    def at_work(self) -> tuple[Ticket, ...]:
        """Those without an outcome."""
        return tuple(ticket for ticket in self._by_id.values() if ticket.outcome is None)

    def oldest(self) -> Ticket | None:
        """The one that has been at work for longest."""
        return next((each for each in self._by_id.values() if each.outcome is None), None)

    def get(self, message: str) -> Ticket | None:
        """The ticket of a message."""
        return self._by_id.get(message)

    def with_key(self, agent: AgentId, key: str | None) -> Ticket | None:
        """The ticket that an agent was given under a key."""
        return None if key is None else self._by_key.get((agent, key))

    def keep(self, ticket: Ticket) -> None:
        """Remember a ticket that was just accepted."""
        self._by_id[ticket.message.value] = ticket
        self.characters_in_flight += len(ticket.incoming.text)
        if ticket.incoming.key is not None:
            self._by_key[ticket.agent, ticket.incoming.key] = ticket

    def reopen(self, ticket: Ticket) -> None:
        """An ended message is at work again, under a new ticket."""
        before = self._by_id.get(ticket.message.value)
        if before is not None and before.outcome is not None:
            self._ended.remove(before)
            self._forget(before)
        self.keep(ticket)

    def ended(self, ticket: Ticket) -> None:
        """The message has an outcome: it may be forgotten once enough others ended after it."""
        self._ended.append(ticket)
        self.characters_in_flight -= len(ticket.incoming.text)
        self.characters += ticket.characters
        while len(self._ended) > 1 and (
            len(self._ended) > self.most_ended or self.characters > self.most_characters
        ):
            self._forget(self._ended.popleft())

    def forget(self, is_gone: Callable[[Ticket], bool]) -> None:
        """Forget some of those that ended: the store does not have them any more."""
        gone = [ticket for ticket in self._ended if is_gone(ticket)]
        self._ended = deque(ticket for ticket in self._ended if not is_gone(ticket))
        for ticket in gone:
            self._forget(ticket)

    def _forget(self, ticket: Ticket) -> None:
        self.characters -= ticket.characters
        del self._by_id[ticket.message.value]
        if ticket.incoming.key is not None:
            self._by_key.pop((ticket.agent, ticket.incoming.key), None)
