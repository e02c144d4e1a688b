"""The turn loop: do what the turn wants, tell it what came of it, until it ends.

Whatever the turn was told is kept until then. When the agent's process dies, another one is told
the same again and goes on from there: no model and no tool is asked twice.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final, Protocol, final

import anyio
from attrs import define, field, frozen
from returns.result import Failure, Result

from caxton_adapters.runtime.conversations import Conversations
from caxton_adapters.runtime.daily_budget import DailyBudget
from caxton_adapters.runtime.isolation.host import Host, HostDied
from caxton_adapters.runtime.ticket import Delivery, NotAnswered, Outcome, Ticket, answered
from caxton_core.conversation.message import Message
from caxton_core.conversation.model import (
    AnswerCut,
    ModelRequest,
    ProviderUnknown,
    QuotaExhausted,
    TextDelta,
)
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
from caxton_core.events import Event, Observed, StepTaken
from caxton_core.limits import Spending
from caxton_core.ports import Answer, Clock, Journal, Model, Tools
from caxton_core.primitives import ProviderName, Usd
from caxton_core.tools.permission import Grant, refused
from caxton_core.tools.tool import ToolCall, ToolFailed, ToolResult

MOST_DEATHS_OF_A_TURN: Final = 3
_NO_PRICE: Final[Answer] = Failure(
    QuotaExhausted("budget.cost_per_day cannot be kept: the model has no known price")
)


class Models(Protocol):
    """The configured providers; None asks for the default one."""

    def find(self, name: ProviderName | None) -> Result[Model, ProviderUnknown]:
        """The model service behind a name."""
        ...

    def quote(self, name: ProviderName | None, request: ModelRequest) -> Awaitable[Usd | None]:
        """The most that one call with a bounded request can cost; None where nobody knows."""
        ...


@final
@frozen
class World:
    """What turns reach beyond themselves."""

    models: Models
    tools: Tools
    conversations: Conversations
    journal: Journal
    clock: Clock


@final
@frozen
class Terms:
    """What an agent's file says about its turns beyond what the turn itself knows (seconds)."""

    grant: Grant
    tool_timeout: float
    idle_timeout: float
    budget: DailyBudget | None = None


@final
@define(eq=False)
class Answering:
    """One turn on its way; `mended` waits until the agent, whose process died, may go on."""

    world: World
    host: Host
    ticket: Ticket
    terms: Terms
    _mended: Callable[[float], Awaitable[None]]
    _history: tuple[Message, ...] = field(default=(), init=False)
    _observed: list[Observation] = field(factory=list, init=False)

    async def run(self) -> Outcome:
        """The outcome, if nobody stops the turn before."""
        try:
            return await self._turn()
        finally:
            self.host.forget(self.ticket.number)

    async def _turn(self) -> Outcome:
        ticket = self.ticket
        self._history = self.world.conversations.history(
            ticket.agent,
            ticket.conversation,
            now=self.world.clock.monotonic(),
            idle=self.terms.idle_timeout,
        )
        step = await self._begun()
        while True:
            await self._record(StepTaken(ticket.agent, self._now(), ticket.message, step))
            match step:
                case AskModel():
                    step = await self._told(await self._asked(step))
                case CallTools(calls):
                    step = await self._told(ToolsAnswered(await self._called(calls)))
                case Reply():
                    self._remember(step.said)
                    return answered(step)
                case GiveUp(why, usage):
                    return NotAnswered(why, usage)

    def _remember(self, said: tuple[Message, ...]) -> None:
        self.world.conversations.add(
            self.ticket.agent,
            self.ticket.conversation,
            said,
            now=self.world.clock.monotonic(),
            idle=self.terms.idle_timeout,
        )

    async def _told(self, observed: Observation) -> Step:
        ticket = self.ticket
        await self._record(Observed(ticket.agent, self._now(), ticket.message, observed))
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
        return await self.host.begin(ticket.number, self._history, text, *self._observed)

    async def _asked(self, step: AskModel) -> Observation:
        found = self.world.models.find(step.candidate.provider)
        if isinstance(found, Failure):
            return ModelFailed(found.failure())
        shown_before = self.ticket.shown
        if self.terms.budget is None:
            answer = await self._answer(found.unwrap(), step.request)
        else:
            within = await self._answer_within(self.terms.budget, found.unwrap(), step)
            if isinstance(within, BudgetReached):
                return within
            answer = within
        if isinstance(answer, Failure):
            return ModelFailed(answer.failure(), self.ticket.shown - shown_before)
        return ModelAnswered(answer.unwrap())

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
            answer = await self._answer(model, request)
            taken = spent(answer, reservation)
        finally:
            budget.settle(reservation, taken)
        return answer

    async def _answer(self, model: Model, request: ModelRequest) -> Answer:
        if self.ticket.incoming.delivery is Delivery.WHOLE:
            return await model.complete(request)
        answer: Answer = Failure(AnswerCut("the stream ended without an answer"))
        async for part in model.stream(request):
            if isinstance(part, TextDelta):
                self.ticket.show(part.text)
            else:
                answer = part
        return answer

    async def _called(self, calls: tuple[ToolCall, ...]) -> tuple[ToolResult, ...]:
        results: list[ToolResult] = []

        async def call_one(call: ToolCall) -> None:
            # Here and not where the turn is decided: the agent's process is not trusted.
            result = refused(self.terms.grant, call) or await self._made(call)
            results.append(result)

        async with anyio.create_task_group() as together:
            for call in calls:
                together.start_soon(call_one, call)
        return tuple(results)

    async def _made(self, call: ToolCall) -> ToolResult:
        timeout = self.terms.tool_timeout
        with anyio.move_on_after(timeout):
            return await self.world.tools.call(call)
        return ToolFailed(call.id, f"no answer within {timeout:g} s")

    async def _record(self, event: Event) -> None:
        await self.world.journal.append(event)

    def _now(self) -> datetime:
        return self.world.clock.now()
