"""What survives: the events of every message, and the conversations that follow from them."""

from collections.abc import Callable, Iterable
from typing import NoReturn, TypeAlias, final

from attrs import evolve, field, mutable

from caxton_core.conversation.outcome import Answered, NotAnswered, OutcomeUnknown
from caxton_core.conversation.past import NOTHING, ConversationKey, Past
from caxton_core.conversation.turn import ModelFailed, Observation, ToolsAnswered
from caxton_core.conversation.window import without_oldest
from caxton_core.events import (
    ApprovalAsked,
    ApprovalGiven,
    CallAnswered,
    CallBegun,
    MessageAccepted,
    MessageEnded,
    MessageReopened,
    Observed,
    TurnEvent,
)
from caxton_core.journal import Unfinished
from caxton_core.tools.approval import Approved, Said
from tests.core.conversation.test_repair import is_accepted

Fold: TypeAlias = Callable[[MessageAccepted, Iterable[TurnEvent]], Unfinished]


class Broken(AssertionError):
    """A promise was not kept."""


def break_off(what: str) -> NoReturn:
    """Say which promise was not kept."""
    raise Broken(what)


@final
@mutable
class Stored:
    """One message; beside its events what the promises are held against, counted by itself."""

    accepted: MessageAccepted
    events: list[TurnEvent] = field(factory=list)
    ending: MessageEnded | None = None
    observed: list[Observation] = field(factory=list)
    results: set[str] = field(factory=set)
    openings: int = 1
    endings: int = 0
    asked: dict[str, str] = field(factory=dict)
    said: dict[str, Said] = field(factory=dict)
    begun: set[str] = field(factory=set)

    def say(self, call_id: str) -> Said | None:
        """What a person said first of a call, since it was last asked for."""
        return self.said.get(self.asked.get(call_id, ""))


@final
@mutable
class Disk:
    """The journal's promises, without a disk: an append is whole and in order."""

    messages: dict[str, Stored] = field(factory=dict)
    talks: dict[ConversationKey, Past] = field(factory=dict)
    _known: set[int] = field(factory=set)
    _kept: list[TurnEvent] = field(factory=list)

    def append(self, *events: TurnEvent) -> None:
        """Record the events; one that is recorded a second time is there twice."""
        for event in events:
            again = id(event) in self._known
            self._known.add(id(event))
            self._kept.append(event)  # so that no other event takes its identity
            if isinstance(event, MessageAccepted):
                self.messages.setdefault(event.message.value, Stored(event))
                continue
            stored = self.messages[event.message.value]
            stored.events.append(event)
            if not again:
                self._count(stored, event)

    def unfinished(self, fold: Fold) -> list[Unfinished]:
        """What a server finds when it starts."""
        open_ones = (stored for stored in self.messages.values() if stored.ending is None)
        return [fold(stored.accepted, stored.events) for stored in open_ones]

    def may_be_made(self, message: str, call_id: str, *, asks: bool) -> bool:
        """Whether nobody is against the call, and it is recorded that it is about to be made.

        Where the rules do not ask any more, it may be made without a word, and without that record
        if nobody was asked before.
        """
        stored = self.messages[message]
        if not asks and call_id not in stored.asked:
            return True
        said = stored.say(call_id)
        willing = isinstance(said, Approved) or (said is None and not asks)
        return willing and call_id in stored.begun

    def _count(self, stored: Stored, event: TurnEvent) -> None:
        match event:
            case MessageEnded():
                self._end(stored, event)
            case Observed(observation=observation):
                stored.observed.append(observation)
                if isinstance(observation, ToolsAnswered):
                    stored.results |= {result.call_id for result in observation.results}
            case CallAnswered(result=result):
                stored.results.add(result.call_id)
            case ApprovalAsked(approval=approval):
                stored.asked[approval.call.id] = approval.id.value
            case ApprovalGiven(approval=approval_id, said=said):
                stored.said.setdefault(approval_id.value, said)
            case CallBegun(call_id=call_id):
                stored.begun.add(call_id)
            case MessageReopened(results=results):
                stored.asked.clear()
                stored.said.clear()
                stored.begun.clear()
                stored.ending = None
                stored.openings += 1
                stored.results |= {result.call_id for result in results}
                stored.observed = [o for o in stored.observed if not isinstance(o, ModelFailed)]
            case _:
                pass

    def _end(self, stored: Stored, event: MessageEnded) -> None:
        stored.endings += 1
        if stored.ending is not None or stored.endings > stored.openings:
            break_off(f"{stored.accepted.text[:10]} ended twice")
        stored.ending = event
        if isinstance(event.outcome, NotAnswered) and isinstance(event.outcome.why, OutcomeUnknown):
            waiting = {call.id for call in event.outcome.why.calls if call.id in stored.asked}
            if not waiting <= stored.begun:
                break_off(f"{waiting} waited for a person, and are said to be unclear")
        if not isinstance(event.outcome, Answered):
            return
        place = stored.accepted.place
        past = self.talks.get(place, NOTHING)
        if event.summary is not None:
            kept = without_oldest(past.messages, event.summary.exchanges)
            past = Past(kept, event.summary.text)
        if not is_accepted(event.said):
            break_off("what a turn added to its conversation no provider would accept")
        self.talks[place] = evolve(past, messages=(*past.messages, *event.said))
