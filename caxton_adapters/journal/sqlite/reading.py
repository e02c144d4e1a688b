"""From rows to messages and turns."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Final, final

from attrs import evolve, frozen

from caxton_adapters.journal.sqlite import codec
from caxton_adapters.journal.sqlite.times import moment, ticks
from caxton_core.conversation.message import Message
from caxton_core.conversation.outcome import MessageState
from caxton_core.conversation.turn import CallTools
from caxton_core.events import (
    ApprovalAsked,
    ApprovalGiven,
    CallAnswered,
    CallBegun,
    MessageAccepted,
    MessageReopened,
    Observed,
    StepTaken,
    TurnEvent,
)
from caxton_core.journal import Spent, StoredMessage, Unfinished, folded
from caxton_core.limits import Usage
from caxton_core.primitives import AgentId, ConversationId, MessageId, Usd
from caxton_core.tools.approval import ApprovalId

_MESSAGES: Final = (
    "SELECT m.number, m.id, m.agent, c.conversation, c.agent = '', m.lasting, m.key, m.text,"
    " m.accepted, m.attempts, m.state, m.ended, m.outcome, m.opening, m.said"
    " FROM messages AS m JOIN conversations AS c ON c.number = m.place "
)
_EVENTS: Final = (
    "SELECT message, kind, at, event FROM turn_events"
    " WHERE message IN (SELECT m.number FROM messages AS m {}) ORDER BY message, number"
)
_SPENT: Final = """
    SELECT agent, max(ended),
        sum(coalesce(outcome ->> '$.usage.prompt_tokens', 0)),
        sum(coalesce(outcome ->> '$.usage.completion_tokens', 0)),
        sum(outcome ->> '$.usage.cost')
    FROM messages WHERE ended >= ? GROUP BY agent, ended / 3600000000
"""
Parameters = Sequence[str | int]


@final
@frozen
class MessageRow:
    """A row of the table `messages`, with the conversation to which it belongs."""

    number: int
    id: str
    agent: str
    conversation: str
    shared: int
    lasting: int
    key: str | None
    text: str | None
    accepted: int
    attempts: int
    state: str | None
    ended: int | None
    outcome: str | None
    opening: str | None
    said: str | None

    @property
    def event(self) -> MessageAccepted:
        """How the message was accepted; its text is empty when it was erased."""
        return MessageAccepted(
            AgentId(self.agent),
            moment(self.accepted),
            MessageId(self.id),
            ConversationId(self.conversation),
            "" if self.text is None else codec.text_from(self.text),
            None if self.key is None else codec.text_from(self.key),
            bool(self.shared),
            bool(self.lasting),
        )

    @property
    def stored(self) -> StoredMessage:
        """The message as its readers see it."""
        if self.outcome is None or self.ended is None:
            return StoredMessage(self.event, self.attempts)
        answered = self.state == MessageState.ANSWERED.value
        plain = codec.object_from(self.outcome)
        outcome = codec.outcome(plain, self.spoken, answered=answered)
        return StoredMessage(self.event, self.attempts, outcome, moment(self.ended))

    @property
    def spoken(self) -> tuple[Message, ...]:
        """What its turn added to the conversation."""
        if self.said is None:
            return ()
        opening = self.opening or self.text or '""'
        return codec.said(codec.list_from(self.said), codec.text_from(opening))


def messages(
    connection: sqlite3.Connection, where: str, parameters: Parameters = ()
) -> list[MessageRow]:
    """The messages `m` in conversations `c` that fit a clause."""
    cells = connection.execute(_MESSAGES + where, parameters).fetchall()
    return [MessageRow(*cell) for cell in cells]


def turns(
    connection: sqlite3.Connection, where: str, parameters: Parameters = ()
) -> list[Unfinished]:
    """How far the turns of messages `m` came that fit a clause, in the order of acceptance."""
    with _snapshot(connection):
        rows = messages(connection, f"{where} ORDER BY m.number", parameters)
        cells = connection.execute(_EVENTS.format(where), parameters).fetchall()
    events = {number: list(own) for number, own in groupby(cells, itemgetter(0))}
    return [_turn(row, events.get(row.number, [])) for row in rows]


def spent(connection: sqlite3.Connection, *, since: datetime) -> Mapping[AgentId, Sequence[Spent]]:
    """What each agent's messages spent that ended since then, by the hour."""
    told: dict[AgentId, list[Spent]] = {}
    for agent, at, prompt, completion, cost in connection.execute(_SPENT, (ticks(since),)):
        price = None if cost is None else Usd(cost)
        usage = Usage(prompt, completion, cost=price)
        told.setdefault(AgentId(agent), []).append(Spent(moment(at), usage))
    return told


@contextmanager
def _snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    """Have all statements see the same moment."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.execute("COMMIT")


def _turn(row: MessageRow, cells: Sequence[tuple[int, str, int, str]]) -> Unfinished:
    accepted = row.event
    if not cells:
        return Unfinished(accepted, row.attempts)
    events = [_event(accepted, kind, at, event) for _, kind, at, event in cells]
    return evolve(folded(accepted, events), attempts=row.attempts)


def _event(accepted: MessageAccepted, kind: str, at: int, event: str) -> TurnEvent:
    plain = codec.plain_from(event)
    agent, message, when = accepted.agent, accepted.message, moment(at)
    match kind, plain:
        case "step", _:
            return StepTaken(agent, when, message, CallTools(codec.calls(plain)))
        case "asked", _:
            return ApprovalAsked(agent, when, message, codec.approval(plain))
        case "said", [str() as given, said]:
            return ApprovalGiven(agent, when, message, ApprovalId(given), codec.consent(said))
        case "begun", str() as call_id:
            return CallBegun(agent, when, message, call_id)
        case "call", _:
            return CallAnswered(agent, when, message, codec.result(plain))
        case "observed", _:
            return Observed(agent, when, message, codec.observation(plain))
        case _:
            return MessageReopened(agent, when, message, codec.results(plain))
