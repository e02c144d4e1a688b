"""A running agent at work: its mailbox, the host that decides its turns, and what was counted."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Final, final

import anyio
from anyio.abc import TaskGroup
from attrs import define, field

from caxton_adapters.runtime.answering import Answering, Terms, World
from caxton_adapters.runtime.isolation.host import Host, HostDied
from caxton_adapters.runtime.mailbox import Mailbox
from caxton_adapters.runtime.refusals import AgentCrashed, AgentGone, TurnFailure
from caxton_adapters.runtime.ticket import NotAnswered, Outcome, Ticket
from caxton_core.agent.restarts import DiedTooOften, RestartAfter, after_death
from caxton_core.agent.sections import Resources
from caxton_core.conversation.turn import Cancelled, DeadlinePassed
from caxton_core.events import Event, MessageAccepted, ProcessEnded, ProcessStarted
from caxton_core.primitives import AgentId

_SOONEST: Final = 1.0
_LATEST: Final = 60.0
_NEWEST_COUNTS: Final = 0.1


@final
@define(eq=False)
class Desk:
    """Where one running agent takes messages and answers them."""

    agent: AgentId
    resources: Resources
    terms: Terms
    _world: World
    _tasks: TaskGroup
    _finished: Callable[[Ticket], None]
    _gave_up: Callable[[str], object]
    mailbox: Mailbox = field(init=False)
    restarts: int = field(default=0, init=False)
    last_activity: datetime | None = field(default=None, init=False)
    last_death: str = field(default="", init=False)
    _host: Host | None = field(default=None, init=False)
    _deaths: tuple[float, ...] = field(default=(), init=False)
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

    def adopt(self, resources: Resources, terms: Terms) -> None:
        """Take messages as another file says from now on; turns that run end under the old one."""
        self.resources, self.terms = resources, terms
        self.mailbox.limit = resources.mailbox.value

    def move_in(self, host: Host) -> Host | None:
        """Have turns decided by this host from now on, and let go of the one before it.

        Turns that run stay with theirs, which its new owner closes.
        """
        before, self._host = self._host, host
        self.mailbox.let_run(self.resources.max_concurrent_turns.value)
        return before

    async def accept(self, ticket: Ticket) -> None:
        """Take in a message for which there is room."""
        await self._world.journal.append(
            MessageAccepted(
                self.agent,
                ticket.accepted,
                ticket.message,
                ticket.conversation,
                ticket.incoming.text,
            )
        )
        self.mailbox.put(ticket)

    def withdraw(self, ticket: Ticket) -> None:
        """The sender of a message that waits does not want the answer any more."""
        self.mailbox.withdraw(ticket)
        self._end(ticket, NotAnswered(Cancelled()))

    @property
    def room_in(self) -> float:
        """Seconds after which a full mailbox has probably room again."""
        mailbox = self.mailbox
        expected = mailbox.waiting * self._seconds_a_turn / mailbox.abreast
        return min(max(expected, _SOONEST), _LATEST)

    async def close(self, why: TurnFailure, *, grace: float) -> None:
        """Turn away who waits, give who is being answered so many seconds, end the host."""
        for ticket in self.mailbox.empty():
            self._end(ticket, NotAnswered(why))
        with anyio.move_on_after(grace):
            for ticket in tuple(self.mailbox.running.values()):
                await ticket.done()
        for ticket in tuple(self.mailbox.running.values()):
            ticket.stop(why)
            await ticket.done()
        await self.host.close()

    def _begin(self, ticket: Ticket) -> None:
        loop = asyncio.get_running_loop()
        turn = loop.create_task(self._outcome(ticket))
        deadline = loop.call_at(ticket.deadline, ticket.stop, DeadlinePassed())
        turn.add_done_callback(partial(self._over, ticket, deadline, loop.time()))
        ticket.turn = turn

    async def _outcome(self, ticket: Ticket) -> Outcome:
        try:
            turn = Answering(self._world, self.host, ticket, self.terms, self._mended)
            return await turn.run()
        except HostDied as died:
            return NotAnswered(AgentCrashed(str(died)))
        except Exception as defect:  # noqa: BLE001 - one turn's defect must not end the others
            return NotAnswered(AgentCrashed(f"{type(defect).__name__}: {defect}"))

    def _over(
        self,
        ticket: Ticket,
        deadline: asyncio.TimerHandle,
        began: float,
        turn: asyncio.Task[Outcome],
    ) -> None:
        """A turn may be stopped before its first step, so what has to follow follows here."""
        deadline.cancel()
        taken = asyncio.get_running_loop().time() - began
        self._seconds_a_turn += _NEWEST_COUNTS * (taken - self._seconds_a_turn)
        self.last_activity = self._world.clock.now()
        stopped = NotAnswered(ticket.stopped or AgentGone("the server stopped"))
        self._end(ticket, stopped if turn.cancelled() else turn.result())
        self.mailbox.ended(ticket)

    def _end(self, ticket: Ticket, outcome: Outcome) -> None:
        ticket.end(outcome)
        self._finished(ticket)

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
        self._tasks.start_soon(self._append, event)

    async def _append(self, event: Event) -> None:
        await self._world.journal.append(event)
