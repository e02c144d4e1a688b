"""One accepted message on its way to an answer, and whoever waits for it.

asyncio's tasks and futures in place of anyio's: they cost a tenth, and every message needs some.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from enum import Enum
from typing import final

from attrs import define, field, frozen

from caxton_core.conversation.outcome import (
    Answered,
    MessageState,
    Outcome,
    TurnFailure,
    state_after,
)
from caxton_core.conversation.past import ConversationKey
from caxton_core.journal import StoredMessage, Unfinished
from caxton_core.primitives import AgentId, AgentName, ConversationId, MessageId
from caxton_core.tools.approval import Approval


@final
class Delivery(Enum):
    """How the sender wants the answer."""

    WHOLE = "whole"
    STREAMED = "streamed"


@final
@frozen
class Incoming:
    """A message as its sender wrote it; `key` makes sending it again harmless."""

    text: str
    conversation: ConversationId | None = None
    key: str | None = None
    delivery: Delivery = Delivery.WHOLE


@final
@define(eq=False)
class Ticket:
    """A message that was accepted; changes only in the runtime."""

    number: int
    message: MessageId
    conversation: ConversationId
    agent: AgentId
    agent_name: AgentName
    incoming: Incoming
    accepted: datetime
    deadline: float
    """Seconds of the event loop's clock."""
    shared: bool = False
    begins_conversation: bool = False
    """Whether nobody can have used the conversation before."""
    recorded: Unfinished | None = None
    """How far an earlier run of the server came."""
    outcome: Outcome | None = field(default=None, init=False)
    ending: bool = field(default=False, init=False)
    """Its outcome is being recorded: nothing changes it any more."""
    calls_at_work: int = field(default=0, init=False)
    """How many tools are at work for it."""
    approvals: tuple[Approval, ...] = field(default=(), init=False)
    """What a person is asked about it: while they think, its time stands still."""
    suspended: bool = field(default=False, init=False)
    refused: bool = field(default=False, init=False)
    """It could not be recorded: what its turn says counts for nothing."""
    turn: "asyncio.Task[Outcome] | None" = field(default=None, init=False)
    stopped: TurnFailure | None = field(default=None, init=False)
    shown: int = field(default=0, init=False)
    waits_since: float = field(default=0.0, init=False)
    """When a person was asked, in seconds of the event loop's clock."""
    _left: float = field(default=0.0, init=False)
    _alarm: asyncio.TimerHandle | None = field(default=None, init=False)
    _pieces: list[str] = field(factory=list, init=False)
    _waiting: list[asyncio.Future[None]] = field(factory=list, init=False)

    @property
    def state(self) -> MessageState:
        """Where the message is on its way."""
        if self.outcome is not None:
            return state_after(self.outcome)
        return MessageState.ACCEPTED if self.turn is None else MessageState.RUNNING

    @property
    def place(self) -> ConversationKey:
        """The conversation to which it belongs."""
        return ConversationKey(self.conversation, None if self.shared else self.agent)

    @property
    def characters(self) -> int:
        """How much text it holds: what was asked, shown and answered."""
        answer = len(self.outcome.text) if isinstance(self.outcome, Answered) else 0
        return len(self.incoming.text) + self.shown + answer

    async def done(self) -> Outcome:
        """Wait for the outcome; giving up waiting does not stop the turn."""
        while self.outcome is None:
            await self._next_news()
        return self.outcome

    async def asked(self) -> AsyncIterator[Approval]:
        """What a person is asked about it, as it is asked, until there is an outcome."""
        told: set[Approval] = set()
        while self.outcome is None:
            for approval in self.approvals:
                if approval not in told:
                    told.add(approval)
                    yield approval
            if self.outcome is None:
                await self._next_news()

    @property
    def waits_for_a_person(self) -> bool:
        """Whether nothing goes on: somebody is asked, and no tool is at work."""
        return bool(self.approvals) and not self.calls_at_work

    async def settled(self) -> None:
        """Wait until nothing goes on: there is an outcome, or a person is waited for."""
        while self.outcome is None and not self.waits_for_a_person:
            await self._next_news()

    def begin_call(self) -> None:
        """A tool is at work."""
        self.calls_at_work += 1

    def end_call(self) -> None:
        """A tool has ended its work."""
        self.calls_at_work -= 1
        self._tell()

    def arm(self, why: TurnFailure) -> None:
        """Stop the running turn for this reason when its time is over."""
        loop = asyncio.get_running_loop()
        self._alarm = loop.call_at(self.deadline, self.stop, why)

    def disarm(self) -> None:
        """The turn is over, or its time stands still."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def ask(self, approval: Approval, *, why_late: TurnFailure) -> Callable[[], None]:
        """A person is asked; whoever calls what is returned has the answer, and time goes on."""
        loop = asyncio.get_running_loop()
        if not self.approvals:
            self.disarm()
            self.waits_since = loop.time()
            self._left = self.deadline - self.waits_since
        self.approvals = (*self.approvals, approval)
        self._tell()

        def answered() -> None:
            self.approvals = tuple(each for each in self.approvals if each is not approval)
            if not self.approvals:
                self.deadline = loop.time() + self._left
                self.arm(why_late)
            self._tell()

        return answered

    async def deltas(self) -> AsyncIterator[str]:
        """The answer's pieces from the first one on, as they come, until there is an outcome."""
        given = 0
        while True:
            while given < len(self._pieces):
                yield self._pieces[given]
                given += 1
            if self.outcome is not None:
                return
            await self._next_news()

    async def _next_news(self) -> None:
        news: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(news)
        try:
            await news
        except asyncio.CancelledError:
            if news in self._waiting:
                self._waiting.remove(news)
            raise

    def show(self, piece: str) -> None:
        """The model said this."""
        self._pieces.append(piece)
        self.shown += len(piece)
        self._tell()

    def stop(self, why: TurnFailure) -> None:
        """End the running turn at once; its outcome will say why."""
        if self.turn is not None and self.stopped is None and not self.ending:
            self.stopped = why
            self.turn.cancel()

    def suspend(self) -> None:
        """End the running turn without an outcome: what is recorded of it goes on later.

        Tools at work get the time to tell their results, and an outcome to be recorded.
        """
        self.suspended = True
        if self.turn is not None and not self.calls_at_work and not self.ending:
            self.turn.cancel()

    def end(self, outcome: Outcome) -> None:
        """The turn is over."""
        self.outcome = outcome
        self.turn = None
        self._tell()

    def _tell(self) -> None:
        waiting, self._waiting = self._waiting, []
        for news in waiting:
            if not news.done():
                news.set_result(None)


def ended_ticket(number: int, stored: StoredMessage, name: AgentName) -> Ticket:
    """The ticket of a message that was forgotten here and is still in the journal."""
    accepted = stored.accepted
    incoming = Incoming(accepted.text, accepted.conversation, accepted.key)
    ticket = Ticket(
        number,
        accepted.message,
        accepted.conversation,
        accepted.agent,
        name,
        incoming,
        accepted.at,
        0.0,
        shared=accepted.shared,
    )
    ticket.outcome = stored.outcome
    return ticket
