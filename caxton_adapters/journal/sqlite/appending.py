"""From events to rows of the view that `appending.sql` declares."""

from collections.abc import Iterator
from importlib.resources import files
from typing import Final

import msgspec

from caxton_adapters.database import Grouped
from caxton_adapters.database.grouped import Member
from caxton_adapters.database.statements import statements
from caxton_adapters.journal.sqlite import codec
from caxton_adapters.journal.sqlite.times import ticks
from caxton_core.conversation.message import UserMessage
from caxton_core.conversation.outcome import Answered, NotAnswered, OutcomeUnknown, state_after
from caxton_core.conversation.turn import CallTools
from caxton_core.events import (
    CallAnswered,
    MessageAccepted,
    MessageEnded,
    MessageReopened,
    Observed,
    StepTaken,
    TurnEvent,
    TurnResumed,
)

APPENDING: Final = Grouped(
    "INSERT INTO appended SELECT value ->> 0, value ->> 1, value ->> 2, value -> 3"
    " FROM json_each(?)",
    statements(files(__package__).joinpath("appending.sql")),
)
Row = tuple[Member, ...]


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
            return _written("accepted", event, _accepted(event))
        case MessageEnded():
            return _written("ended", event, _ended(event))
        case StepTaken(step=CallTools(calls)):
            return _written("step", event, {"calls": codec.plain_calls(calls)})
        case StepTaken():
            return None
        case CallAnswered(result=result):
            return _written("call", event, {"result": codec.plain_result(result)})
        case Observed(observation=observation):
            plain = codec.plain_observation(observation)
            return _written("observed", event, {"observation": plain})
        case TurnResumed(attempt=attempt):
            return _written("resumed", event, {"attempt": attempt})
        case MessageReopened(results=results):
            return _written("reopened", event, {"results": codec.plain_results(results)})


def _written(kind: str, event: TurnEvent, plain: dict[str, object]) -> Row:
    return (kind, event.message.value, ticks(event.at), msgspec.Raw(codec.written(plain)))


def _accepted(event: MessageAccepted) -> dict[str, object]:
    plain: dict[str, object] = {
        "agent": event.agent.value,
        "owner": "" if event.shared else event.agent.value,
        "conversation": event.conversation.value,
        "lasting": event.lasting,
        "text": event.text,
    }
    if event.key is not None:
        plain["key"] = event.key
    return plain


def _ended(event: MessageEnded) -> dict[str, object]:
    # An unknown outcome waits for a person, who needs to see what was asked.
    unknown = isinstance(event.outcome, NotAnswered) and isinstance(
        event.outcome.why, OutcomeUnknown
    )
    plain: dict[str, object] = {
        "state": state_after(event.outcome).value,
        "erased": not unknown,
        "outcome": codec.plain_outcome(event.outcome, event.said),
    }
    if event.said:
        plain["said"] = codec.plain_said(event.said)
        if isinstance(event.said[0], UserMessage):
            plain["opening"] = event.said[0].text
    if event.summary is not None:
        plain["summary"] = event.summary.text
        plain["covers"] = event.summary.exchanges
    return plain
