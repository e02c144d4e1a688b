"""Events as lines of the server's log: who did what and why it failed, never what was said."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol, TypeAlias, final

from attrs import define, field, frozen

from caxton_core.conversation.outcome import (
    AgentCrashed,
    Answered,
    DeadLettered,
    NotAnswered,
    TurnFailure,
)
from caxton_core.conversation.turn import (
    Cancelled,
    ModelAnswered,
    ModelFailed,
    Observation,
    OutOfOrder,
)
from caxton_core.events import (
    AgentFailed,
    AgentLoaded,
    AgentStarted,
    AgentStopped,
    AgentUnloaded,
    ApprovalAsked,
    ApprovalGiven,
    CallAnswered,
    CallBegun,
    CallRefused,
    Event,
    LifecycleEvent,
    MessageAccepted,
    MessageEnded,
    MessageReopened,
    Observed,
    ProcessEnded,
    ProcessEvent,
    ProcessStarted,
    StepTaken,
    ToolCalled,
    ToolEvent,
    TurnResumed,
)
from caxton_core.ports import Events
from caxton_core.primitives import MessageId

Told: TypeAlias = (
    LifecycleEvent
    | ProcessEvent
    | StepTaken
    | Observed
    | ToolEvent
    | ApprovalAsked
    | ApprovalGiven
    | CallBegun
    | CallAnswered
    | TurnResumed
    | MessageReopened
)
"""Events of which each is a line by itself."""


class Log(Protocol):
    """Where lines go; `facts` are plain values."""

    def debug(self, event: str, **facts: object) -> None:
        """For developers."""
        ...

    def info(self, event: str, **facts: object) -> None:
        """For operators who want to know."""
        ...

    def warning(self, event: str, **facts: object) -> None:
        """For operators who should look."""
        ...

    def error(self, event: str, **facts: object) -> None:
        """For operators who have to do something."""
        ...


@final
@frozen
class _Begun:
    """What is remembered of a message until it ends: since when, and whose request brought it."""

    at: datetime
    facts: Mapping[str, str]


def _nobody() -> None:
    """The running task works in the name of no request."""


@final
@define(eq=False)
class LoggedEvents:
    """Events that are logged as they are told on.

    `code` explains why a message failed; `request_id` names the request for which the running task
    works, so that a message's end leads to the request that brought it.
    """

    _events: Events
    _log: Log
    _code: Callable[[TurnFailure], str]
    _request_id: Callable[[], str | None] = _nobody
    _begun: dict[MessageId, _Begun] = field(factory=dict, init=False)

    def tell(self, *events: Event) -> None:
        """Tell the events on, and log them."""
        self._events.tell(*events)
        for event in events:
            if isinstance(event, MessageAccepted):
                self._accepted(event)
            elif isinstance(event, MessageEnded):
                self._ended(event)
            else:
                _write(self._log, event)

    def _accepted(self, event: MessageAccepted) -> None:
        request = self._request_id()
        facts = {"agent": event.agent.value, "message": event.message.value}
        if request is not None:
            facts["request_id"] = request
        self._begun[event.message] = _Begun(event.at, facts)
        self._log.debug("message.accepted", **facts)

    def _ended(self, event: MessageEnded) -> None:
        begun = self._begun.pop(event.message, None)
        if begun is None:
            facts: dict[str, object] = {"agent": event.agent.value, "message": event.message.value}
        else:
            seconds = round((event.at - begun.at).total_seconds(), 3)
            facts = {**begun.facts, "seconds": seconds}
        match event.outcome:
            case Answered(finish=finish, usage=usage):
                tokens = {"prompt": usage.prompt_tokens, "completion": usage.completion_tokens}
                self._log.debug("message.answered", **facts, finish=finish.value, tokens=tokens)
            case NotAnswered(Cancelled()):
                self._log.info("message.cancelled", **facts)
            case NotAnswered(DeadLettered(attempts)):
                self._log.error("message.dead_lettered", **facts, attempts=attempts)
            case NotAnswered(why):
                self._failed(why, facts)

    def _failed(self, why: TurnFailure, facts: Mapping[str, object]) -> None:
        told = {**facts, "code": self._code(why), "why": type(why).__name__}
        if isinstance(why, AgentCrashed):
            self._log.error("message.failed", **told, reason=why.why)
        elif isinstance(why, OutOfOrder):
            self._log.error("message.failed", **told)
        else:
            self._log.warning("message.failed", **told)


def _write(log: Log, event: Told) -> None:  # noqa: C901, PLR0912 - one case each
    agent = event.agent.value
    match event:  # what happens most stands first
        case StepTaken(message=message, step=step):
            log.debug("turn.step", agent=agent, message=message.value, step=type(step).__name__)
        case Observed(message=message, observation=observation):
            _write_observation(log, agent, message.value, observation)
        case CallAnswered(message=message, result=result):
            log.debug("tool.answered", agent=agent, message=message.value, call=result.call_id)
        case ToolCalled() | CallRefused():
            _write_call(log, agent, event)
        case ApprovalAsked(message=message, approval=approval):
            facts = {"approval": approval.id.value, "tool": approval.call.name.value}
            log.info("approval.asked", agent=agent, message=message.value, **facts)
        case ApprovalGiven(message=message, approval=given, said=said):
            facts = {"approval": given.value, "said": type(said).__name__.lower()}
            by = getattr(said, "by", "nobody")
            log.info("approval.given", agent=agent, message=message.value, by=by, **facts)
        case CallBegun(message=message, call_id=call_id):
            log.debug("tool.begun", agent=agent, message=message.value, call=call_id)
        case TurnResumed(message=message, attempt=attempt):
            log.info("message.resumed", agent=agent, message=message.value, attempt=attempt)
        case MessageReopened(message=message):
            log.info("message.reopened", agent=agent, message=message.value)
        case AgentUnloaded(cause=cause):
            log.info("agent.unloaded", agent=agent, cause=cause)
        case AgentLoaded(cause=cause, name=name, version=version):
            log.info("agent.loaded", agent=agent, cause=cause, name=name.value, version=version)
        case AgentStarted(cause=cause):
            log.info("agent.started", agent=agent, cause=cause)
        case AgentStopped(cause=cause):
            log.info("agent.stopped", agent=agent, cause=cause)
        case AgentFailed(reason=reason):
            log.error("agent.failed", agent=agent, reason=reason)
        case ProcessStarted(pid=pid):
            log.info("process.started", agent=agent, pid=pid)
        case ProcessEnded(pid=pid, why=why):
            log.info("process.ended", agent=agent, pid=pid, why=why)


def _write_call(log: Log, agent: str, event: ToolEvent) -> None:
    facts = {
        "agent": agent,
        "message": event.message.value,
        "tool": event.tool.value,
        "arguments": event.arguments.members(),
    }
    match event:
        case ToolCalled(seconds=seconds, outcome=outcome):
            log.info("tool.called", **facts, seconds=round(seconds, 6), outcome=outcome.value)
        case CallRefused(why=why):
            log.warning("security.call_refused", **facts, why=list(why))


def _write_observation(log: Log, agent: str, message: str, observation: Observation) -> None:
    if isinstance(observation, ModelFailed):
        failure = type(observation.failure).__name__
        log.warning("model.failed", agent=agent, message=message, failure=failure)
    elif not isinstance(observation, ModelAnswered):
        kind = type(observation).__name__
        log.debug("turn.observed", agent=agent, message=message, observation=kind)
