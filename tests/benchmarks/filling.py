"""A database as years of use leave it, made in seconds: the real schema, filled by statements."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import anyio
from returns.result import Success

from caxton_adapters.database import open_database
from caxton_adapters.journal.sqlite import SqliteJournal, codec
from caxton_adapters.journal.sqlite.times import ticks
from caxton_adapters.runtime.identity import new_message_id
from caxton_core.conversation.message import AssistantMessage, UserMessage
from caxton_core.conversation.model import Completion, FinishReason
from caxton_core.conversation.outcome import Answered
from caxton_core.conversation.turn import CallTools, ModelAnswered
from caxton_core.events import CallAnswered, MessageAccepted, Observed, StepTaken, TurnEvent
from caxton_core.limits import Usage
from caxton_core.primitives import AgentId, ConversationId, JsonObject, ToolName
from caxton_core.tools.tool import ToolCall, ToolSucceeded

TEXT: Final = "What a person asks and what is answered are some sentences long, like this one. " * 3
_SAID: Final = (UserMessage(TEXT), AssistantMessage(TEXT))
_OUTCOME: Final = Answered(TEXT, FinishReason.STOP, "echo", Usage(300, 60))
_CALL: Final = ToolCall("call_1", ToolName("files.read"), JsonObject('{"path":"/a"}'))
_ALL_AT_ONCE: Final = 1000
_ONE_BEGAN_IN: Final = 10
"""Agents work at one message at a time where their files say nothing, so most wait."""

_NUMBERS: Final = (
    "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :{})"
)
_CONVERSATIONS: Final = f"""
    {_NUMBERS.format("conversations")}
    INSERT INTO conversations
        (number, conversation, agent, messages, exchanges, created, last_used)
    SELECT i + 1, 'conversation-' || i,
        (SELECT agent FROM temp.speakers WHERE number = i % :speakers),
        :each, :each, :begin, :end
    FROM n
"""
_MESSAGES: Final = f"""
    {_NUMBERS.format("messages")}
    INSERT INTO messages (
        id, agent, place, lasting, text, accepted, state, ended, outcome, said, exchange
    )
    SELECT printf('0192f0c1-0000-7000-8000-%012x', i),
        (SELECT agent FROM temp.speakers WHERE number = i % :conversations % :speakers),
        i % :conversations + 1, 1, :text, :begin + i, 'answered', :begin + i + 1, :outcome, :said,
        i / :conversations + 1
    FROM n
"""


def answered(path: Path, agents: Sequence[AgentId], *, conversations: int, each: int) -> None:
    """Fill a database with conversations of the agents, each of so many answered messages."""
    now = datetime.now(UTC)
    values = {
        "speakers": len(agents),
        "conversations": conversations,
        "messages": conversations * each,
        "each": each,
        "begin": ticks(now - timedelta(hours=1)),
        "end": ticks(now),
        "text": codec.written(TEXT),
        "outcome": codec.written(codec.plain_outcome(_OUTCOME, _SAID)),
        "said": codec.written(codec.plain_said(_SAID)),
    }
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("CREATE TEMP TABLE speakers (number INTEGER PRIMARY KEY, agent TEXT)")
        numbered = [(number, agent.value) for number, agent in enumerate(agents)]
        connection.executemany("INSERT INTO speakers VALUES (?, ?)", numbered)
        connection.execute(_CONVERSATIONS, values)
        connection.execute(_MESSAGES, values)
        connection.commit()


async def unfinished(path: Path, agents: Sequence[AgentId], *, messages: int) -> None:
    """Add messages of which most still waited; turns stopped after the first call of a tool."""
    async with open_database(path) as database:
        journal = SqliteJournal(database)

        async def begin(number: int) -> None:
            turn = _begun(agents[number % len(agents)], f"conversation-{number}")
            stored = await journal.append(*(turn[:1] if number % _ONE_BEGAN_IN else turn))
            if stored != Success(None):
                raise RuntimeError(stored)

        for first in range(0, messages, _ALL_AT_ONCE):
            async with anyio.create_task_group() as together:
                for number in range(first, min(first + _ALL_AT_ONCE, messages)):
                    together.start_soon(begin, number)


def _begun(agent: AgentId, conversation: str) -> tuple[TurnEvent, ...]:
    now, message = datetime.now(UTC), new_message_id()
    asking = Completion("", FinishReason.TOOL_CALLS, Usage(300, 60), "echo", (_CALL,))
    return (
        MessageAccepted(agent, now, message, ConversationId(conversation), TEXT),
        Observed(agent, now, message, ModelAnswered(asking)),
        StepTaken(agent, now, message, CallTools((_CALL,))),
        CallAnswered(agent, now, message, ToolSucceeded(_CALL.id, TEXT)),
    )
