"""The way of every message in the server's database: what is recorded survives a crash."""

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Final, final

from attrs import frozen
from returns.result import Result, Success

from caxton_adapters.database import Database
from caxton_adapters.journal.sqlite import codec, forgetting, reading
from caxton_adapters.journal.sqlite.appending import APPENDING, rows
from caxton_adapters.journal.sqlite.asking import read, stored
from caxton_core.conversation.outcome import MessageState
from caxton_core.conversation.past import ConversationKey
from caxton_core.events import MessageAccepted, TurnEvent
from caxton_core.journal import MessageQuery, Spent, StoredMessage, Unfinished
from caxton_core.primitives import AgentId, MessageId
from caxton_core.storage import NotRead, NotStored

_DONE: Final = Success(None)
_AT_WORK: Final = frozenset({MessageState.ACCEPTED, MessageState.RUNNING})


@final
@frozen
class SqliteJournal:
    """Messages and their turns; the conversations that follow are `SqliteConversations`."""

    _database: Database

    async def append(self, *events: TurnEvent) -> Result[None, NotStored]:
        """Record all of the events or none."""
        written = tuple(rows(events))
        if not written:
            return _DONE
        # The turn of a message that comes in has begun: its sender waits for that, not for this.
        patient = len(events) == 1 and isinstance(events[0], MessageAccepted)
        return await stored(self._database.write(APPENDING, *written, patient=patient))

    async def unfinished(self) -> Result[Sequence[Unfinished], NotRead]:
        """Every message without an outcome, in the order of acceptance."""
        return await read(
            self._database.read(partial(reading.turns, where="WHERE m.state IS NULL"))
        )

    async def find(self, message: MessageId) -> Result[StoredMessage | None, NotRead]:
        """A message by its identity."""
        return await self._one("WHERE m.id = ?", message.value)

    async def keyed(self, agent: AgentId, key: str) -> Result[StoredMessage | None, NotRead]:
        """The message that an agent was given under an idempotency key."""
        where = "WHERE m.agent = ? AND m.key = ? ORDER BY m.number DESC LIMIT 1"
        return await self._one(where, agent.value, codec.written(key))

    async def _one(self, where: str, *parameters: str) -> Result[StoredMessage | None, NotRead]:
        def first(connection: sqlite3.Connection) -> StoredMessage | None:
            found = reading.messages(connection, where, parameters)
            return found[0].stored if found else None

        return await read(self._database.read(first))

    async def listed(self, query: MessageQuery) -> Result[Sequence[StoredMessage], NotRead]:
        """The messages that fit, newest first."""
        where, parameters = _clause(query)

        def fitting(connection: sqlite3.Connection) -> Sequence[StoredMessage]:
            return [row.stored for row in reading.messages(connection, where, parameters)]

        return await read(self._database.read(fitting))

    async def turn(self, message: MessageId) -> Result[Unfinished | None, NotRead]:
        """How far the turn of a message came, whether or not it has an outcome."""

        def one(connection: sqlite3.Connection) -> Unfinished | None:
            found = reading.turns(connection, "WHERE m.id = ?", (message.value,))
            return found[0] if found else None

        return await read(self._database.read(one))

    async def spent(self, since: datetime) -> Result[Mapping[AgentId, Sequence[Spent]], NotRead]:
        """What each agent's messages spent that ended since then, by the hour."""
        return await read(self._database.read(partial(reading.spent, since=since)))

    async def forget_ended(self, before: datetime) -> Result[int, NotStored]:
        """Remove messages that ended before, a few at a time; how many there were."""
        return await forgetting.ended(self._database, before)

    async def forget_agent(self, agent: AgentId) -> Result[int, NotStored]:
        """Remove every message and conversation of an agent; what others share stays theirs."""
        return await forgetting.agent(self._database, agent)


def _clause(query: MessageQuery) -> tuple[str, tuple[str | int, ...]]:
    wanted: list[tuple[str, tuple[str | int, ...]]] = []
    if query.agent is not None:
        wanted.append(("m.agent = ?", (query.agent.value,)))
    if query.conversation is not None:
        wanted.append(_place(query.conversation))
    if query.states:
        wanted.append(_states(query.states))
    if query.before is not None:
        wanted.append(
            ("m.number < (SELECT number FROM messages WHERE id = ?)", (query.before.value,))
        )
    where = f"WHERE {' AND '.join(clause for clause, _ in wanted)} " if wanted else ""
    parameters = tuple(parameter for _, own in wanted for parameter in own)
    return f"{where}ORDER BY m.number DESC LIMIT ?", (*parameters, query.limit)


def _place(place: ConversationKey) -> tuple[str, tuple[str, str]]:
    clause = "m.place = (SELECT number FROM conversations WHERE conversation = ? AND agent = ?)"
    return clause, (place.conversation.value, place.agent.value if place.agent else "")


def _states(states: tuple[MessageState, ...]) -> tuple[str, tuple[str, ...]]:
    ended = tuple(state.value for state in states if state not in _AT_WORK)
    clauses = ["m.state IS NULL"] if _AT_WORK.intersection(states) else []
    if ended:
        clauses.append(f"m.state IN ({', '.join('?' * len(ended))})")
    return f"({' OR '.join(clauses)})", ended
