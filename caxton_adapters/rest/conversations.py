"""Conversations: listed, shown, exported, begun anew, removed."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from functools import partial
from typing import Final, TypeAlias, final

import msgspec
from attrs import frozen
from returns.result import Failure, Result, Success

from caxton_adapters.rest import problem
from caxton_adapters.rest.archive_wire import (
    ConversationDetails,
    ConversationPage,
    ExportedMessage,
)
from caxton_adapters.rest.exchange import (
    Answer,
    Answered,
    Asked,
    Streamed,
    WriteChunk,
    json_answer,
    refusal,
)
from caxton_adapters.rest.paging import BAD_CURSOR, cursor_of, message_at, read_cursor
from caxton_adapters.rest.problem import Refused
from caxton_adapters.rest.refusals import of_runtime
from caxton_adapters.rest.telling import conversation_body, exported_message, message_state
from caxton_adapters.runtime.archive import Archive, KnownConversation, Whose
from caxton_core.conversation.past import ConversationKey
from caxton_core.journal import ConversationView, Exchange
from caxton_core.primitives import AgentId, ConversationId, MessageId
from caxton_core.storage import NotRead

JSON_LINES: Final = b"application/jsonl"
_AT_ONCE: Final = 100
_encode: Final = msgspec.json.Encoder().encode

Exchanges: TypeAlias = Result[tuple[Exchange, ...], NotRead]


@final
@frozen
class Conversations:
    """The resource `/conversations`."""

    archive: Archive

    async def page(self, asked: Asked, agent: str | None, limit: int, cursor: str | None) -> Answer:
        """Some conversations, the one used last first."""
        after = _view_at(cursor)
        if isinstance(after, Failure):
            return refusal(after.failure(), asked.context)
        listed = await self.archive.conversations(agent, after=after.unwrap(), limit=limit + 1)
        if isinstance(listed, Failure):
            return refusal(of_runtime(listed.failure()), asked.context)
        known = tuple(listed.unwrap())
        shown = known[:limit]
        more = _cursor(shown[-1]) if len(known) > limit else None
        return json_answer(ConversationPage(tuple(map(conversation_body, shown)), more))

    async def show(self, asked: Asked, whose: Whose, limit: int, cursor: str | None) -> Answer:
        """One conversation with some of its messages, oldest first."""
        after = message_at(cursor)
        if isinstance(after, Failure):
            return refusal(after.failure(), asked.context)
        found = await self.archive.conversation(whose)
        if isinstance(found, Failure):
            return refusal(of_runtime(found.failure()), asked.context)
        known, last = found.unwrap(), after.unwrap()
        read = await self.archive.exchanges(known.place, after=last, limit=limit + 1)
        if isinstance(read, Failure):
            return refusal(of_runtime(read.failure()), asked.context)
        exchanges = tuple(read.unwrap())
        more = None
        if len(exchanges) > limit:
            more = cursor_of(exchanges[limit - 1].message.accepted.message.value)
        return json_answer(self._details(asked, known, exchanges[:limit], more))

    async def reset(self, asked: Asked, whose: Whose) -> Answer:
        """Have it begin anew."""
        reset = await self.archive.reset(whose)
        if isinstance(reset, Failure):
            return refusal(of_runtime(reset.failure()), asked.context)
        return json_answer(conversation_body(reset.unwrap()))

    async def forget(self, asked: Asked, whose: Whose, *, force: bool) -> Answer:
        """Remove it with its messages."""
        forgotten = await self.archive.forget(whose, force=force)
        if isinstance(forgotten, Failure):
            return refusal(of_runtime(forgotten.failure()), asked.context)
        return Answer(204)

    async def export(self, asked: Asked, whose: Whose) -> Answered:
        """Every message with all that was said, oldest first, as lines of JSON.

        Where reading fails in the middle, the last line is a problem.
        """
        found = await self.archive.conversation(whose)
        if isinstance(found, Failure):
            return refusal(of_runtime(found.failure()), asked.context)
        lines = partial(self._write_lines, asked, found.unwrap().place)
        return Streamed(lines, content_type=JSON_LINES)

    async def _write_lines(self, asked: Asked, place: ConversationKey, write: WriteChunk) -> None:
        async with aclosing(self._pages(place)) as pages:
            async for read in pages:
                if isinstance(read, Failure):
                    refused = of_runtime(read.failure())
                    await write(problem.encoded(refused, asked.context.request_id) + b"\n")
                elif lines := b"".join(self._lines(asked, exchange) for exchange in read.unwrap()):
                    await write(lines)

    async def _pages(self, place: ConversationKey) -> AsyncGenerator[Exchanges]:
        """Everything, some messages at a time."""
        after: MessageId | None = None
        while True:
            read = await self.archive.exchanges(place, after=after, limit=_AT_ONCE)
            if isinstance(read, Failure):
                yield read
                return
            exchanges = tuple(read.unwrap())
            yield Success(exchanges)
            if len(exchanges) < _AT_ONCE:
                return
            after = exchanges[-1].message.accepted.message

    def _lines(self, asked: Asked, exchange: Exchange) -> bytes:
        exported = self._exported(asked, exchange)
        return b"" if exported is None else _encode(exported) + b"\n"

    def _exported(self, asked: Asked, exchange: Exchange) -> ExportedMessage | None:
        """None where the agent was deleted just now."""
        ticket = self.archive.runtime.seen(exchange.message)
        if ticket is None:
            return None
        return exported_message(ticket, exchange.said, asked.context.request_id)

    def _details(
        self,
        asked: Asked,
        known: KnownConversation,
        exchanges: tuple[Exchange, ...],
        more: str | None,
    ) -> ConversationDetails:
        body = conversation_body(known)
        tickets = (self.archive.runtime.seen(exchange.message) for exchange in exchanges)
        messages = (message_state(one, asked.context.request_id) for one in tickets if one)
        return ConversationDetails(
            body.conversation_id,
            body.agent,
            body.message_count,
            body.created,
            body.last_used,
            body.summary,
            tuple(messages),
            more,
        )


def _cursor(last: KnownConversation) -> str:
    view = last.view
    agent = "" if view.place.agent is None else view.place.agent.value
    return cursor_of(f"{view.last_used.isoformat()} {agent} {view.place.conversation}")


def _view_at(cursor: str | None) -> Result[ConversationView | None, Refused]:
    """The last conversation that was seen, as far as its cursor tells."""
    if cursor is None:
        return Success(None)
    used, _, place = read_cursor(cursor).partition(" ")
    agent, _, conversation = place.partition(" ")
    try:
        last_used = datetime.fromisoformat(used)
    except ValueError:
        return Failure(BAD_CURSOR)
    owner = AgentId.parse(agent) if agent else Success(None)
    parsed = ConversationId.parse(conversation)
    if isinstance(parsed, Failure) or isinstance(owner, Failure) or last_used.tzinfo is None:
        return Failure(BAD_CURSOR)
    key = ConversationKey(parsed.unwrap(), owner.unwrap())
    return Success(ConversationView(key, 0, last_used, last_used))
