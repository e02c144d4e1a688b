"""Where messages come in: each is accepted once, found again, cancelled, and drained at the end."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import count
from typing import Final, TypeAlias, final

import anyio
from attrs import define, field, frozen
from returns.result import Failure, Result, Success

from caxton_adapters.runtime.claims import Claims
from caxton_adapters.runtime.desk import Desk, busy_ones
from caxton_adapters.runtime.identity import is_ours, new_conversation_id, new_message_id
from caxton_adapters.runtime.messages import Messages
from caxton_adapters.runtime.refusals import (
    Draining,
    KeyReused,
    MailboxFull,
    NotRunning,
    Overloaded,
    Refusal,
    TooManyMessages,
    UnknownMessage,
)
from caxton_adapters.runtime.resident import Resident
from caxton_adapters.runtime.supervisor import Supervisor
from caxton_adapters.runtime.ticket import Incoming, Ticket, ended_ticket
from caxton_adapters.runtime.world import World
from caxton_core.agent.lifecycle import Running
from caxton_core.conversation.past import ConversationKey
from caxton_core.conversation.turn import Cancelled
from caxton_core.journal import StoredMessage, Unfinished
from caxton_core.primitives import AgentId, CapabilityName, MessageId
from caxton_core.storage import NotRead


@final
@frozen
class RuntimeLimits:
    """How many ended messages are remembered, and how many messages are worked on at once.

    The characters are the most text that both may hold.
    """

    ended_messages: int = 2000
    ended_characters: int = 16 * 1024 * 1024
    messages_in_flight: int = 10_000
    characters_in_flight: int = 128 * 1024 * 1024


DEFAULT_LIMITS: Final = RuntimeLimits()
Admit: TypeAlias = Callable[[], TooManyMessages | None]
"""Counts one message of its sender, or says why it is one too many."""
_NEWS: Final = 0.1


@final
@define(eq=False)
class Intake:
    """The messages of one runtime."""

    supervisor: Supervisor
    world: World
    _limits: RuntimeLimits
    _messages: Messages
    draining: bool = field(default=False, init=False)
    """Whether new work is refused because the server stops."""
    _numbers: Iterator[int] = field(factory=count, init=False)
    _claims: Claims = field(factory=Claims, init=False)

    async def accept(
        self, ref: str, incoming: Incoming, admit: Admit | None = None
    ) -> Result[Ticket, Refusal]:
        """Take in a message for an agent; the ticket leads to its answer.

        A message with a key that came before gets the ticket of the first one. `admit` is asked
        about one that could be taken in otherwise.
        """
        found = self.supervisor.find(ref)
        if isinstance(found, Failure):
            return found
        resident = found.unwrap()
        if incoming.key is None:
            return await self._accept(resident, incoming, admit)
        async with self._claims.of((resident.agent.id, incoming.key)):
            return await self._accept_once(resident, incoming, incoming.key, admit)

    async def _accept_once(
        self, resident: Resident, incoming: Incoming, key: str, admit: Admit | None
    ) -> Result[Ticket, Refusal]:
        earlier = self._messages.with_key(resident.agent.id, key)
        if earlier is None:
            read = await self.world.journal.keyed(resident.agent.id, key)
            if isinstance(read, Failure):
                return read
            stored = read.unwrap()
            if stored is None:
                return await self._accept(resident, incoming, admit)
            earlier = ended_ticket(next(self._numbers), stored, resident.record.name)
        if _same(earlier.incoming, incoming):
            return Success(earlier)
        return Failure(KeyReused(key))

    async def _accept(
        self, resident: Resident, incoming: Incoming, admit: Admit | None
    ) -> Result[Ticket, Refusal]:
        refused = self._refused(resident, len(incoming.text))
        if refused is None and admit is not None:
            refused = admit()
        desk = resident.desk
        if refused is not None or desk is None:
            return Failure(refused or not_running(resident))
        ticket = Ticket(
            next(self._numbers),
            new_message_id(),
            incoming.conversation or new_conversation_id(),
            resident.agent.id,
            resident.record.name,
            incoming,
            self.world.clock.now(),
            asyncio.get_running_loop().time() + desk.resources.turn_timeout.value,
            shared=desk.terms.shared,
            begins_conversation=incoming.conversation is None,
        )
        self._messages.keep(ticket)
        stored = await desk.accept(ticket)
        if isinstance(stored, Failure):
            self._messages.forget(lambda each: each is ticket)
            return stored
        return Success(ticket)

    async def message(self, message: str) -> Result[Ticket, Refusal]:
        """A message that was accepted, and what became of it."""
        ticket = self._messages.get(message)
        if ticket is not None:
            return Success(ticket)
        parsed = MessageId.parse(message)
        if isinstance(parsed, Failure):
            return Failure(UnknownMessage(message))
        read = await self.world.journal.find(parsed.unwrap())
        if isinstance(read, Failure):
            return read
        stored = read.unwrap()
        seen = None if stored is None else self.seen(stored)
        return Failure(UnknownMessage(message)) if seen is None else Success(seen)

    def seen(self, stored: StoredMessage) -> Ticket | None:
        """A stored message as it is now; None where its agent was deleted."""
        ticket = self._messages.get(stored.accepted.message.value)
        if ticket is not None:
            return ticket
        found = self.supervisor.find(stored.accepted.agent.value)
        if isinstance(found, Failure):
            return None
        return ended_ticket(next(self._numbers), stored, found.unwrap().record.name)

    def cancel(self, ticket: Ticket) -> None:
        """Nobody wants the answer any more; nothing happens where there is one."""
        found = self.supervisor.find(ticket.agent.value)
        desk = None if isinstance(found, Failure) else found.unwrap().desk
        if desk is not None:
            desk.cancel(ticket)
        else:
            ticket.stop(Cancelled())  # its agent is stopping, and takes nothing else

    async def keyed(self, capability: CapabilityName, key: str) -> Result[AgentId | None, NotRead]:
        """The agent with this capability that was given a message under this key before."""
        for resident in self.supervisor.residents():
            config, agent = resident.config, resident.agent.id
            if config is None or capability not in config.capabilities:
                continue
            if self._messages.with_key(agent, key) is not None:
                return Success(agent)
            stored = await self.world.journal.keyed(agent, key)
            if isinstance(stored, Failure):
                return stored
            if stored.unwrap() is not None:
                return Success(agent)
        return Success(None)

    def take_up(self, resident: Resident, desk: Desk, unfinished: Unfinished) -> Ticket:
        """A message from the journal; it gets the time of a new one."""
        accepted = unfinished.accepted
        incoming = Incoming(accepted.text, accepted.conversation, accepted.key)
        ticket = Ticket(
            next(self._numbers),
            accepted.message,
            accepted.conversation,
            accepted.agent,
            resident.record.name,
            incoming,
            accepted.at,
            asyncio.get_running_loop().time() + desk.resources.turn_timeout.value,
            shared=accepted.shared,
            recorded=unfinished,
        )
        self._messages.reopen(ticket)
        desk.take_up(ticket)
        return ticket

    @property
    def in_flight(self) -> int:
        """How many messages wait or are being answered."""
        return self._messages.in_flight

    def at_work(self, place: ConversationKey) -> tuple[Ticket, ...]:
        """The messages of a conversation that wait or are being answered."""
        return tuple(ticket for ticket in self._messages.at_work() if ticket.place == place)

    def forget_agent(self, agent: AgentId) -> None:
        """An agent was deleted with its messages."""
        self._messages.forget(lambda ticket: ticket.agent == agent)

    def forget(self, place: ConversationKey) -> None:
        """A conversation was removed from the store."""
        self.world.pasts.forget(place)
        self._messages.forget(lambda ticket: ticket.place == place)

    def forget_ended(self, before: datetime) -> None:
        """Messages that ended before were removed from the store; others are read again."""
        self.world.pasts.forget_stored()
        self._messages.forget(lambda ticket: ticket.accepted < before)

    def oldest(self) -> Ticket | None:
        """The message that has been waiting or being answered for longest."""
        return self._messages.oldest()

    async def drain(self, seconds: float) -> int:
        """Refuse new work and wait for what is at work; how many messages were left unanswered.

        Nobody waits for those that wait for a person: they go on after the next start.
        """
        self.draining = True
        with anyio.move_on_after(seconds):
            while busy := busy_ones(self._messages.at_work()):
                with anyio.move_on_after(_NEWS):
                    await busy[0].settled()
        return self.in_flight

    def _refused(self, resident: Resident, characters: int) -> Refusal | None:
        if self.draining:
            return Draining()
        desk = resident.desk
        if desk is None or not isinstance(resident.agent.state, Running):
            return not_running(resident)
        if desk.finishing:
            return NotRunning(resident.record.name, "stopping")
        if desk.mailbox.full:
            return MailboxFull(resident.record.name, desk.mailbox.limit, desk.room_in)
        if self.in_flight >= self._limits.messages_in_flight:
            return Overloaded(self._limits.messages_in_flight, "messages", desk.room_in)
        most = self._limits.characters_in_flight
        if self._messages.characters_in_flight + characters > most:
            return Overloaded(most, "characters", desk.room_in)
        return None


def not_running(resident: Resident) -> NotRunning:
    """Why an agent takes no messages."""
    record = resident.record
    return NotRunning(record.name, record.state.value, record.reason)


def _same(first: Incoming, second: Incoming) -> bool:
    """Whether the second is the first again; a stored one names the conversation it was given."""
    if first.text != second.text:
        return False
    asked, given = second.conversation, first.conversation
    return asked == given or (asked is None and given is not None and is_ours(given))
