"""What a journal keeps of messages, and how a turn that did not end is read back from it."""

from collections.abc import Collection, Iterable
from datetime import datetime
from functools import reduce
from typing import final

from attrs import evolve, frozen

from caxton_core.conversation.message import Message
from caxton_core.conversation.outcome import MessageState, Outcome
from caxton_core.conversation.past import ConversationKey
from caxton_core.conversation.turn import CallTools, ModelAnswered, Observation, ToolsAnswered
from caxton_core.events import (
    ApprovalAsked,
    ApprovalGiven,
    CallAnswered,
    CallBegun,
    MessageAccepted,
    MessageEnded,
    MessageReopened,
    Observed,
    StepTaken,
    TurnEvent,
    TurnResumed,
)
from caxton_core.limits import Usage, added
from caxton_core.primitives import AgentId, MessageId, ToolName
from caxton_core.tools.approval import Approval, Said
from caxton_core.tools.tool import ToolCall, ToolResult


@final
@frozen
class StoredMessage:
    """A message as the journal has it; `outcome` is None and `ended` too while it has none."""

    accepted: MessageAccepted
    attempts: int = 0
    outcome: Outcome | None = None
    ended: datetime | None = None


@final
@frozen
class Spent:
    """What messages spent that ended at a moment or not long before."""

    at: datetime
    usage: Usage


@final
@frozen
class Consent:
    """A call for which a person was asked: what they said, and whether the call was `begun`."""

    approval: Approval
    said: Said | None = None
    begun: bool = False


@final
@frozen
class Unfinished:
    """A message without an outcome, and how far its turn came.

    `calls` were about to be made when the record ends; `results` are known of some of them, or
    were told by a person who had the message opened again. For some a person was asked.
    """

    accepted: MessageAccepted
    attempts: int = 0
    observed: tuple[Observation, ...] = ()
    calls: tuple[ToolCall, ...] = ()
    results: tuple[ToolResult, ...] = ()
    consents: tuple[Consent, ...] = ()

    @property
    def open_calls(self) -> tuple[ToolCall, ...]:
        """The calls of which nothing is known."""
        known = {result.call_id for result in self.results}
        return tuple(call for call in self.calls if call.id not in known)

    @property
    def usage(self) -> Usage:
        """What was spent so far, as far as it is recorded."""
        known = (told for told in self.observed if isinstance(told, ModelAnswered))
        return reduce(added, (told.completion.usage for told in known), Usage())

    def unknown(self, idempotent: Collection[ToolName]) -> tuple[ToolCall, ...]:
        """The open calls that may have been made, and may not be made again."""
        waiting = {each.approval.call.id for each in self.consents if not each.begun}
        return tuple(
            call
            for call in self.open_calls
            if call.name not in idempotent and call.id not in waiting
        )

    @property
    def waits_for_a_person(self) -> bool:
        """Whether nothing was at work: the turn waited for somebody's say."""
        waiting = {each.approval.call.id for each in self.consents if not each.begun}
        return bool(waiting) and all(call.id in waiting for call in self.open_calls)


def folded(accepted: MessageAccepted, events: Iterable[TurnEvent]) -> Unfinished:
    """How far the turn of a message came; a result that was recorded twice counts once."""
    turn = Unfinished(accepted)
    observed: list[Observed] = []
    for event in events:
        if isinstance(event, Observed):
            if event in observed:
                continue  # a write whose end nobody saw was made again
            observed.append(event)
        turn = after(turn, event)
    return turn


def after(turn: Unfinished, event: TurnEvent) -> Unfinished:
    """How far the turn is with one more event."""
    match event:
        case TurnResumed(attempt=attempt):
            return evolve(turn, attempts=max(turn.attempts, attempt))
        case StepTaken(step=CallTools(calls)):
            return evolve(turn, calls=calls)
        case ApprovalAsked() | ApprovalGiven() | CallBegun():
            return evolve(turn, consents=_consents(turn.consents, event))
        case CallAnswered(result=result):
            return _known(turn, result)
        case MessageReopened(results=results):
            for result in results:
                turn = _known(turn, result)
            known = _without_failures(turn.observed)
            return evolve(turn, attempts=0, observed=known, calls=(), consents=())
        case Observed(observation=observation):
            observed = (*turn.observed, observation)
            if isinstance(observation, ToolsAnswered):
                return evolve(turn, observed=observed, calls=(), results=(), consents=())
            return evolve(turn, observed=observed)
        case MessageAccepted() | StepTaken() | MessageEnded():
            return turn


def _without_failures(observed: tuple[Observation, ...]) -> tuple[Observation, ...]:
    """Whoever tries again wants what failed or ended the turn to be tried again."""
    return tuple(told for told in observed if isinstance(told, ModelAnswered | ToolsAnswered))


def _known(turn: Unfinished, result: ToolResult) -> Unfinished:
    if any(known.call_id == result.call_id for known in turn.results):
        return turn
    return evolve(turn, results=(*turn.results, result))


def _consents(
    known: tuple[Consent, ...], event: ApprovalAsked | ApprovalGiven | CallBegun
) -> tuple[Consent, ...]:
    """What is known with one more event; an approval is asked once, and said first counts."""
    match event:
        case ApprovalAsked(approval=approval):
            asked = any(each.approval.id == approval.id for each in known)
            return known if asked else (*known, Consent(approval))
        case ApprovalGiven(approval=given, said=said):
            return tuple(
                evolve(each, said=each.said or said) if each.approval.id == given else each
                for each in known
            )
        case CallBegun(call_id=call_id):
            return tuple(
                evolve(each, begun=True) if each.approval.call.id == call_id else each
                for each in known
            )


@final
@frozen
class MessageQuery:
    """Which stored messages are asked for, newest first; `before` is the last one seen."""

    agent: AgentId | None = None
    conversation: ConversationKey | None = None
    states: tuple[MessageState, ...] = ()
    before: MessageId | None = None
    limit: int = 50


@final
@frozen
class ConversationView:
    """A conversation as a store lists it: how many messages were accepted, and when the last."""

    place: ConversationKey
    messages: int
    created: datetime
    last_used: datetime
    summary: str = ""


@final
@frozen
class Exchange:
    """A message of a conversation, and what its turn added: nothing where there is no answer."""

    message: StoredMessage
    said: tuple[Message, ...] = ()
