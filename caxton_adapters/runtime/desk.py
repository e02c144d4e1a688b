"""A running agent at work: its mailbox, the host that decides its turns, and what was counted."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from functools import partial
from typing import Final, final

import anyio
from attrs import define, field
from returns.result import Failure, Result

from caxton_adapters.runtime.answering import Answering, Terms
from caxton_adapters.runtime.errands import Errands
from caxton_adapters.runtime.isolation.host import Host, HostDied
from caxton_adapters.runtime.mailbox import Mailbox
from caxton_adapters.runtime.recording import recorded
from caxton_adapters.runtime.ticket import Ticket
from caxton_adapters.runtime.world import Recollection, World
from caxton_core.agent.restarts import DiedTooOften, RestartAfter, after_death
from caxton_core.agent.sections import Resources
from caxton_core.conversation.outcome import (
    AgentCrashed,
    AgentGone,
    Answered,
    NotAnswered,
    Outcome,
    Suspended,
    TurnFailure,
)
from caxton_core.conversation.turn import Cancelled, DeadlinePassed
from caxton_core.events import (
    Event,
    MessageAccepted,
    MessageEnded,
    ProcessEnded,
    ProcessStarted,
)
from caxton_core.primitives import AgentId
from caxton_core.storage import NotStored
from caxton_core.tools.permission import Grant
from caxton_core.tools.tool import Caller

_LOG: Final = logging.getLogger("caxton.runtime")
_SOONEST: Final = 1.0
_LATEST: Final = 60.0
_LAST_WORDS: Final = 2.0
_NEWEST_COUNTS: Final = 0.1
_GLANCE: Final = 0.005
_NEWS: Final = 0.1


@final
@define(eq=False)
class Desk:
    """Where one running agent takes messages and answers them."""

    agent: AgentId
    resources: Resources
    terms: Terms
    _world: World
    _tasks: Errands
    _finished: Callable[[Ticket], None]
    _gave_up: Callable[[str], object]
    _equip: Callable[[], Awaitable[None]]
    mailbox: Mailbox = field(init=False)
    restarts: int = field(default=0, init=False)
    last_activity: datetime | None = field(default=None, init=False)
    last_death: str = field(default="", init=False)
    refused_calls: int = field(default=0, init=False)
    finishing: bool = field(default=False, init=False)
    """Whether nothing new is taken, and what is at work is brought to its end."""
    _host: Host | None = field(default=None, init=False)
    _deaths: tuple[float, ...] = field(default=(), init=False)
    _closed: TurnFailure | None = field(default=None, init=False)
    _forgets: bool = field(default=False, init=False)
    _discarded: tuple[Ticket, ...] = field(default=(), init=False)
    _goes_on_at: float = field(default=0.0, init=False)
    _seconds_a_turn: float = field(default=0.0, init=False)

    def __attrs_post_init__(self) -> None:
        abreast = self.resources.max_concurrent_turns.value
        self.mailbox = Mailbox(self.resources.mailbox.value, abreast, self._begin)

    @property
    def host(self) -> Host:
        """What decides the agent's turns."""
        assert self._host is not None
        return self._host

    @property
    def granted(self) -> Grant:
        """What the agent's file grants now."""
        return self.terms.grant

    def step_aside(self, ticket: Ticket) -> None:
        """The turn waits for a person: meanwhile another one may run."""
        self.mailbox.step_aside(ticket)

    async def come_back(self, ticket: Ticket) -> None:
        """The turn goes on, as soon as there is room for it."""
        loop = asyncio.get_running_loop()
        room = asyncio.Event()
        self.mailbox.come_back(ticket, room.set)
        await room.wait()
        # Nor do those wait at their own cost who wait for their turn in the conversation.
        whole = self.resources.turn_timeout.value
        for later in self.mailbox.behind(ticket):
            accepted = later.deadline - whole
            later.deadline += loop.time() - max(ticket.waits_since, accepted)

    @property
    def waiting_for_people(self) -> int:
        """How many messages wait for a person, or for one that does."""
        at_work = self.mailbox.at_work
        return len(at_work) - len(busy_ones(at_work))

    def refused(self) -> None:
        """A call was refused: it is counted."""
        self.refused_calls += 1

    def adopt(self, resources: Resources, terms: Terms) -> None:
        """Take messages as another file says from now on; turns that run end under the old one."""
        self.resources, self.terms = resources, terms
        self.mailbox.limit = resources.mailbox.value
        self.finishing = False
        self._deaths, self._goes_on_at = (), 0.0

    def move_in(self, host: Host) -> Host | None:
        """Have turns decided by this host from now on, and let go of the one before it.

        Turns that run stay with theirs, which its new owner closes.
        """
        before, self._host = self._host, host
        self.mailbox.let_run(self.resources.max_concurrent_turns.value)
        return before

    async def accept(self, ticket: Ticket) -> Result[None, NotStored]:
        """Take in a message for which there is room; it is accepted when this returns.

        Its turn begins while it is on its way to the disk: what the turn records comes after it.
        """
        accepted = MessageAccepted(
            self.agent,
            ticket.accepted,
            ticket.message,
            ticket.conversation,
            ticket.incoming.text,
            ticket.incoming.key,
            ticket.shared,
            self.terms.lasting,
        )
        self._world.events.tell(accepted)
        self.take_up(ticket)
        try:
            stored = await self._world.journal.append(accepted)
        except asyncio.CancelledError:
            # It may be recorded or not: nobody will ask for it, and it must not stay in limbo.
            self.cancel(ticket)
            raise
        if isinstance(stored, Failure):
            await self._refuse(ticket, stored.failure())
        return stored

    async def _refuse(self, ticket: Ticket, why: NotStored) -> None:
        """Undo a message that could not be recorded, however far it came."""
        ticket.refused = True
        if ticket.turn is not None:
            ticket.turn.cancel()
        elif ticket.outcome is None and not ticket.ending:
            self.mailbox.withdraw(ticket)
            self._end(ticket, NotAnswered(why))
        outcome = await ticket.done()
        if ticket.begins_conversation or isinstance(outcome, Answered):
            self._world.pasts.forget(ticket.place)
        now = self._world.clock.now()
        self._tell(MessageEnded(self.agent, now, ticket.message, NotAnswered(why)))

    def take_up(self, ticket: Ticket) -> None:
        """Queue a message that is recorded, whether there is room or not."""
        match self._closed:
            case None:
                self.mailbox.put(ticket)
            case Suspended() as why:
                self._end(ticket, NotAnswered(why))
            case why:
                self._end_recorded(ticket, NotAnswered(why))

    def cancel(self, ticket: Ticket) -> None:
        """The sender does not want the answer any more; nothing happens where there is one."""
        if ticket.outcome is not None or ticket.ending:
            return
        if ticket.turn is not None:
            ticket.stop(Cancelled())
            return
        self.mailbox.withdraw(ticket)
        self._end_recorded(ticket, NotAnswered(Cancelled()))

    @property
    def room_in(self) -> float:
        """Seconds after which a full mailbox has probably room again."""
        mailbox = self.mailbox
        expected = mailbox.waiting * self._seconds_a_turn / mailbox.abreast
        return min(max(expected, _SOONEST), _LATEST)

    async def finish(self) -> bool:
        """Take nothing new, and wait until everything is answered; False where that is taken back.

        Every message has its deadline, so it takes the time of a turn at most: where the rest
        waits for a person it is given up.
        """
        self.finishing = True
        try:
            while self.finishing and (at_work := self.mailbox.at_work):
                busy = busy_ones(at_work)
                if not busy:
                    self.finishing = False
                    break
                with anyio.move_on_after(_NEWS):
                    await busy[0].settled()
                await anyio.sleep(_GLANCE)
        except asyncio.CancelledError:
            self.finishing = False
            raise
        return self.finishing

    async def discard(self, why: TurnFailure) -> None:
        """End everything at once, and record nothing: the agent's messages are about to go."""
        self._forgets = True
        self._discarded = self.mailbox.at_work
        await self.close(why)

    def keep_discarded(self, why: TurnFailure) -> None:
        """The messages do not go after all: record how those ended that were discarded."""
        now = self._world.clock.now()
        ended = (
            MessageEnded(self.agent, now, ticket.message, NotAnswered(why))
            for ticket in self._discarded
        )
        self._tasks.start_soon(recorded, self._world.journal, *ended)

    async def close(self, why: TurnFailure) -> None:
        """Turn away who waits and who is being answered, and end the host."""
        self._closed = why
        for ticket in self.mailbox.empty():
            self._end_recorded(ticket, NotAnswered(why))
        running = tuple(self.mailbox.running.values())
        for ticket in running:
            ticket.stop(why)
        for ticket in running:
            await ticket.done()
        await self.host.close()

    async def suspend(self) -> None:
        """Leave everything as it is recorded, and end the host: the next server goes on."""
        self._closed = Suspended()
        for ticket in self.mailbox.empty():
            self._end(ticket, NotAnswered(Suspended()))
        running = tuple(self.mailbox.running.values())
        for ticket in running:
            ticket.suspend()
        with anyio.move_on_after(_LAST_WORDS):
            for ticket in running:
                await ticket.done()
        for ticket in running:
            if ticket.turn is not None:
                ticket.turn.cancel()
            await ticket.done()
        await self.host.close()

    def _begin(self, ticket: Ticket) -> None:
        loop = asyncio.get_running_loop()
        turn = loop.create_task(self._outcome(ticket))
        ticket.arm(DeadlinePassed())
        turn.add_done_callback(partial(self._over, ticket, loop.time()))
        ticket.turn = turn
        if ticket.deadline <= loop.time():
            ticket.stop(DeadlinePassed())  # before its first step: no model is asked in vain

    async def _outcome(self, ticket: Ticket) -> Outcome:
        try:
            if self._goes_on_at > anyio.current_time():
                await self._mended(0.0)
            await self._equip()
            turn = Answering(self._world, self.host, ticket, self.terms, self, self._mended)
            return await turn.run()
        except HostDied as died:
            why = str(died)
        except Exception as defect:  # noqa: BLE001 - one turn's defect must not end the others
            _LOG.exception("the turn of message %s failed", ticket.message.value)
            why = f"{type(defect).__name__}: {defect}"
        return await self._recorded(ticket, NotAnswered(AgentCrashed(why)))

    def _over(
        self,
        ticket: Ticket,
        began: float,
        turn: asyncio.Task[Outcome],
    ) -> None:
        """A turn may be stopped before its first step, so what has to follow follows here."""
        ticket.disarm()
        taken = asyncio.get_running_loop().time() - began
        self._seconds_a_turn += _NEWEST_COUNTS * (taken - self._seconds_a_turn)
        self.last_activity = self._world.clock.now()
        if not turn.cancelled():
            self._end(ticket, self._result(turn))
        elif ticket.suspended or ticket.refused:
            self._end(ticket, NotAnswered(Suspended()))
        else:
            self._end_recorded(ticket, NotAnswered(ticket.stopped or AgentGone("it was stopped")))
        self.mailbox.ended(ticket)

    def _result(self, turn: asyncio.Task[Outcome]) -> Outcome:
        """What came of a turn; where even its end could not be told to the journal, a defect."""
        defect = turn.exception()
        if defect is None:
            return turn.result()
        _LOG.error("the end of a turn of agent %s failed", self.agent.value, exc_info=defect)
        return NotAnswered(AgentCrashed(f"{type(defect).__name__}: {defect}"))

    def _end_recorded(self, ticket: Ticket, outcome: NotAnswered) -> None:
        """End a message whose turn cannot do so itself, from where nobody can wait."""
        if self._forgets:
            self._end(ticket, outcome)
            return
        ticket.ending = True
        self._tasks.start_soon(self._recorded_and_ended, ticket, outcome)

    async def _recorded_and_ended(self, ticket: Ticket, outcome: NotAnswered) -> None:
        self._end(ticket, await self._recorded(ticket, outcome))

    async def _recorded(self, ticket: Ticket, outcome: NotAnswered) -> NotAnswered:
        ticket.ending = True
        now = self._world.clock.now()
        ended = MessageEnded(self.agent, now, ticket.message, outcome)
        await recorded(self._world.journal, ended)
        self._world.events.tell(ended)
        return outcome

    def _end(self, ticket: Ticket, outcome: Outcome) -> None:
        ticket.end(outcome)
        self._finished(ticket)
        memory = self._world.memory
        if memory is not None and isinstance(outcome, Answered):
            caller = Caller(self.agent, ticket.conversation, ticket.message, ticket.message.value)
            self._tasks.start_soon(_kept, memory, caller, ticket.incoming.text, outcome.text)

    async def _mended(self, pause: float) -> None:
        await anyio.sleep(max(pause, self._goes_on_at - anyio.current_time()))

    def process_started(self, pid: int) -> None:
        """The agent's turns are decided in this process now."""
        self._tell(ProcessStarted(self.agent, self._world.clock.now(), pid))

    def process_ended(self, pid: int, why: str) -> None:
        """The process was not needed any more."""
        self._tell(ProcessEnded(self.agent, self._world.clock.now(), pid, why))

    def process_died(self, pid: int, why: str) -> None:
        """Go on in another process, at once or after a while, unless it happens too often."""
        self._tell(ProcessEnded(self.agent, self._world.clock.now(), pid, why))
        self.last_death = why
        now = anyio.current_time()
        match after_death(self._deaths, now):
            case RestartAfter(delay, deaths):
                self._deaths = deaths
                self._goes_on_at = now + delay
                self.restarts += 1
            case DiedTooOften(times, within):
                self._gave_up(f"its process died {times} times within {within:g} s, last: {why}")

    def _tell(self, event: Event) -> None:
        self._world.events.tell(event)


def busy_ones(at_work: Iterable[Ticket]) -> list[Ticket]:
    """Those that come to their end by themselves: neither they nor what is before them waits."""
    tickets = tuple(at_work)
    held = {(each.agent, each.conversation) for each in tickets if each.waits_for_a_person}
    return [each for each in tickets if (each.agent, each.conversation) not in held]


async def _kept(memory: Recollection, caller: Caller, asked: str, answer: str) -> None:
    try:
        await memory.keep(caller, asked, answer)
    except Exception:  # noqa: BLE001 - the answer is told already, and nothing hangs on this
        _LOG.exception("the exchange of message %s was not remembered", caller.message.value)
