"""The runtime as others see it: deploy agents, send them messages, look how they do."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import count
from typing import Final, final

import anyio
from attrs import define, field, frozen
from returns.result import Failure, Result, Success

from caxton_adapters.runtime.answering import World, recorded
from caxton_adapters.runtime.claims import Claims
from caxton_adapters.runtime.desk import Desk
from caxton_adapters.runtime.identity import is_ours, new_conversation_id, new_message_id
from caxton_adapters.runtime.isolation.choice import Hosts
from caxton_adapters.runtime.isolation.host import ResourceUse
from caxton_adapters.runtime.messages import Messages
from caxton_adapters.runtime.refusals import (
    Draining,
    KeyReused,
    MailboxFull,
    MessageErased,
    NotOpenable,
    NotRunning,
    Overloaded,
    Refusal,
    UnknownAgent,
    UnknownMessage,
)
from caxton_adapters.runtime.supervisor import Resident, Supervisor
from caxton_adapters.runtime.ticket import Incoming, Ticket, ended_ticket
from caxton_core.agent.config import AgentConfig
from caxton_core.agent.lifecycle import Running
from caxton_core.agent.record import StateName
from caxton_core.agent.sections import Isolation, MemoryRules
from caxton_core.conversation.outcome import (
    AgentGone,
    DeadLettered,
    MessageState,
    NotAnswered,
    OutcomeUnknown,
    TurnFailure,
)
from caxton_core.conversation.past import ConversationKey
from caxton_core.conversation.turn import Cancelled
from caxton_core.events import MessageAccepted, MessageEnded, MessageReopened
from caxton_core.journal import StoredMessage, Unfinished
from caxton_core.limits import Balance
from caxton_core.ports import Configs
from caxton_core.primitives import AgentId, AgentName, CapabilityName, MessageId
from caxton_core.reading.report import Report
from caxton_core.storage import NotRead
from caxton_core.tools.tool import ToolResult


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


MOST_ATTEMPTS: Final = 5
"""How often the server may die while it works on a message, before it is not tried again."""

_REOPENED: Final = (MessageState.FAILED, MessageState.CANCELLED, MessageState.DEAD_LETTERED)
DEFAULT_LIMITS: Final = RuntimeLimits()


@final
@frozen
class AgentView:
    """An agent as it is at one moment."""

    id: AgentId
    name: AgentName
    state: StateName
    since: datetime
    reason: str
    config: AgentConfig | None
    warnings: Report | None
    text: str
    created: datetime
    updated: datetime
    isolation: Isolation
    running: int
    waiting: int
    restarts: int
    last_activity: datetime | None
    last_death: str
    use: ResourceUse
    balances: tuple[Balance, ...]


@final
@define(eq=False)
class Runtime:
    """Agents and their messages; made by `running`."""

    supervisor: Supervisor
    world: World
    _limits: RuntimeLimits
    _messages: Messages
    _numbers: Iterator[int] = field(factory=count, init=False)
    _claims: Claims = field(factory=Claims, init=False)
    _draining: bool = field(default=False, init=False)

    async def deploy(self, text: str) -> Result[AgentView, Refusal]:
        """A new agent from the text of its file, running."""
        if self._draining:
            return Failure(Draining())
        deployed = await self.supervisor.deploy(text)
        return deployed.map(self._view)

    async def replace(self, ref: str, text: str) -> Result[AgentView, Refusal]:
        """The same agent with another file of the same name."""
        found = self.supervisor.find(ref)
        if isinstance(found, Failure):
            return found
        replaced = await self.supervisor.replace(found.unwrap(), text)
        return replaced.map(self._view)

    def agents(self) -> Sequence[AgentView]:
        """Every agent, in the order of creation."""
        return tuple(self._view(resident) for resident in self.supervisor.residents())

    def agent(self, ref: str) -> Result[AgentView, UnknownAgent]:
        """The agent of this name or identity."""
        return self.supervisor.find(ref).map(self._view)

    def memory_rules(self, agent: AgentId) -> MemoryRules | None:
        """What an agent's file says of its memory; None for one that is not there."""
        found = self.supervisor.find(agent.value)
        config = None if isinstance(found, Failure) else found.unwrap().config
        return None if config is None else config.memory

    def offering(self, capability: CapabilityName) -> Sequence[AgentView]:
        """The running agents that offer a capability, the preferred and least busy first."""
        able = [
            resident
            for resident in self.supervisor.residents()
            if isinstance(resident.agent.state, Running)
            and capability in resident.agent.state.config.capabilities
        ]
        able.sort(key=_preference)
        return tuple(self._view(resident) for resident in able)

    async def keyed(self, capability: CapabilityName, key: str) -> AgentId | None:
        """The agent with this capability that was given a message under this key before."""
        for resident in self.supervisor.residents():
            config, agent = resident.config, resident.agent.id
            if config is None or capability not in config.capabilities:
                continue
            if self._messages.with_key(agent, key) is not None:
                return agent
            stored = await self.world.journal.keyed(agent, key)
            if stored.value_or(None) is not None:
                return agent
        return None

    async def start(self, ref: str) -> Result[AgentView, Refusal]:
        """Have the agent take messages."""
        return await self._changed(ref, self.supervisor.start)

    async def stop(self, ref: str) -> Result[AgentView, Refusal]:
        """Have the agent take no more messages."""
        return await self._changed(ref, self.supervisor.stop)

    async def restart(self, ref: str) -> Result[AgentView, Refusal]:
        """Stop and start the agent."""
        return await self._changed(ref, self.supervisor.restart)

    async def delete(self, ref: str, *, force: bool = False) -> Result[None, Refusal]:
        """Remove the agent."""
        found = self.supervisor.find(ref)
        if isinstance(found, Failure):
            return found
        agent = found.unwrap().agent.id
        deleted = await self.supervisor.delete(found.unwrap(), force=force)
        if isinstance(deleted, Success):
            self._messages.forget(lambda ticket: ticket.agent == agent)
        return deleted

    async def accept(self, ref: str, incoming: Incoming) -> Result[Ticket, Refusal]:
        """Take in a message for an agent; the ticket leads to its answer.

        A message with a key that came before gets the ticket of the first one.
        """
        found = self.supervisor.find(ref)
        if isinstance(found, Failure):
            return found
        resident = found.unwrap()
        if incoming.key is None:
            return await self._accept(resident, incoming)
        async with self._claims.of((resident.agent.id, incoming.key)):
            return await self._accept_once(resident, incoming, incoming.key)

    async def _accept_once(
        self, resident: Resident, incoming: Incoming, key: str
    ) -> Result[Ticket, Refusal]:
        earlier = self._messages.with_key(resident.agent.id, key)
        if earlier is None:
            read = await self.world.journal.keyed(resident.agent.id, key)
            if isinstance(read, Failure):
                return read
            stored = read.unwrap()
            if stored is None:
                return await self._accept(resident, incoming)
            earlier = ended_ticket(next(self._numbers), stored, resident.record.name)
        if _same(earlier.incoming, incoming):
            return Success(earlier)
        return Failure(KeyReused(key))

    async def _accept(self, resident: Resident, incoming: Incoming) -> Result[Ticket, Refusal]:
        refused = self._refused(resident, len(incoming.text))
        desk = resident.desk
        if refused is not None or desk is None:
            return Failure(refused or self._not_running(resident))
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
        try:
            stored = await desk.accept(ticket)
        except asyncio.CancelledError:
            self.cancel(ticket)
            raise
        if isinstance(stored, Failure):
            self._messages.drop(ticket)
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
        if ticket.outcome is not None or ticket.ending:
            return
        if ticket.turn is not None:
            ticket.stop(Cancelled())
            return
        found = self.supervisor.find(ticket.agent.value)
        desk = None if isinstance(found, Failure) else found.unwrap().desk
        if desk is not None:
            desk.withdraw(ticket)

    async def reopen(
        self, message: str, results: tuple[ToolResult, ...] = ()
    ) -> Result[Ticket, Refusal]:
        """Have the turn of a message that failed go on from its last recorded observation.

        Calls whose outcome is unknown have these results; the others are made again.
        """
        async with self._claims.of(message):
            found = await self.message(message)
            if isinstance(found, Failure):
                return found
            before = found.unwrap()
            if self._draining:
                return Failure(Draining())
            known = _known(before, results)
            if known or before.state not in _REOPENED:
                return Failure(NotOpenable(message, before.state.value, known))
            return await self._reopen(before, results)

    async def _reopen(
        self, before: Ticket, results: tuple[ToolResult, ...]
    ) -> Result[Ticket, Refusal]:
        holder = self.supervisor.find(before.agent.value)
        if isinstance(holder, Failure):
            return holder
        resident = holder.unwrap()
        desk = resident.desk
        if desk is None:
            return Failure(self._not_running(resident))
        reopened = MessageReopened(before.agent, self.world.clock.now(), before.message, results)
        stored = await self.world.journal.append(reopened)
        if isinstance(stored, Failure):
            return stored
        turn = await self.world.messages.turn(before.message)
        if isinstance(turn, Failure):
            return turn
        unfinished = turn.unwrap()
        if unfinished is None:
            return Failure(UnknownMessage(before.message.value))
        if not unfinished.accepted.text:
            return Failure(MessageErased(before.message.value))
        self.world.events.tell(reopened)
        return Success(self._take_up(resident, desk, unfinished))

    async def recover(self) -> Result[int, NotRead]:
        """Take up the messages that an earlier run of the server left; how many there were."""
        read = await self.world.journal.unfinished()
        if isinstance(read, Failure):
            return read
        for unfinished in read.unwrap():
            await self._recover(unfinished)
        return Success(len(read.unwrap()))

    async def _recover(self, unfinished: Unfinished) -> None:
        accepted = unfinished.accepted
        found = self.supervisor.find(accepted.agent.value)
        resident = None if isinstance(found, Failure) else found.unwrap()
        if unfinished.attempts >= MOST_ATTEMPTS:
            await self._give_up(accepted, DeadLettered(unfinished.attempts))
        elif resident is None:
            await self._give_up(accepted, AgentGone("it was deleted"))
        elif resident.desk is None:
            await self._give_up(accepted, AgentGone(f"it is {resident.record.state.value}"))
        else:
            self._take_up(resident, resident.desk, unfinished)

    async def _give_up(self, accepted: MessageAccepted, why: TurnFailure) -> None:
        ended = MessageEnded(
            accepted.agent, self.world.clock.now(), accepted.message, NotAnswered(why)
        )
        await recorded(self.world.journal, ended)
        self.world.events.tell(ended)

    def _take_up(self, resident: Resident, desk: Desk, unfinished: Unfinished) -> Ticket:
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

    @property
    def draining(self) -> bool:
        """Whether new work is refused because the server stops."""
        return self._draining

    async def drain(self, seconds: float) -> int:
        """Refuse new work and wait for what is at work; how many messages were left unanswered."""
        self._draining = True
        with anyio.move_on_after(seconds):
            for ticket in self._messages.at_work():
                await ticket.done()
        return self.in_flight

    def _refused(self, resident: Resident, characters: int) -> Refusal | None:
        if self._draining:
            return Draining()
        desk = resident.desk
        if desk is None or not isinstance(resident.agent.state, Running):
            return self._not_running(resident)
        if desk.mailbox.full:
            return MailboxFull(resident.record.name, desk.mailbox.limit, desk.room_in)
        if self.in_flight >= self._limits.messages_in_flight:
            return Overloaded(self._limits.messages_in_flight, "messages", desk.room_in)
        most = self._limits.characters_in_flight
        if self._messages.characters_in_flight + characters > most:
            return Overloaded(most, "characters", desk.room_in)
        return None

    def _not_running(self, resident: Resident) -> NotRunning:
        record = resident.record
        return NotRunning(record.name, record.state.value, record.reason)

    async def _changed(
        self,
        ref: str,
        change: Callable[[Resident], Awaitable[Result[Resident, Refusal]]],
    ) -> Result[AgentView, Refusal]:
        found = self.supervisor.find(ref)
        if isinstance(found, Failure):
            return found
        changed = await change(found.unwrap())
        return changed.map(self._view)

    def _view(self, resident: Resident) -> AgentView:
        record, desk, config = resident.record, resident.desk, resident.config
        hosts = self.supervisor.hosts
        return AgentView(
            id=record.id,
            name=record.name,
            state=record.state,
            since=record.since,
            reason=record.reason,
            config=config,
            warnings=None if resident.read is None else resident.read.warnings,
            text=record.text,
            created=record.created,
            updated=record.updated,
            isolation=hosts.default if config is None else hosts.isolation(config),
            running=0 if desk is None else len(desk.mailbox.running),
            waiting=0 if desk is None else desk.mailbox.waiting,
            restarts=resident.restarts + (0 if desk is None else desk.restarts),
            last_activity=None if desk is None else desk.last_activity,
            last_death="" if desk is None else desk.last_death,
            use=ResourceUse(0.0) if desk is None else desk.host.use(),
            balances=() if resident.budget is None else resident.budget.balances(),
        )


def _known(before: Ticket, results: tuple[ToolResult, ...]) -> tuple[str, ...]:
    """The calls of which results are told, and whose outcome is not unknown."""
    why = before.outcome.why if isinstance(before.outcome, NotAnswered) else None
    open_calls = {call.id for call in why.calls} if isinstance(why, OutcomeUnknown) else set()
    return tuple(result.call_id for result in results if result.call_id not in open_calls)


def _same(first: Incoming, second: Incoming) -> bool:
    """Whether the second is the first again; a stored one names the conversation it was given."""
    if first.text != second.text:
        return False
    asked, given = second.conversation, first.conversation
    return asked == given or (asked is None and given is not None and is_ours(given))


def _preference(resident: Resident) -> tuple[int, int]:
    config = resident.config
    return (0 if config is None else -config.routing.priority.value, resident.in_flight)


@asynccontextmanager
async def running(
    world: World, *, configs: Configs, hosts: Hosts, limits: RuntimeLimits = DEFAULT_LIMITS
) -> AsyncIterator[Runtime]:
    """A runtime that takes up the stored agents, and ends everything at the end of the block.

    Their unfinished messages wait for `Runtime.recover`.
    """
    messages = Messages(limits.ended_messages, limits.ended_characters)
    stored = await configs.stored()  # what it raises is nobody's group
    async with anyio.create_task_group() as tasks:
        supervisor = Supervisor(hosts, world, configs, tasks, messages.ended)
        await supervisor.revive(stored)
        try:
            yield Runtime(supervisor, world, limits, messages)
        finally:
            with anyio.CancelScope(shield=True):
                await supervisor.close()
            tasks.cancel_scope.cancel()
