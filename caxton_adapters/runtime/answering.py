"""The turn loop: do what the turn wants, tell it what came of it, until it ends.

Whatever the turn was told is recorded before anything else is done, and kept until the turn ends.
When the agent's process dies, another one is told the same again; when the server dies, the next
one reads it back. Either goes on from there: no model and no tool is asked twice.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import datetime
from typing import Final, final

import anyio
from attrs import define, evolve, field, frozen
from returns.result import Failure, Result, Success

from caxton_adapters.runtime.daily_budget import DailyBudget
from caxton_adapters.runtime.gate import Gate, Seat
from caxton_adapters.runtime.isolation.host import Host, HostDied
from caxton_adapters.runtime.pasts import with_recalled
from caxton_adapters.runtime.recording import recorded
from caxton_adapters.runtime.ticket import Delivery, Ticket
from caxton_adapters.runtime.world import World
from caxton_core.conversation.model import (
    AnswerCut,
    QuotaExhausted,
    TextDelta,
)
from caxton_core.conversation.outcome import (
    NotAnswered,
    Outcome,
    OutcomeUnknown,
    answered,
)
from caxton_core.conversation.past import NOTHING, Past
from caxton_core.conversation.spending import answer_tokens, bounded, prompt_tokens, spent
from caxton_core.conversation.turn import (
    AskModel,
    BudgetReached,
    CallTools,
    GiveUp,
    ModelAnswered,
    ModelFailed,
    Observation,
    Reply,
    Step,
    ToolsAnswered,
)
from caxton_core.events import (
    CallAnswered,
    Event,
    MessageEnded,
    Observed,
    StepTaken,
    TurnEvent,
    TurnResumed,
)
from caxton_core.limits import Spending
from caxton_core.ports import Answer, Model
from caxton_core.primitives import ToolName, Usd
from caxton_core.storage import NotRead
from caxton_core.tools.permission import Grant
from caxton_core.tools.tool import Caller, ToolCall, ToolResult

MOST_DEATHS_OF_A_TURN: Final = 3
_NO_PRICE: Final[Answer] = Failure(
    QuotaExhausted("budget.cost_per_day cannot be kept: the model has no known price")
)


@final
@frozen
class Terms:
    """What an agent's file says about its turns beyond what the turn itself knows (seconds).

    `exchanges` is the most that are read of a conversation; None reads all that has no summary.
    """

    grant: Grant
    tool_timeout: float
    idle_timeout: float
    exchanges: int | None = None
    shared: bool = False
    lasting: bool = True
    budget: DailyBudget | None = None

    @property
    def idempotent(self) -> frozenset[ToolName]:
        """The tools that may be called twice."""
        return frozenset(tool.name for tool in self.grant.tools if tool.idempotent)


@final
@define(eq=False)
class Answering:
    """One turn on its way; `mended` waits until the agent, whose process died, may go on."""

    world: World
    host: Host
    ticket: Ticket
    terms: Terms
    _seat: Seat
    _mended: Callable[[float], Awaitable[None]]
    _past: Past = field(default=NOTHING, init=False)
    _observed: list[Observation] = field(factory=list, init=False)
    _unrecorded: list[Observed] = field(factory=list, init=False)

    async def run(self) -> Outcome:
        """The recorded outcome, if nobody stops the turn before."""
        try:
            return await self._turn()
        finally:
            self.host.forget(self.ticket.number)

    async def _turn(self) -> Outcome:
        turn: AbstractAsyncContextManager[None] = nullcontext()
        if self.ticket.recorded is not None:
            turn = self.world.resuming
        async with turn:
            read = await self._recalled()
        if isinstance(read, Failure):
            return await self._ended(NotAnswered(read.failure()))
        self._past = read.unwrap()
        step = await self._resumed() if self.ticket.recorded else await self._begun()
        while True:
            self._tell(StepTaken(self.ticket.agent, self._now(), self.ticket.message, step))
            match step:
                case AskModel():
                    await self._record()
                    step = await self._told(await self._asked(step))
                case CallTools():
                    results = await self._called(step)
                    if isinstance(results, OutcomeUnknown):
                        return await self._ended(NotAnswered(results))
                    step = await self._told(ToolsAnswered(results))
                    if self.ticket.suspended:
                        await self._record()
                        raise asyncio.CancelledError
                case Reply():
                    return await self._ended(answered(step), step)
                case GiveUp(why, usage):
                    return await self._ended(NotAnswered(why, usage))

    async def _recalled(self) -> Result[Past, NotRead]:
        """What was said before, and what the agent remembers."""
        ticket, terms, now = self.ticket, self.terms, self.world.clock.monotonic()
        most, idle, lasting = terms.exchanges, terms.idle_timeout, terms.lasting
        place, pasts = ticket.place, self.world.pasts
        if ticket.begins_conversation:
            read: Result[Past, NotRead] = Success(
                pasts.new(place, at_most=most, now=now, idle=idle, lasting=lasting)
            )
        else:
            read = await pasts.of(
                place, at_most=most, now=now, today=self._now(), idle=idle, lasting=lasting
            )
        memory = self.world.memory
        if memory is None or isinstance(read, Failure):
            return read
        recalled = await memory.recalled(self._caller(""), ticket.incoming.text)
        return Success(with_recalled(read.unwrap(), recalled))

    async def _resumed(self) -> Step:
        """Go on from what an earlier run of the server recorded."""
        recorded = self.ticket.recorded
        assert recorded is not None
        # A turn that waited for a person did not end the server, however often that ended.
        attempt = recorded.attempts + (0 if recorded.waits_for_a_person else 1)
        self._observed.extend(recorded.observed)
        resumed = TurnResumed(self.ticket.agent, self._now(), self.ticket.message, attempt)
        await self._record(resumed)
        self._tell(resumed)
        return await self._begun()

    async def _ended(self, outcome: Outcome, reply: Reply | None = None) -> Outcome:
        """Record how the turn ended; from here on nothing changes it."""
        ticket, world = self.ticket, self.world
        ticket.ending = True
        said, summary = ((), None) if reply is None else (reply.said, reply.summary)
        ended = MessageEnded(ticket.agent, self._now(), ticket.message, outcome, said, summary)
        # Should a person want that the turn goes on, what tools did is not done again.
        known = (told for told in self._unrecorded if isinstance(told.observation, ToolsAnswered))
        await recorded(world.journal, *known, ended)
        if reply is not None:
            now, idle = world.clock.monotonic(), self.terms.idle_timeout
            world.pasts.add(ticket.place, said, summary, now=now, idle=idle)
        self._tell(ended)
        return outcome

    async def _told(self, observed: Observation) -> Step:
        ticket = self.ticket
        event = Observed(ticket.agent, self._now(), ticket.message, observed)
        self._tell(event)
        self._unrecorded.append(event)
        self._observed.append(observed)
        try:
            return await self.host.advance(ticket.number, observed)
        except HostDied as died:
            await self._mended(died.pause)
            return await self._begun()

    async def _begun(self) -> Step:
        """Begin, or begin again with all that was observed, until a process lives through it."""
        for _ in range(MOST_DEATHS_OF_A_TURN - 1):
            try:
                return await self._begin()
            except HostDied as died:
                await self._mended(died.pause)
        return await self._begin()

    async def _begin(self) -> Step:
        ticket, text = self.ticket, self.ticket.incoming.text
        return await self.host.begin(ticket.number, self._past, text, *self._observed)

    async def _asked(self, step: AskModel) -> Observation:
        found = self.world.models.find(step.candidate.provider)
        if isinstance(found, Failure):
            return ModelFailed(found.failure(), inner=step.inner)
        shown_before = self.ticket.shown
        if self.terms.budget is None:
            answer = await self._answer(found.unwrap(), step)
        else:
            within = await self._answer_within(self.terms.budget, found.unwrap(), step)
            if isinstance(within, BudgetReached):
                return evolve(within, inner=step.inner)
            answer = within
        if isinstance(answer, Failure):
            shown = self.ticket.shown - shown_before
            return ModelFailed(answer.failure(), shown, inner=step.inner)
        return ModelAnswered(answer.unwrap(), inner=step.inner)

    async def _answer_within(
        self, budget: DailyBudget, model: Model, step: AskModel
    ) -> Answer | BudgetReached:
        request = bounded(step.request)
        price = Usd(0)
        if budget.needs_price:
            quoted = await self.world.models.quote(step.candidate.provider, request)
            if quoted is None:
                return _NO_PRICE
            price = quoted
        tokens = prompt_tokens(request) + answer_tokens(request)
        reservation = budget.reserve(Spending(1, tokens, price.value))
        if isinstance(reservation, BudgetReached):
            return reservation
        taken = reservation.room  # unless it is known better: the service may have done its work
        try:
            answer = await self._answer(model, evolve(step, request=request))
            taken = spent(answer, reservation)
        finally:
            budget.settle(reservation, taken)
        return answer

    async def _answer(self, model: Model, step: AskModel) -> Answer:
        if step.inner or self.ticket.incoming.delivery is Delivery.WHOLE:
            return await model.complete(step.request)
        answer: Answer = Failure(AnswerCut("the stream ended without an answer"))
        async for part in model.stream(step.request):
            if isinstance(part, TextDelta):
                self.ticket.show(part.text)
            else:
                answer = part
        return answer

    async def _called(self, step: CallTools) -> tuple[ToolResult, ...] | OutcomeUnknown:
        """Make the calls of which nothing is known from an earlier run of the server."""
        ticket = self.ticket
        earlier, ticket.recorded = ticket.recorded, None
        if earlier is not None:
            unknown = earlier.unknown(self.terms.idempotent)
            if unknown:
                return OutcomeUnknown(unknown)
        results = [] if earlier is None else list(earlier.results)
        known = {result.call_id for result in results}
        open_calls = tuple(call for call in step.calls if call.id not in known)
        # Here and not where the turn is decided: the agent's process is not trusted.
        consents = () if earlier is None else earlier.consents
        gate = Gate(self.world, self.ticket, self._seat, self.terms.tool_timeout, consents)
        callers = {call.id: self._caller(call.id) for call in open_calls}
        asked = await gate.questions(open_calls, callers)
        # With the step, in one: of a call that only waits it is known that it was not made.
        await self._record(StepTaken(ticket.agent, self._now(), ticket.message, step), *asked)
        for question in asked:
            self._tell(question)

        async def call_one(call: ToolCall) -> None:
            result = await gate.result(call, callers[call.id])
            results.append(result)
            if len(step.calls) > 1:
                answered_one = CallAnswered(ticket.agent, self._now(), ticket.message, result)
                await recorded(self.world.journal, answered_one)
                self._tell(answered_one)

        async with anyio.create_task_group() as together:
            for call in open_calls:
                together.start_soon(call_one, call)
        return tuple(results)

    def _caller(self, call: str) -> Caller:
        ticket = self.ticket
        # A model may give calls of different rounds the same id.
        rounds = sum(isinstance(observed, ToolsAnswered) for observed in self._observed)
        key = f"{ticket.message.value}:{rounds}:{call}"
        return Caller(ticket.agent, ticket.conversation, ticket.message, key)

    async def _record(self, *more: TurnEvent) -> None:
        """Have everything recorded that happened, before anything else does."""
        events, self._unrecorded = (*self._unrecorded, *more), []
        if events:
            await recorded(self.world.journal, *events)

    def _tell(self, event: Event) -> None:
        self.world.events.tell(event)

    def _now(self) -> datetime:
        return self.world.clock.now()
