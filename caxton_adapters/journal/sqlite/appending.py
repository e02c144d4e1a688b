"""From events to rows of the view that `appending.sql` declares."""

from collections.abc import Iterator
from importlib.resources import files
from typing import Final

from caxton_adapters.database import Grouped, Row
from caxton_adapters.database.grouped import Member
from caxton_adapters.database.statements import statements
from caxton_adapters.journal.sqlite import codec
from caxton_adapters.journal.sqlite.times import ticks
from caxton_core.conversation.message import UserMessage
from caxton_core.conversation.outcome import Answered, state_after
from caxton_core.conversation.turn import CallTools
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

_COLUMNS: Final = (
    "kind",
    "message",
    "at",
    "body",
    "number",
    "agent",
    "owner",
    "conversation",
    "lasting",
    "key",
    "state",
    "erased",
    "opening",
    "said",
    "summary",
)
APPENDING: Final = Grouped(
    "INSERT INTO appended SELECT * FROM new WHERE kind IS NOT NULL",
    _COLUMNS,
    statements(files(__package__).joinpath("appending.sql")),
)


def rows(events: tuple[TurnEvent, ...]) -> Iterator[Row]:
    """The rows of what is worth to be kept: the rest follows from it."""
    answered = {event.message for event in events if _answers(event)}
    for event in events:
        if isinstance(event, Observed) and event.message in answered:
            continue  # it is in what was said
        row = _row(event)
        if row is not None:
            yield row


def _answers(event: TurnEvent) -> bool:
    return isinstance(event, MessageEnded) and isinstance(event.outcome, Answered)


def _row(event: TurnEvent) -> Row | None:
    match event:
        case MessageAccepted():
            return _accepted(event)
        case MessageEnded():
            return _ended(event)
        case StepTaken(step=CallTools(calls)):
            return _happened("step", event, codec.plain_calls(calls))
        case StepTaken():
            return None
        case ApprovalAsked() | ApprovalGiven() | CallBegun():
            return _about_consent(event)
        case CallAnswered(result=result):
            return _happened("call", event, codec.plain_result(result))
        case Observed(observation=observation):
            return _happened("observed", event, codec.plain_observation(observation))
        case TurnResumed(attempt=attempt):
            return _filled("resumed", event, number=attempt)
        case MessageReopened(results=results):
            return _happened("reopened", event, codec.plain_results(results))


def _about_consent(event: ApprovalAsked | ApprovalGiven | CallBegun) -> Row:
    match event:
        case ApprovalAsked(approval=approval):
            return _happened("asked", event, codec.plain_approval(approval))
        case ApprovalGiven(approval=given, said=said):
            return _happened("said", event, [given.value, codec.plain_consent(said)])
        case CallBegun(call_id=call_id):
            return _happened("begun", event, call_id)


def _filled(kind: str, event: TurnEvent, **cells: Member) -> Row:
    return (kind, event.message.value, ticks(event.at), *map(cells.get, _COLUMNS[3:]))


def _happened(kind: str, event: TurnEvent, plain: codec.Plain) -> Row:
    return _filled(kind, event, body=codec.written(plain))


def _accepted(event: MessageAccepted) -> Row:
    return _filled(
        "accepted",
        event,
        body=codec.written(event.text),
        agent=event.agent.value,
        owner="" if event.shared else event.agent.value,
        conversation=event.conversation.value,
        lasting=event.lasting,
        key=None if event.key is None else codec.written(event.key),
    )


def _ended(event: MessageEnded) -> Row:
    said, summary = event.said, event.summary
    opening = said[0].text if said and isinstance(said[0], UserMessage) else None
    return _filled(
        "ended",
        event,
        body=codec.written(codec.plain_outcome(event.outcome, said)),
        number=summary and summary.exchanges,
        state=state_after(event.outcome).value,
        erased=_answers(event),  # of anything else a person may want that it goes on
        opening=None if opening is None else codec.written(opening),
        said=codec.written(codec.plain_said(said)) if said else None,
        summary=summary and codec.written(summary.text),
    )
