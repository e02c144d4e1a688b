"""What was said, read from the messages that ended with an answer."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Final, final

from attrs import frozen
from returns.result import Failure, Result, Success

from caxton_adapters.database import Database
from caxton_adapters.journal.sqlite import codec, reading
from caxton_adapters.journal.sqlite.asking import read, stored
from caxton_adapters.journal.sqlite.times import moment, ticks
from caxton_core.conversation.message import Message
from caxton_core.conversation.past import NOTHING, ConversationKey, Past
from caxton_core.journal import ConversationView, Exchange
from caxton_core.primitives import AgentId, ConversationId, MessageId
from caxton_core.storage import NotRead, NotStored

# One row and no more: every further row would give the interpreter's lock away once more.
_PAST: Final = """
    SELECT c.summary,
        (
            SELECT ended FROM messages
            WHERE place = c.number AND exchange IS NOT NULL
            ORDER BY exchange DESC LIMIT 1
        ),
        (
            SELECT group_concat(written) FROM (
                SELECT '[' || coalesce(opening, text) || ',' || said || ']' AS written
                FROM messages
                WHERE place = c.number AND exchange > c.begins_after
                ORDER BY exchange DESC LIMIT ?
            )
        )
    FROM conversations AS c WHERE conversation = ? AND agent = ?
"""
_LISTED: Final = (
    "SELECT conversation, agent, messages, created, last_used, summary FROM conversations"
)
_EXCHANGES: Final = """
    WHERE m.number IN (
        SELECT number FROM messages
        WHERE place = (SELECT number FROM conversations WHERE conversation = ? AND agent = ?)
            AND number > coalesce((SELECT number FROM messages WHERE id = ?), 0)
        ORDER BY number LIMIT ?
    )
    ORDER BY m.number
"""
_HIDDEN: Final = """
    UPDATE conversations
    SET begins_after = exchanges, summary = '""',
        marked = (SELECT seq FROM sqlite_sequence WHERE name = 'messages')
    WHERE conversation = ? AND agent = ?
"""


@final
@frozen
class SqliteConversations:
    """Conversations as the journal in the same database keeps them."""

    _database: Database

    async def past(
        self, place: ConversationKey, *, at_most: int | None, since: datetime
    ) -> Result[Past, NotRead]:
        """The newest exchanges after the last reset; a conversation that is over begins anew."""
        limit = -1 if at_most is None else at_most

        def found(connection: sqlite3.Connection) -> Past | None:
            row = connection.execute(_PAST, (limit, *_names(place))).fetchone()
            return NOTHING if row is None else _past(*row, since=ticks(since))

        past = await read(self._database.read(found))
        if isinstance(past, Failure):
            return past
        known = past.unwrap()
        if known is not None:
            return Success(known)
        # It stays over when it is used again. Where that cannot be stored, the next one tries.
        await stored(self._database.change(lambda connection: _hide(connection, place)))
        return Success(NOTHING)

    async def listed(
        self, agent: AgentId | None, *, after: ConversationView | None, limit: int
    ) -> Result[Sequence[ConversationView], NotRead]:
        """The conversations of an agent, or of all agents, the one used last first."""
        clauses = []
        parameters: list[str | int] = []
        if agent is not None:
            clauses.append("agent = ?")
            parameters.append(agent.value)
        if after is not None:
            clauses.append("(last_used, agent, conversation) < (?, ?, ?)")
            conversation, owner = _names(after.place)
            parameters += [ticks(after.last_used), owner, conversation]
        where = f"WHERE {' AND '.join(clauses)}" if clauses else ""
        order = "ORDER BY last_used DESC, agent DESC, conversation DESC LIMIT ?"

        def views(connection: sqlite3.Connection) -> Sequence[ConversationView]:
            rows = connection.execute(f"{_LISTED} {where} {order}", (*parameters, limit))
            return [_view(*row) for row in rows]

        return await read(self._database.read(views))

    async def named(
        self, conversation: ConversationId
    ) -> Result[Sequence[ConversationView], NotRead]:
        """Those of this identity."""

        def views(connection: sqlite3.Connection) -> Sequence[ConversationView]:
            rows = connection.execute(f"{_LISTED} WHERE conversation = ?", (conversation.value,))
            return [_view(*row) for row in rows]

        return await read(self._database.read(views))

    async def exchanges(
        self, place: ConversationKey, *, after: MessageId | None, limit: int
    ) -> Result[Sequence[Exchange], NotRead]:
        """The messages with what was said, oldest first."""
        last = "" if after is None else after.value

        def found(connection: sqlite3.Connection) -> Sequence[Exchange]:
            rows = reading.messages(connection, _EXCHANGES, (*_names(place), last, limit))
            return [Exchange(row.stored, row.spoken) for row in rows]

        return await read(self._database.read(found))

    async def reset(
        self,
        place: ConversationKey,
        at: datetime,  # noqa: ARG002 - what lies before is known by order, not by time
    ) -> Result[bool, NotStored]:
        """Have the conversation begin anew."""
        return await stored(self._database.change(lambda connection: _hide(connection, place)))

    async def forget(self, place: ConversationKey) -> Result[bool, NotStored]:
        """Remove the conversation with its messages that ended."""

        def remove(connection: sqlite3.Connection) -> bool:
            known = _hide(connection, place)
            connection.execute(
                "DELETE FROM messages WHERE state IS NOT NULL AND place = "
                "(SELECT number FROM conversations WHERE conversation = ? AND agent = ?)",
                _names(place),
            )
            return known

        known = await stored(self._database.remove(remove))
        await self._database.empty_log()
        return known


def _names(place: ConversationKey) -> tuple[str, str]:
    return place.conversation.value, "" if place.agent is None else place.agent.value


def _hide(connection: sqlite3.Connection, place: ConversationKey) -> bool:
    """Hide everything that was said; False where the conversation is not known."""
    return connection.execute(_HIDDEN, _names(place)).rowcount == 1


def _past(summary: str, ended: int | None, written: str | None, *, since: int) -> Past | None:
    """What a row says; None where the conversation is over."""
    if ended is None:
        return NOTHING
    if ended < since:
        return None
    text = codec.text_from(summary)
    if written is None:
        return Past((), text) if text else NOTHING
    said: list[Message] = []
    for opening, plain in reversed(codec.exchanges_from(f"[{written}]")):
        said += codec.said(plain, opening)
    return Past(tuple(said), text)


def _view(
    conversation: str, agent: str, messages: int, created: int, last_used: int, summary: str
) -> ConversationView:
    place = ConversationKey(ConversationId(conversation), AgentId(agent) if agent else None)
    text = codec.text_from(summary)
    return ConversationView(place, messages, moment(created), moment(last_used), text)
