"""Everything that happens, told to whoever listens; a slow listener loses, nobody waits for it."""

from collections import deque
from collections.abc import AsyncIterator, Callable
from itertools import islice
from typing import Final, TypeAlias, final

import anyio
import msgspec
from attrs import frozen

from caxton_core.conversation.turn import AskModel, CallTools, GiveUp, Reply, Step
from caxton_core.events import (
    AgentFailed,
    AgentLoaded,
    AgentStarted,
    AgentStopped,
    AgentUnloaded,
    Event,
    MessageAccepted,
    Observed,
    ProcessEnded,
    ProcessStarted,
    StepTaken,
)

_KEPT: Final = 1024
_QUEUED: Final = 256


class EventBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """One event on the wire: what happened to which agent, and when; no text of any message."""

    agent_id: str
    at: str
    cause: str = ""
    reason: str = ""
    name: str = ""
    version: str = ""
    pid: int | None = None
    message_id: str | None = None
    conversation_id: str | None = None
    step: str | None = None


@final
@frozen
class Told:
    """An event with its number since the server started; the numbers have no gaps."""

    number: int
    event: Event


@final
@frozen
class Dropped:
    """The listener was too slow and has lost what happened since."""


News: TypeAlias = Told | Dropped


@final
class Listener:
    """Hears the feed; a queue that is full ends with `Dropped`."""

    def __init__(self, missed: list[Told], leave: Callable[["Listener"], object]) -> None:
        self._queue: deque[News] = deque(missed)
        self._wake = anyio.Event()
        self._leave = leave
        self._ended = False

    def tell(self, told: Told) -> None:
        """Queue an event, or give the listener up."""
        if len(self._queue) >= _QUEUED:
            self._queue.append(Dropped())
            self.end()
        else:
            self._queue.append(told)
        self._wake.set()

    def end(self) -> None:
        """Let the listener hear what is queued, and then the end."""
        self._ended = True
        self._leave(self)
        self._wake.set()

    async def news(self) -> AsyncIterator[News]:
        """What happens, until the listener is dropped or the feed ends."""
        try:
            while self._queue or not self._ended:
                while self._queue:
                    yield self._queue.popleft()
                if not self._ended:
                    self._wake = anyio.Event()
                    await self._wake.wait()
        finally:
            self._leave(self)


@final
class EventFeed:
    """A journal that keeps the last events in memory, for those who listen."""

    def __init__(self) -> None:
        self._number = 0
        self._kept: deque[Told] = deque(maxlen=_KEPT)
        self._listeners: set[Listener] = set()
        self.ended = False

    @property
    def listeners(self) -> int:
        """How many listen."""
        return len(self._listeners)

    async def append(self, *events: Event) -> None:
        """Tell everyone."""
        self.tell(*events)

    def tell(self, *events: Event) -> None:
        """Tell everyone, from where nobody can wait."""
        for event in events:
            self._number += 1
            told = Told(self._number, event)
            self._kept.append(told)
            for listener in tuple(self._listeners):
                listener.tell(told)

    def listen(self, after: int | None = None) -> Listener:
        """Hear what happens from now on, or from the event after this number if it is kept."""
        first = self._kept[0].number if self._kept else 1
        missed = [] if after is None else list(islice(self._kept, max(0, after + 1 - first), None))
        listener = Listener(missed, self._listeners.discard)
        self._listeners.add(listener)
        return listener

    def end(self) -> None:
        """Let every listener go: the server stops."""
        self.ended = True
        for listener in tuple(self._listeners):
            listener.end()


def named(event: Event) -> tuple[bytes, EventBody]:  # noqa: C901 - one case each
    """The event's name and body on the wire."""
    agent, at = event.agent.value, event.at.isoformat()
    match event:
        case AgentUnloaded(cause=cause):
            return b"agent-unloaded", EventBody(agent, at, cause)
        case AgentLoaded(cause=cause, name=name, version=version):
            return b"agent-loaded", EventBody(agent, at, cause, name=name.value, version=version)
        case AgentStarted(cause=cause):
            return b"agent-started", EventBody(agent, at, cause)
        case AgentStopped(cause=cause):
            return b"agent-stopped", EventBody(agent, at, cause)
        case AgentFailed(cause=cause, reason=reason):
            return b"agent-failed", EventBody(agent, at, cause, reason)
        case ProcessStarted(pid=pid):
            return b"process-started", EventBody(agent, at, pid=pid)
        case ProcessEnded(pid=pid, why=why):
            return b"process-ended", EventBody(agent, at, reason=why, pid=pid)
        case MessageAccepted(message=message, conversation=conversation):
            return b"message-accepted", EventBody(
                agent, at, message_id=message.value, conversation_id=conversation.value
            )
        case StepTaken(message=message, step=step):
            body = EventBody(agent, at, message_id=message.value, step=_step_name(step))
            return b"step-taken", body
        case Observed(message=message, observation=observation):
            kind = type(observation).__name__
            return b"observed", EventBody(agent, at, message_id=message.value, step=kind)


def _step_name(step: Step) -> str:
    match step:
        case AskModel():
            return "ask-model"
        case CallTools():
            return "call-tools"
        case Reply():
            return "reply"
        case GiveUp():
            return "give-up"
