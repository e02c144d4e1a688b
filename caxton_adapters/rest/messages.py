"""Messages to agents: sent, waited for, streamed, asked about, cancelled, tried again."""

import re
from functools import partial
from typing import Final, TypeAlias, final

import anyio
import msgspec
from returns.result import Failure, Result, Success

from caxton_adapters.rest import problem, sse
from caxton_adapters.rest.archive_wire import FailedCall, MessagePage, RetryRequest
from caxton_adapters.rest.body import invalid, read_json
from caxton_adapters.rest.choosing import Chooser
from caxton_adapters.rest.exchange import (
    Answer,
    Answered,
    Asked,
    Header,
    Streamed,
    WriteChunk,
    json_answer,
    refusal,
)
from caxton_adapters.rest.failures import of_turn
from caxton_adapters.rest.message_rates import MessageRates
from caxton_adapters.rest.paging import cursor_of
from caxton_adapters.rest.problem import Refused, details
from caxton_adapters.rest.refusals import no_offer, of_runtime
from caxton_adapters.rest.telling import (
    approval_asked,
    message_accepted,
    message_answer,
    message_state,
)
from caxton_adapters.rest.wire import Delta, MessageRequest
from caxton_adapters.runtime.archive import Archive, MessagesWanted
from caxton_adapters.runtime.claims import Claims
from caxton_adapters.runtime.runtime import Runtime
from caxton_adapters.runtime.ticket import Delivery, Incoming, Ticket
from caxton_core.conversation import outcome as outcomes
from caxton_core.conversation.outcome import NotAnswered, Suspended
from caxton_core.primitives import ConversationId
from caxton_core.tools.tool import ToolFailed, ToolResult, ToolSucceeded

_DECODER: Final = msgspec.json.Decoder(MessageRequest)
_RETRY_DECODER: Final = msgspec.json.Decoder(RetryRequest)
_Taken: TypeAlias = tuple[Ticket, tuple[Header, ...]]
_END: Final = 1.0
_KEY: Final = re.compile(rb"[\x21-\x7e]{1,255}")
_REPLAYED: Final[tuple[Header, ...]] = ((b"idempotent-replayed", b"true"),)
_BAD_KEY: Final = Refused(
    400,
    problem.BAD_IDEMPOTENCY_KEY,
    "An Idempotency-Key has 1 to 255 visible ASCII characters.",
)


@final
class Messages:
    """The resource `/agents/{ref}/message`, its sibling by capability, and `/messages/{id}`."""

    def __init__(self, runtime: Runtime, rates: MessageRates, *, heartbeat: float) -> None:
        self._runtime = runtime
        self._rates = rates
        self._heartbeat = heartbeat
        self._chooser = Chooser(runtime)
        self._archive = Archive(runtime)
        self._claims = Claims()
        self.draining = False

    async def send(self, asked: Asked, ref: str) -> Answered:
        """Give the agent a message, and its answer to the sender in the form it asked for."""
        taken = await self._taken(asked, ref)
        if isinstance(taken, Failure):
            return taken.failure()
        return await self._answer(asked, *taken.unwrap())

    async def send_by_capability(self, asked: Asked, capability: str) -> Answered:
        """The same, to the best agent that offers the capability."""
        key = asked.headers.get(b"idempotency-key")
        if key is None:
            taken = await self._taken_by_one(asked, capability, None)
        else:
            # A message that is sent twice at once must not go to two agents.
            async with self._claims.of((capability, key)):
                taken = await self._taken_by_one(asked, capability, key.decode("latin-1"))
        if isinstance(taken, Failure):
            return taken.failure()
        return await self._answer(asked, *taken.unwrap())

    async def _taken_by_one(
        self, asked: Asked, capability: str, key: str | None
    ) -> Result[_Taken, Answer]:
        found = await self._chooser.choose(capability, key)
        if isinstance(found, Failure):
            return Failure(refusal(of_runtime(found.failure()), asked.context))
        chosen = found.unwrap()
        if chosen is None:
            offered = self._chooser.offered()
            return Failure(refusal(no_offer(capability, offered), asked.context))
        return await self._taken(asked, chosen)

    async def _taken(self, asked: Asked, ref: str) -> Result[_Taken, Answer]:
        """The ticket of the message, and what its answer says beside."""
        read = _incoming(asked)
        if isinstance(read, Failure):
            return Failure(refusal(read.failure(), asked.context))
        incoming = read.unwrap()
        accepted = await self._runtime.accept(ref, incoming, self._rates.of(asked.holder))
        if isinstance(accepted, Failure):
            return Failure(refusal(of_runtime(accepted.failure()), asked.context))
        ticket = accepted.unwrap()
        return Success((ticket, _REPLAYED if ticket.incoming is not incoming else ()))

    async def show(self, asked: Asked, id_: str) -> Answered:
        """What became of a message."""
        found = await self._runtime.message(id_)
        if isinstance(found, Failure):
            return refusal(of_runtime(found.failure()), asked.context)
        return json_answer(message_state(found.unwrap(), asked.context.request_id))

    async def cancel(self, asked: Asked, id_: str) -> Answered:
        """Stop a turn that nobody waits for any more; one that ended stays as it is."""
        found = await self._runtime.message(id_)
        if isinstance(found, Failure):
            return refusal(of_runtime(found.failure()), asked.context)
        self._runtime.cancel(found.unwrap())
        with anyio.move_on_after(_END):
            await found.unwrap().done()
        return json_answer(message_state(found.unwrap(), asked.context.request_id))

    async def page(self, asked: Asked, wanted: MessagesWanted) -> Answer:
        """Some messages, newest first."""
        found = await self._archive.messages(wanted)
        if isinstance(found, Failure):
            return refusal(of_runtime(found.failure()), asked.context)
        tickets, last = found.unwrap().tickets, found.unwrap().last
        states = tuple(message_state(ticket, asked.context.request_id) for ticket in tickets)
        return json_answer(MessagePage(states, None if last is None else cursor_of(last.value)))

    async def retry(self, asked: Asked, id_: str) -> Answer:
        """Have a message that failed go on, with results that its sender knows."""
        read = read_json(_RETRY_DECODER, asked.body or b"{}")
        if isinstance(read, Failure):
            return refusal(read.failure(), asked.context)
        results = tuple(_result(*told) for told in read.unwrap().results.items())
        reopened = await self._runtime.reopen(id_, results, self._rates.of(asked.holder))
        if isinstance(reopened, Failure):
            return refusal(of_runtime(reopened.failure()), asked.context)
        return json_answer(message_accepted(reopened.unwrap()), 202, (_location(id_),))

    async def _answer(self, asked: Asked, ticket: Ticket, headers: tuple[Header, ...]) -> Answered:
        if _prefers(b"respond-async", asked):
            return _accepted(ticket, headers)
        if b"idempotency-key" not in asked.headers:
            # Nobody else can ask for this answer: the work ends when its client goes.
            asked.on_leave(partial(self._left, ticket))
        if _wants_stream(asked):
            return Streamed(partial(self._stream, asked, ticket), headers)
        outcome = await ticket.done()
        if isinstance(outcome, NotAnswered):
            return refusal(_told(ticket, outcome), asked.context)
        return json_answer(message_answer(ticket, outcome), headers=headers)

    def _left(self, ticket: Ticket) -> None:
        """A client hung up; where it is the server that leaves, the message goes on later."""
        if not self.draining:
            self._runtime.cancel(ticket)

    async def _stream(self, asked: Asked, ticket: Ticket, write: WriteChunk) -> None:
        await write(sse.event(b"accepted", message_accepted(ticket)))
        async with anyio.create_task_group() as beside:
            beside.start_soon(sse.keep_alive, write, self._heartbeat)
            beside.start_soon(_tell_approvals, ticket, write)
            async for piece in ticket.deltas():
                await write(sse.event(b"delta", Delta(piece)))
            beside.cancel_scope.cancel()
        outcome = await ticket.done()
        match outcome:
            case outcomes.Answered():
                await write(sse.event(b"message", message_answer(ticket, outcome)))
            case NotAnswered():
                told = details(_told(ticket, outcome), asked.context.request_id)
                await write(sse.event(b"error", told))
        if self.draining:
            await write(sse.SHUTDOWN)


async def _tell_approvals(ticket: Ticket, write: WriteChunk) -> None:
    """Tell whoever listens which calls wait for a person, so that they can be that person."""
    async for approval in ticket.asked():
        await write(sse.event(b"approval", approval_asked(ticket, approval)))


def _told(ticket: Ticket, outcome: NotAnswered) -> Refused:
    """Why there is no answer, and where it will be if it is only late."""
    refused = of_turn(outcome.why)
    if not isinstance(outcome.why, Suspended):
        return refused
    where = f"/messages/{ticket.message.value}"
    headers = (*refused.headers, (b"location", where.encode("ascii")))
    detail = f"{refused.detail} Ask GET {where} then."
    return Refused(refused.status, refused.code, detail, refused.errors, headers)


def _incoming(asked: Asked) -> Result[Incoming, Refused]:
    key = asked.headers.get(b"idempotency-key")
    if key is not None and _KEY.fullmatch(key) is None:
        return Failure(_BAD_KEY)
    read = read_json(_DECODER, asked.body)
    if isinstance(read, Failure):
        return read
    request = read.unwrap()
    conversation = None
    if request.conversation_id is not None:
        parsed = ConversationId.parse(request.conversation_id)
        if isinstance(parsed, Failure):
            says = f"Expected {ConversationId.rule.says}"
            return Failure(invalid(says, "conversation_id"))
        conversation = parsed.unwrap()
    in_pieces = _wants_stream(asked) and not _prefers(b"whole", asked)
    delivery = Delivery.STREAMED if in_pieces else Delivery.WHOLE
    text_key = None if key is None else key.decode("ascii")
    return Success(Incoming(request.text, conversation, text_key, delivery))


def _accepted(ticket: Ticket, headers: tuple[Header, ...]) -> Answer:
    location = _location(ticket.message.value)
    applied = (b"preference-applied", b"respond-async")
    return json_answer(message_accepted(ticket), 202, (location, applied, *headers))


def _location(message: str) -> Header:
    return b"location", b"/messages/" + message.encode("ascii")


def _result(call: str, told: str | FailedCall) -> ToolResult:
    return ToolSucceeded(call, told) if isinstance(told, str) else ToolFailed(call, told.failed)


def _prefers(what: bytes, asked: Asked) -> bool:
    return what in asked.headers.get(b"prefer", b"").lower()


def _wants_stream(asked: Asked) -> bool:
    return b"text/event-stream" in asked.headers.get(b"accept", b"").lower()
