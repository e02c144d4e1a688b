"""What people ask of stored messages and conversations: shown, begun anew, removed.

What it changes in the store, it has the runtime forget too.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, final

import anyio
from attrs import frozen
from returns.result import Failure, Result, Success

from caxton_adapters.runtime.refusals import (
    ConversationAmbiguous,
    ConversationBusy,
    Refusal,
    UnknownConversation,
)
from caxton_adapters.runtime.resident import Resident
from caxton_adapters.runtime.runtime import Runtime
from caxton_adapters.runtime.ticket import Ticket
from caxton_core.agent.sections import ConversationScope
from caxton_core.conversation.outcome import MessageState
from caxton_core.conversation.past import ConversationKey
from caxton_core.journal import ConversationView, Exchange, MessageQuery
from caxton_core.ports import Conversations
from caxton_core.primitives import AgentId, AgentName, ConversationId, MessageId
from caxton_core.storage import NotRead, NotStored

ENDING: Final = 5.0
"""Seconds that messages may take to end which are cancelled."""


@final
@frozen
class Whose:
    """Which conversation of an identity is meant: an agent's (name or id), or the shared one.

    Where nothing says so there has to be only one.
    """

    conversation: str
    agent: str | None = None
    shared: bool = False


@final
@frozen
class KnownConversation:
    """A conversation and the agent that has it for itself; None where it is shared."""

    view: ConversationView
    agent: AgentName | None

    @property
    def place(self) -> ConversationKey:
        """Where the stores have it."""
        return self.view.place


@final
@frozen
class MessagesWanted:
    """Which messages are asked for, newest first; None and nothing ask for all."""

    agent: str | None = None
    conversation: str | None = None
    states: tuple[MessageState, ...] = ()
    before: MessageId | None = None
    limit: int = 50


@final
@frozen
class MessagesFound:
    """Some messages; older ones come before `last`, if there may be any."""

    tickets: tuple[Ticket, ...] = ()
    last: MessageId | None = None


@final
@frozen
class Archive:
    """Stored messages and conversations of a runtime."""

    runtime: Runtime

    async def conversations(
        self, agent: str | None, *, after: ConversationView | None, limit: int
    ) -> Result[Sequence[KnownConversation], Refusal]:
        """The conversations that an agent has for itself, or all, the one used last first."""
        owner: AgentId | None = None
        if agent is not None:
            found = self.runtime.supervisor.find(agent)
            if isinstance(found, Failure):
                return found
            owner = found.unwrap().agent.id
        listed = await self._store.listed(owner, after=after, limit=limit)
        return listed.map(self._known)

    async def conversation(self, whose: Whose) -> Result[KnownConversation, Refusal]:
        """The one that is meant."""
        parsed = ConversationId.parse(whose.conversation)
        if isinstance(parsed, Failure):
            return Failure(UnknownConversation(whose.conversation))
        places = self._places(whose, parsed.unwrap())
        if isinstance(places, Failure):
            return places
        named = await self._store.named(parsed.unwrap())
        if isinstance(named, Failure):
            return named
        return _chosen(whose, self._known(named.unwrap()), places.unwrap())

    async def exchanges(
        self, place: ConversationKey, *, after: MessageId | None, limit: int
    ) -> Result[Sequence[Exchange], NotRead]:
        """The messages of a conversation and what was said in their turns, oldest first."""
        return await self._store.exchanges(place, after=after, limit=limit)

    async def reset(self, whose: Whose) -> Result[KnownConversation, Refusal]:
        """Have a conversation begin anew; what was said stays readable."""
        found = await self.conversation(whose)
        if isinstance(found, Failure):
            return found
        place, now = found.unwrap().place, self.runtime.world.clock.now()
        reset = await self._store.reset(place, now)
        if isinstance(reset, Failure):
            return reset
        self.runtime.world.pasts.forget(place)
        return await self.conversation(whose) if reset.unwrap() else _unknown(whose)

    async def forget(self, whose: Whose, *, force: bool) -> Result[None, Refusal]:
        """Remove a conversation with its messages; those at work are cancelled by force only."""
        found = await self.conversation(whose)
        if isinstance(found, Failure):
            return found
        place = found.unwrap().place
        left = await self._cancelled(place) if force else len(self.runtime.at_work(place))
        if left:
            return Failure(ConversationBusy(place.conversation, left))
        forgotten = await self._store.forget(place)
        if isinstance(forgotten, Failure):
            return forgotten
        self.runtime.forget(place)
        return Success(None) if forgotten.unwrap() else _unknown(whose)

    async def messages(self, wanted: MessagesWanted) -> Result[MessagesFound, Refusal]:
        """Some messages, newest first."""
        query = await self._query(wanted)
        if isinstance(query, Failure):
            return query
        asked = query.unwrap()
        if asked is None:
            return Success(MessagesFound())
        read = await self.runtime.world.messages.listed(asked)
        if isinstance(read, Failure):
            return read
        stored = read.unwrap()
        tickets = (ticket for one in stored if (ticket := self.runtime.seen(one)))
        # The store does not tell what waits from what is being answered, the ticket does.
        fitting = (one for one in tickets if not wanted.states or one.state in wanted.states)
        full = len(stored) == wanted.limit
        return Success(MessagesFound(tuple(fitting), stored[-1].accepted.message if full else None))

    async def forget_ended(self, before: datetime) -> Result[int, NotStored]:
        """Remove every message that ended before; how many there were."""
        forgotten = await self.runtime.world.messages.forget_ended(before)
        if isinstance(forgotten, Success) and forgotten.unwrap():
            self.runtime.forget_ended(before)
        return forgotten

    @property
    def _store(self) -> Conversations:
        return self.runtime.world.pasts.store

    def _known(self, views: Sequence[ConversationView]) -> Sequence[KnownConversation]:
        """The views with the names of their agents; those of an agent that just went are gone."""
        known = []
        for view in views:
            if view.place.agent is None:
                known.append(KnownConversation(view, None))
                continue
            found = self.runtime.supervisor.find(view.place.agent.value)
            if isinstance(found, Success):
                known.append(KnownConversation(view, found.unwrap().record.name))
        return known

    def _places(
        self, whose: Whose, conversation: ConversationId
    ) -> Result[tuple[ConversationKey, ...], Refusal]:
        """Where it can be, the likeliest place first; nothing where nobody said whose it is."""
        together = ConversationKey(conversation, None)
        if whose.shared:
            return Success((together,))
        if whose.agent is None:
            return Success(())
        found = self.runtime.supervisor.find(whose.agent)
        if isinstance(found, Failure):
            return found
        resident = found.unwrap()
        alone = ConversationKey(conversation, resident.agent.id)
        return Success((together, alone) if _shares(resident) else (alone,))

    async def _query(self, wanted: MessagesWanted) -> Result[MessageQuery | None, Refusal]:
        """What to ask the store; None where the conversation is not known, so nothing fits."""
        agent: AgentId | None = None
        place: ConversationKey | None = None
        if wanted.agent is not None:
            found = self.runtime.supervisor.find(wanted.agent)
            if isinstance(found, Failure):
                return found
            agent = found.unwrap().agent.id
        if wanted.conversation is not None:
            known = await self.conversation(Whose(wanted.conversation, wanted.agent))
            if isinstance(known, Failure):
                why = known.failure()
                return Success(None) if isinstance(why, UnknownConversation) else Failure(why)
            place = known.unwrap().place
        return Success(MessageQuery(agent, place, wanted.states, wanted.before, wanted.limit))

    async def _cancelled(self, place: ConversationKey) -> int:
        """Cancel what is at work in a conversation; how many messages did not end for all that."""
        with anyio.move_on_after(ENDING):
            for ticket in self.runtime.at_work(place):
                self.runtime.cancel(ticket)
                await ticket.done()
        return len(self.runtime.at_work(place))


def _shares(resident: Resident) -> bool:
    config = resident.config
    return config is not None and config.conversation.scope is ConversationScope.SHARED


def _chosen(
    whose: Whose, known: Sequence[KnownConversation], places: Sequence[ConversationKey]
) -> Result[KnownConversation, Refusal]:
    by_place = {one.place: one for one in known}
    if not places and len(known) > 1:
        owners = tuple(sorted((one.agent for one in known if one.agent), key=str))
        return Failure(
            ConversationAmbiguous(whose.conversation, owners, shared=len(owners) < len(known))
        )
    for place in places or by_place:
        if place in by_place:
            return Success(by_place[place])
    return _unknown(whose)


def _unknown(whose: Whose) -> Failure[Refusal]:
    return Failure(UnknownConversation(whose.conversation))
