"""Who is next: the messages of one conversation in order, conversations side by side."""

from collections import deque
from collections.abc import Callable
from typing import final

from attrs import define, field

from caxton_adapters.runtime.ticket import Ticket
from caxton_core.primitives import ConversationId


@final
@define
class Mailbox:
    """An agent's waiting messages; `run` is called with each whose turn has come.

    At most `limit` wait, at most `abreast` run, of one conversation one. Those that wait for a
    person meanwhile are `aside`: they do not count, and come back when there is room.
    """

    limit: int
    abreast: int
    _run: Callable[[Ticket], None]
    waiting: int = field(default=0, init=False)
    running: dict[ConversationId, Ticket] = field(factory=dict, init=False)
    aside: set[ConversationId] = field(factory=set, init=False)
    _returning: dict[ConversationId, Callable[[], object]] = field(factory=dict, init=False)
    _later: dict[ConversationId, deque[Ticket]] = field(factory=dict, init=False)
    _ready: deque[ConversationId] = field(factory=deque, init=False)

    @property
    def full(self) -> bool:
        """Whether there is no room for another message."""
        return self.waiting >= self.limit

    @property
    def at_work(self) -> tuple[Ticket, ...]:
        """Every message that waits or is being answered."""
        waiting = (ticket for queue in self._later.values() for ticket in queue)
        return (*self.running.values(), *waiting)

    def put(self, ticket: Ticket) -> None:
        """Take a message in; the caller has looked whether there is room."""
        conversation = ticket.conversation
        if conversation not in self.running and self._has_room:
            self._start(ticket)
            return
        self.waiting += 1
        queue = self._later.get(conversation)
        if queue is not None:
            queue.append(ticket)
            return
        self._later[conversation] = deque((ticket,))
        if conversation not in self.running:
            self._ready.append(conversation)

    def withdraw(self, ticket: Ticket) -> None:
        """Take a waiting message out again."""
        queue = self._later[ticket.conversation]
        queue.remove(ticket)
        self.waiting -= 1
        if not queue:
            del self._later[ticket.conversation]
            if ticket.conversation not in self.running:
                self._ready.remove(ticket.conversation)

    def let_run(self, abreast: int) -> None:
        """Let so many run at once from now on; those who run already go on."""
        self.abreast = abreast
        self._fill()

    def step_aside(self, ticket: Ticket) -> None:
        """The turn waits for a person: meanwhile another one may run."""
        self.aside.add(ticket.conversation)
        self._fill()

    def come_back(self, ticket: Ticket, go: Callable[[], object]) -> None:
        """The turn goes on as soon as there is room, before all that wait; then `go` is called."""
        self._returning[ticket.conversation] = go
        self._fill()

    def behind(self, ticket: Ticket) -> tuple[Ticket, ...]:
        """The messages that wait for this one of their conversation."""
        return tuple(self._later.get(ticket.conversation, ()))

    def ended(self, ticket: Ticket) -> None:
        """The turn is over: its place goes to the one that waits longest."""
        del self.running[ticket.conversation]
        self.aside.discard(ticket.conversation)
        self._returning.pop(ticket.conversation, None)
        if ticket.conversation in self._later:
            self._ready.append(ticket.conversation)
        self._fill()

    def empty(self) -> tuple[Ticket, ...]:
        """Take out everything that waits."""
        taken = tuple(ticket for queue in self._later.values() for ticket in queue)
        self._later.clear()
        self._ready.clear()
        self.waiting = 0
        return taken

    @property
    def _has_room(self) -> bool:
        return len(self.running) - len(self.aside) < self.abreast

    def _fill(self) -> None:
        while self._returning and self._has_room:
            first = next(iter(self._returning))
            self.aside.discard(first)
            self._returning.pop(first)()
        while self._ready and self._has_room:
            self._start_first(self._later[self._ready.popleft()])

    def _start_first(self, queue: deque[Ticket]) -> None:
        ticket = queue.popleft()
        self.waiting -= 1
        if not queue:
            del self._later[ticket.conversation]
        self._start(ticket)

    def _start(self, ticket: Ticket) -> None:
        self.running[ticket.conversation] = ticket
        self._run(ticket)
