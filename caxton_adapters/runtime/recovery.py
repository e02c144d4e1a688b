"""Turns that go on: after the end of a server by themselves, after a failure by a person's wish."""

from collections.abc import Collection
from datetime import datetime
from typing import Final, final

from attrs import define, field
from returns.result import Failure, Result, Success

from caxton_adapters.runtime.claims import Claims
from caxton_adapters.runtime.daily_budget import restore
from caxton_adapters.runtime.intake import Admit, Intake, not_running
from caxton_adapters.runtime.recording import recorded
from caxton_adapters.runtime.refusals import (
    Draining,
    NotOpenable,
    Refusal,
    UnknownMessage,
)
from caxton_adapters.runtime.ticket import Ticket
from caxton_core.conversation.outcome import (
    AgentGone,
    DeadLettered,
    MessageState,
    NotAnswered,
    OutcomeUnknown,
    TurnFailure,
)
from caxton_core.events import MessageEnded, MessageReopened
from caxton_core.journal import Spent, Unfinished, after
from caxton_core.primitives import ToolName
from caxton_core.storage import NotRead
from caxton_core.tools.tool import ToolResult

MOST_ATTEMPTS: Final = 5
"""How often the server may die while it works on a message, before it is not tried again."""
ENDED_AT_ONCE: Final = 500
"""Messages that are given up in one transaction at a start."""

_REOPENED: Final = (MessageState.FAILED, MessageState.CANCELLED, MessageState.DEAD_LETTERED)


@final
@define(eq=False)
class Recovery:
    """Takes messages up again whose turns did not end well."""

    _intake: Intake
    _claims: Claims = field(factory=Claims, init=False)

    async def reopen(
        self, message: str, results: tuple[ToolResult, ...] = (), admit: Admit | None = None
    ) -> Result[Ticket, Refusal]:
        """Have the turn of a message that failed go on from its last recorded observation.

        Calls whose outcome is unknown have these results; the others are made again, but for those
        of which nobody was told yet that it is unknown: the message ends with that first. `admit`
        is asked about a message that could go on otherwise.
        """
        async with self._claims.of(message):
            found = await self._intake.message(message)
            if isinstance(found, Failure):
                return found
            before = found.unwrap()
            if self._intake.draining:
                return Failure(Draining())
            known = _known(before, results)
            if known or before.state not in _REOPENED:
                return Failure(NotOpenable(message, before.state.value, known))
            return await self._reopen(before, results, admit)

    async def _reopen(
        self, before: Ticket, results: tuple[ToolResult, ...], admit: Admit | None
    ) -> Result[Ticket, Refusal]:
        holder = self._intake.supervisor.find(before.agent.value)
        if isinstance(holder, Failure):
            return holder
        resident = holder.unwrap()
        desk = resident.desk
        if desk is None:
            return Failure(not_running(resident))
        world = self._intake.world
        read = await world.messages.turn(before.message)
        if isinstance(read, Failure):
            return read
        turn = read.unwrap()
        if turn is None:
            return Failure(UnknownMessage(before.message.value))
        refused = None if admit is None else admit()
        if refused is not None:
            return Failure(refused)
        reopened = MessageReopened(before.agent, world.clock.now(), before.message, results)
        in_doubt = _in_doubt(before, turn, reopened.at, desk.terms.idempotent)
        events = (reopened,) if in_doubt is None else (reopened, in_doubt)
        stored = await world.journal.append(*events)
        if isinstance(stored, Failure):
            return stored
        world.events.tell(*events)
        if in_doubt is not None:
            before.end(in_doubt.outcome)
            return Success(before)
        return Success(self._intake.take_up(resident, desk, after(turn, reopened)))

    async def recover(self) -> Result[int, NotRead]:
        """Take up the messages that an earlier run of the server left; how many there were."""
        restored = await self._restore_budgets()
        if isinstance(restored, Failure):
            return restored
        read = await self._intake.world.journal.unfinished()
        if isinstance(read, Failure):
            return read
        given_up = [ended for turn in read.unwrap() if (ended := self._recover(turn)) is not None]
        for first in range(0, len(given_up), ENDED_AT_ONCE):
            await recorded(self._intake.world.journal, *given_up[first : first + ENDED_AT_ONCE])
        self._intake.world.events.tell(*given_up)
        return Success(len(read.unwrap()))

    async def _restore_budgets(self) -> Result[None, NotRead]:
        residents, world = self._intake.supervisor.residents(), self._intake.world
        budgets = {each.agent.id: each.budget for each in residents if each.budget is not None}
        return await restore(budgets, world.messages, world.clock)

    def _recover(self, unfinished: Unfinished) -> MessageEnded | None:
        """Take the message up, or tell how it ends because that cannot be."""
        accepted = unfinished.accepted
        found = self._intake.supervisor.find(accepted.agent.value)
        resident = None if isinstance(found, Failure) else found.unwrap()
        if resident is not None and resident.budget is not None:
            resident.budget.count(Spent(self._intake.world.clock.now(), unfinished.usage))
        if unfinished.attempts >= MOST_ATTEMPTS:
            return self._given_up(unfinished, DeadLettered(unfinished.attempts))
        if resident is None:
            return self._given_up(unfinished, AgentGone("it was deleted"))
        if resident.desk is None:
            return self._given_up(unfinished, AgentGone(f"it is {resident.record.state.value}"))
        self._intake.take_up(resident, resident.desk, unfinished)
        return None

    def _given_up(self, unfinished: Unfinished, why: TurnFailure) -> MessageEnded:
        accepted, now = unfinished.accepted, self._intake.world.clock.now()
        outcome = NotAnswered(why, unfinished.usage)
        return MessageEnded(accepted.agent, now, accepted.message, outcome)


def _known(before: Ticket, results: tuple[ToolResult, ...]) -> tuple[str, ...]:
    """The calls of which results are told, and whose outcome is not unknown."""
    why = before.outcome.why if isinstance(before.outcome, NotAnswered) else None
    open_calls = {call.id for call in why.calls} if isinstance(why, OutcomeUnknown) else set()
    return tuple(result.call_id for result in results if result.call_id not in open_calls)


def _in_doubt(
    before: Ticket, turn: Unfinished, now: datetime, idempotent: Collection[ToolName]
) -> MessageEnded | None:
    """The end of a message whose turn was cut off in the middle of calls that may be made once."""
    if isinstance(before.outcome, NotAnswered) and isinstance(before.outcome.why, OutcomeUnknown):
        return None  # whoever tries again knows of them
    unknown = turn.unknown(idempotent)
    if not unknown:
        return None
    outcome = NotAnswered(OutcomeUnknown(unknown), turn.usage)
    return MessageEnded(before.agent, now, before.message, outcome)
