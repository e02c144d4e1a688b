"""Messages and conversations for as long as the process lives, within a bound."""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Final, final

from attrs import define, field
from returns.result import Result, Success

from caxton_adapters.journal.histories import OVERHEAD, Histories, exchange_of
from caxton_core.conversation.message import AssistantMessage, Message, ToolMessage
from caxton_core.conversation.outcome import Answered, MessageState, Outcome, state_after
from caxton_core.conversation.past import NOTHING, ConversationKey, Past
from caxton_core.conversation.turn import CallTools, ModelAnswered, ToolsAnswered
from caxton_core.conversation.window import text_bytes
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
from caxton_core.journal import (
    ConversationView,
    Exchange,
    MessageQuery,
    Spent,
    StoredMessage,
    Unfinished,
    folded,
)
from caxton_core.primitives import AgentId, ConversationId, MessageId
from caxton_core.storage import NotRead, NotStored

_DONE: Final = Success(None)
_AT_WORK: Final = frozenset({MessageState.ACCEPTED, MessageState.RUNNING})


@final
@define(eq=False)
class _Record:
    """One message; `number` is its place among all that were accepted."""

    number: int
    accepted: MessageAccepted
    events: list[TurnEvent] = field(factory=list)
    attempts: int = 0
    outcome: Outcome | None = None
    ended: datetime | None = None
    said: tuple[Message, ...] = ()
    bytes: int = 0

    @property
    def stored(self) -> StoredMessage:
        """The message as its readers see it."""
        return StoredMessage(self.accepted, self.attempts, self.outcome, self.ended)

    @property
    def turn(self) -> Unfinished:
        """How far its turn came."""
        return folded(self.accepted, self.events)


@final
class InMemoryJournal:
    """Every unfinished message, and of the ended ones the newest.

    At most `most_ended` messages that ended are kept, with at most `most_bytes` of text; the
    `conversations` take as much again.
    """

    def __init__(self, most_ended: int = 2000, most_bytes: int = 64 * 1024 * 1024) -> None:
        self._most_ended = most_ended
        self._most_bytes = most_bytes
        self._bytes = 0
        self._records: dict[str, _Record] = {}
        self._keyed: dict[tuple[str, str], _Record] = {}
        self._ended: OrderedDict[str, _Record] = OrderedDict()
        self._histories = Histories(most_bytes)
        self.conversations: Final = InMemoryConversations(
            self._histories, self._forget_ended, self._exchanges
        )

    async def append(self, *events: TurnEvent) -> Result[None, NotStored]:
        """Record the events."""
        for event in events:
            if isinstance(event, MessageAccepted):
                self._accept(event)
            else:
                record = self._records.get(event.message.value)
                if record is not None:
                    self._record(record, event)
        return _DONE

    def _accept(self, event: MessageAccepted) -> None:
        if event.message.value in self._records:
            return
        number = self._histories.used(event.place, event.at)
        record = self._records[event.message.value] = _Record(number, event)
        if event.key is not None:
            self._keyed[event.agent.value, event.key] = record

    def _record(self, record: _Record, event: TurnEvent) -> None:
        match event:
            case MessageEnded():
                if record.outcome is None:
                    self._end(record, event)
            case MessageReopened():
                if not isinstance(record.outcome, Answered):
                    self._reopen(record)
                    record.events.append(event)
            case TurnResumed(attempt=attempt):
                record.attempts = max(record.attempts, attempt)
                record.events.append(event)
            case Observed() | CallAnswered() | StepTaken(step=CallTools()):
                record.events.append(event)
            case ApprovalAsked() | ApprovalGiven() | CallBegun():
                record.events.append(event)
            case StepTaken() | MessageAccepted():
                pass  # what to ask and what to reply follows from the rest

    def _end(self, record: _Record, event: MessageEnded) -> None:
        record.outcome, record.ended = event.outcome, event.at
        if isinstance(event.outcome, Answered):
            exchange = exchange_of(event.agent, event.said, event.at)
            record.said = event.said
            record.bytes = exchange.bytes
            place = record.accepted.place
            if event.summary is not None:
                self._histories.summarise(place, event.summary, record.number)
            self._histories.add(place, exchange)
        else:
            record.bytes = OVERHEAD + len(record.accepted.text) + sum(map(_text, record.events))
        self._ended[event.message.value] = record
        self._bytes += record.bytes
        while len(self._ended) > self._most_ended or self._bytes > self._most_bytes:
            if len(self._ended) == 1:
                return
            self._remove(next(iter(self._ended.values())))

    def _reopen(self, record: _Record) -> None:
        record.outcome = record.ended = None
        record.attempts = 0
        if self._ended.pop(record.accepted.message.value, None) is not None:
            self._bytes -= record.bytes

    def _remove(self, record: _Record) -> None:
        accepted = record.accepted
        del self._records[accepted.message.value]
        if self._ended.pop(accepted.message.value, None) is not None:
            self._bytes -= record.bytes
        if accepted.key is not None:
            self._keyed.pop((accepted.agent.value, accepted.key), None)

    async def unfinished(self) -> Result[Sequence[Unfinished], NotRead]:
        """Every message without an outcome, in the order of acceptance."""
        records = self._records.values()
        return Success([record.turn for record in records if record.outcome is None])

    async def find(self, message: MessageId) -> Result[StoredMessage | None, NotRead]:
        """A message by its identity."""
        record = self._records.get(message.value)
        return Success(None if record is None else record.stored)

    async def keyed(self, agent: AgentId, key: str) -> Result[StoredMessage | None, NotRead]:
        """The message that an agent was given under an idempotency key."""
        record = self._keyed.get((agent.value, key))
        return Success(None if record is None else record.stored)

    async def listed(self, query: MessageQuery) -> Result[Sequence[StoredMessage], NotRead]:
        """The messages that fit, newest first."""
        fitting = (record.stored for record in self._newest_first(query) if _fits(record, query))
        return Success(list(islice(fitting, query.limit)))

    def _newest_first(self, query: MessageQuery) -> Iterator[_Record]:
        if query.before is None:
            return reversed(self._records.values())
        last = self._records.get(query.before.value)
        number = 0 if last is None else last.number
        return (record for record in reversed(self._records.values()) if record.number < number)

    async def turn(self, message: MessageId) -> Result[Unfinished | None, NotRead]:
        """How far the turn of a message came, whether or not it has an outcome."""
        record = self._records.get(message.value)
        return Success(None if record is None else record.turn)

    async def spent(self, since: datetime) -> Result[Mapping[AgentId, Sequence[Spent]], NotRead]:
        """What each agent's messages spent that ended since then."""
        told: dict[AgentId, list[Spent]] = {}
        for record in self._ended.values():
            if record.outcome is not None and record.ended is not None and record.ended >= since:
                spent = Spent(record.ended, record.outcome.usage)
                told.setdefault(record.accepted.agent, []).append(spent)
        return Success(told)

    async def forget_ended(self, before: datetime) -> Result[int, NotStored]:
        """Remove messages that ended before; how many there were."""
        forgotten = self._forget(lambda record: record.ended is not None and record.ended < before)
        for history in self._histories:
            self._histories.forget_exchanges(history, lambda said: said.ended < before)
        return Success(forgotten)

    async def forget_agent(self, agent: AgentId) -> Result[int, NotStored]:
        """Remove every message and conversation of an agent; what others share stays theirs."""
        forgotten = self._forget(lambda record: record.accepted.agent == agent)
        for history in self._histories:
            if history.place.agent == agent:
                self._histories.forget(history)
            else:
                self._histories.forget_exchanges(history, lambda said: said.agent == agent)
        return Success(forgotten)

    def _exchanges(self, place: ConversationKey, after: MessageId | None) -> Iterator[Exchange]:
        """What the messages of a conversation brought, oldest first."""
        last = None if after is None else self._records.get(after.value)
        number = 0 if last is None else last.number
        return (
            Exchange(record.stored, record.said)
            for record in self._records.values()
            if record.accepted.place == place and record.number > number
        )

    def _forget_ended(self, place: ConversationKey) -> int:
        """Remove what ended in a conversation; how many messages of it are left."""
        there = [one for one in self._records.values() if one.accepted.place == place]
        for record in there:
            if record.outcome is not None:
                self._remove(record)
        return sum(record.outcome is None for record in there)

    def _forget(self, is_gone: Callable[[_Record], bool]) -> int:
        gone = [record for record in self._records.values() if is_gone(record)]
        for record in gone:
            self._remove(record)
            self._histories.forget_message(record.accepted.place)
        return len(gone)


@final
class InMemoryConversations:
    """What was said, as long as there is room for it; made by `InMemoryJournal`."""

    def __init__(
        self,
        histories: Histories,
        forget_ended: Callable[[ConversationKey], int],
        exchanges: Callable[[ConversationKey, MessageId | None], Iterator[Exchange]],
    ) -> None:
        self._histories = histories
        self._forget_ended = forget_ended
        self._exchanges = exchanges

    async def past(
        self, place: ConversationKey, *, at_most: int | None, since: datetime
    ) -> Result[Past, NotRead]:
        """The newest exchanges; a conversation that is over begins anew, whoever asks later."""
        history = self._histories.get(place)
        if history is None or not history.exchanges:
            return Success(NOTHING)
        if history.exchanges[-1].ended < since:
            self._histories.reset(history)
        return Success(history.past(at_most))

    async def listed(
        self, agent: AgentId | None, *, after: ConversationView | None, limit: int
    ) -> Result[Sequence[ConversationView], NotRead]:
        """The conversations of an agent, or of all agents, the one used last first."""
        views = [
            history.view for history in self._histories if agent in (None, history.place.agent)
        ]
        views.sort(key=_last_use, reverse=True)
        if after is not None:
            views = [view for view in views if _last_use(view) < _last_use(after)]
        return Success(views[:limit])

    async def named(
        self, conversation: ConversationId
    ) -> Result[Sequence[ConversationView], NotRead]:
        """Those of this identity."""
        views = (history.view for history in self._histories)
        return Success([view for view in views if view.place.conversation == conversation])

    async def exchanges(
        self, place: ConversationKey, *, after: MessageId | None, limit: int
    ) -> Result[Sequence[Exchange], NotRead]:
        """The messages with what was said, oldest first."""
        return Success(list(islice(self._exchanges(place, after), limit)))

    async def reset(
        self,
        place: ConversationKey,
        at: datetime,  # noqa: ARG002 - what lies before is known by order, not by time
    ) -> Result[bool, NotStored]:
        """Have the conversation begin anew."""
        history = self._histories.get(place)
        if history is None:
            return Success(False)
        self._histories.reset(history)
        return Success(True)

    async def forget(self, place: ConversationKey) -> Result[bool, NotStored]:
        """Remove the conversation with its messages that ended."""
        history = self._histories.get(place)
        if history is None:
            return Success(False)
        self._histories.forget(history, unfinished=self._forget_ended(place))
        return Success(True)


def _last_use(view: ConversationView) -> tuple[datetime, str, str]:
    agent = "" if view.place.agent is None else view.place.agent.value
    return view.last_used, agent, view.place.conversation.value


def _fits(record: _Record, query: MessageQuery) -> bool:
    accepted = record.accepted
    return (
        query.agent in (None, accepted.agent)
        and query.conversation in (None, accepted.place)
        and (not query.states or bool(_states(record).intersection(query.states)))
    )


def _states(record: _Record) -> frozenset[MessageState]:
    """Where the message is; whether its turn runs is not recorded."""
    return _AT_WORK if record.outcome is None else frozenset({state_after(record.outcome)})


def _text(event: TurnEvent) -> int:
    if not isinstance(event, Observed):
        return 0
    observation = event.observation
    if isinstance(observation, ModelAnswered):
        return text_bytes(
            AssistantMessage(observation.completion.text, observation.completion.calls)
        )
    if isinstance(observation, ToolsAnswered):
        return sum(text_bytes(ToolMessage(result)) for result in observation.results)
    return 0
