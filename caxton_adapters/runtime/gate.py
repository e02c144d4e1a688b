"""What stands before every call of a tool: the rules of all levels, and perhaps a person.

The rules count as they are when the call is made: after a person has answered, and after the calls
before it have left room.
"""

from collections.abc import Iterable, Mapping
from typing import Final, Protocol, final

import anyio
from attrs import define, field

from caxton_adapters.runtime.approvals import Request, approval_id, expiry
from caxton_adapters.runtime.recording import recorded
from caxton_adapters.runtime.ticket import Ticket
from caxton_adapters.runtime.world import World
from caxton_core.conversation.turn import DeadlinePassed
from caxton_core.events import (
    ApprovalAsked,
    CallBegun,
    CallOutcome,
    CallRefused,
    ToolCalled,
    TurnEvent,
)
from caxton_core.journal import Consent
from caxton_core.tools.approval import (
    Approval,
    Approved,
    Denied,
    Expired,
    Said,
    not_approved,
)
from caxton_core.tools.explaining import explained, told_to_model
from caxton_core.tools.permission import Decision, Effect, Grant
from caxton_core.tools.redaction import redacted
from caxton_core.tools.tool import Caller, ToolCall, ToolFailed, ToolResult

CALLS_ABREAST: Final = 8
"""How many tools are at work for one turn at the same time."""


class Seat(Protocol):
    """A turn's place at its agent's desk."""

    @property
    def granted(self) -> Grant:
        """What the agent's file grants now."""
        ...

    def step_aside(self, ticket: Ticket) -> None:
        """The turn waits for a person: meanwhile another one may run."""
        ...

    async def come_back(self, ticket: Ticket) -> None:
        """The turn goes on, as soon as there is room for it."""
        ...

    def refused(self) -> None:
        """A call was refused: it is counted."""
        ...


def _by_call(consents: Iterable[Consent]) -> dict[str, Consent]:
    return {each.approval.call.id: each for each in consents}


@final
@define(eq=False)
class Gate:
    """The calls of one step of a turn; `consents` are what was recorded of them before."""

    _world: World
    _ticket: Ticket
    _seat: Seat
    _timeout: float
    _consents: dict[str, Consent] = field(converter=_by_call)
    _abreast: anyio.Semaphore = field(factory=lambda: anyio.Semaphore(CALLS_ABREAST), init=False)

    async def result(self, call: ToolCall, caller: Caller) -> ToolResult:
        """What came of the call, be it that it was not made.

        What a person was asked about is not made against their word, and is known to be made, also
        where the rules do not want it any more.
        """
        approved = False
        while True:
            async with self._abreast:
                decision = await self._decided(call)
                if decision.effect is Effect.DENY:
                    self._refuse(call, decision)
                    return told_to_model(call, decision)
                known = self._consent(call)
                if known is not None and isinstance(known.said, Denied | Expired):
                    return not_approved(call, known.said)
                if decision.effect is Effect.ALLOW or approved:
                    if known is not None:
                        await self._begin(call)
                    return await self._made(call, caller)
            said = await self._said(call, caller, decision)
            if not isinstance(said, Approved):
                return not_approved(call, said)
            approved = True

    async def _begin(self, call: ToolCall) -> None:
        """From here on a call that waited for a person may have been made."""
        ticket, now = self._ticket, self._world.clock.now()
        await self._record(CallBegun(ticket.agent, now, ticket.message, call.id))

    async def _decided(self, call: ToolCall) -> Decision:
        return await self._world.decided(self._seat.granted, call)

    def _refuse(self, call: ToolCall, decision: Decision) -> None:
        ticket, arguments = self._ticket, redacted(call.arguments)
        why = explained(decision)
        now = self._world.clock.now()
        refused = CallRefused(ticket.agent, now, ticket.message, call.name, arguments, why)
        self._world.events.tell(refused)
        self._seat.refused()

    async def questions(
        self, calls: Iterable[ToolCall], callers: Mapping[str, Caller]
    ) -> tuple[ApprovalAsked, ...]:
        """What a person is asked about the calls, to be recorded before anything is done."""
        asked = []
        for call in calls:
            if self._consent(call) is not None:
                continue
            decision = await self._decided(call)
            if decision.effect is Effect.ASK:
                asked.append(self._question(call, callers[call.id], decision))
        return tuple(asked)

    def _question(self, call: ToolCall, caller: Caller, decision: Decision) -> ApprovalAsked:
        ticket, now = self._ticket, self._world.clock.now()
        rules = tuple(each.rule.value for each in decision.verdicts if each.rule is not None)
        until = expiry(now, self._world.rulebook.patience)
        # With the call itself: an agent's process may give two calls one id.
        id_ = approval_id(f"{caller.key}:{call.name}:{call.arguments}")
        approval = Approval(id_, call, now, until, rules)
        self._consents[call.id] = Consent(approval)
        return ApprovalAsked(ticket.agent, now, ticket.message, approval)

    def _consent(self, call: ToolCall) -> Consent | None:
        """What was recorded of asking about this very call."""
        known = self._consents.get(call.id)
        return known if known is not None and known.approval.call == call else None

    async def _said(self, call: ToolCall, caller: Caller, decision: Decision) -> Said:
        """What a person says of the call, now or before an earlier end of the server."""
        known = self._consent(call)
        if known is None:  # the rules want it since the step was taken
            question = self._question(call, caller, decision)
            await self._record(question)
            known = Consent(question.approval)
        return known.said or await self._asked(known.approval)

    async def _asked(self, approval: Approval) -> Said:
        ticket, approvals = self._ticket, self._world.approvals
        request = Request(
            approval, ticket.agent, ticket.agent_name, ticket.message, ticket.conversation
        )
        answered = ticket.ask(approval, why_late=DeadlinePassed())
        self._seat.step_aside(ticket)
        try:
            said = await approvals.wait(request)
            if ticket.approvals == (approval,):
                await self._seat.come_back(ticket)
        finally:
            answered()
        return said

    async def _made(self, call: ToolCall, caller: Caller) -> ToolResult:
        ticket, world = self._ticket, self._world
        since = world.clock.monotonic()
        shown = redacted(call.arguments)
        ticket.begin_call()
        try:
            result = await world.calls.make(call, caller, self._timeout)
        finally:
            ticket.end_call()
        outcome = CallOutcome.FAILED if isinstance(result, ToolFailed) else CallOutcome.SUCCEEDED
        world.events.tell(
            ToolCalled(
                ticket.agent,
                world.clock.now(),
                ticket.message,
                call.name,
                shown,
                world.clock.monotonic() - since,
                outcome,
            )
        )
        return result

    async def _record(self, event: TurnEvent) -> None:
        await recorded(self._world.journal, event)
        self._world.events.tell(event)
