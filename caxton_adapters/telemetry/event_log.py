"""Events as lines of the server's log: who did what and why it failed, never what was said."""

from typing import Protocol, final

from attrs import frozen

from caxton_core.conversation.outcome import Answered, DeadLettered, NotAnswered, Outcome
from caxton_core.conversation.turn import (
    Cancelled,
    ModelAnswered,
    ModelFailed,
    Observation,
)
from caxton_core.events import (
    AgentFailed,
    AgentLoaded,
    AgentStarted,
    AgentStopped,
    AgentUnloaded,
    CallAnswered,
    Event,
    MessageAccepted,
    MessageEnded,
    MessageReopened,
    Observed,
    ProcessEnded,
    ProcessStarted,
    StepTaken,
    TurnResumed,
)
from caxton_core.ports import Events


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
class LoggedEvents:
    """Events that are logged as they are told on."""

    _events: Events
    _log: Log

    def tell(self, *events: Event) -> None:
        """Tell the events on, and log them."""
        self._events.tell(*events)
        for event in events:
            _write(self._log, event)


def _write(log: Log, event: Event) -> None:  # noqa: C901, PLR0912 - one case each
    agent = event.agent.value
    match event:  # what happens most stands first
        case MessageAccepted(message=message):
            log.debug("message.accepted", agent=agent, message=message.value)
        case StepTaken(message=message, step=step):
            log.debug("turn.step", agent=agent, message=message.value, step=type(step).__name__)
        case MessageEnded(message=message, outcome=outcome):
            _write_outcome(log, agent, message.value, outcome)
        case CallAnswered(message=message, result=result):
            log.debug("tool.answered", agent=agent, message=message.value, call=result.call_id)
        case TurnResumed(message=message, attempt=attempt):
            log.info("message.resumed", agent=agent, message=message.value, attempt=attempt)
        case MessageReopened(message=message):
            log.info("message.reopened", agent=agent, message=message.value)
        case Observed(message=message, observation=observation):
            _write_observation(log, agent, message.value, observation)
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


def _write_outcome(log: Log, agent: str, message: str, outcome: Outcome) -> None:
    match outcome:
        case NotAnswered(Cancelled()):
            log.info("message.cancelled", agent=agent, message=message)
        case NotAnswered(DeadLettered(attempts)):
            log.error("message.dead_lettered", agent=agent, message=message, attempts=attempts)
        case NotAnswered(why):
            log.warning("message.failed", agent=agent, message=message, why=type(why).__name__)
        case Answered(finish=finish, usage=usage):
            tokens = {"prompt": usage.prompt_tokens, "completion": usage.completion_tokens}
            facts = {"finish": finish.value, "tokens": tokens}
            log.debug("message.answered", agent=agent, message=message, **facts)


def _write_observation(log: Log, agent: str, message: str, observation: Observation) -> None:
    if isinstance(observation, ModelFailed):
        failure = type(observation.failure).__name__
        log.warning("model.failed", agent=agent, message=message, failure=failure)
    elif not isinstance(observation, ModelAnswered):
        kind = type(observation).__name__
        log.debug("turn.observed", agent=agent, message=message, observation=kind)
