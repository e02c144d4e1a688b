"""Events as lines of the server's log: who did what and why it failed, never what was said."""

from typing import Protocol, final

from attrs import frozen

from caxton_core.conversation.turn import (
    AskModel,
    CallTools,
    GiveUp,
    ModelAnswered,
    ModelFailed,
    Observation,
    Reply,
    Step,
)
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
from caxton_core.ports import Journal


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
class LoggedJournal:
    """A journal whose events are logged as they pass."""

    _journal: Journal
    _log: Log

    async def append(self, *events: Event) -> None:
        """Record the events, and log them."""
        await self._journal.append(*events)
        for event in events:
            _write(self._log, event)


def _write(log: Log, event: Event) -> None:  # noqa: C901 - one case each
    agent = event.agent.value
    match event:  # what happens most stands first
        case MessageAccepted(message=message):
            log.debug("message.accepted", agent=agent, message=message.value)
        case StepTaken(message=message, step=step):
            _write_step(log, agent, message.value, step)
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


def _write_step(log: Log, agent: str, message: str, step: Step) -> None:
    match step:
        case GiveUp(why):
            log.warning("message.failed", agent=agent, message=message, why=type(why).__name__)
        case Reply(finish=finish, usage=usage):
            tokens = {"prompt": usage.prompt_tokens, "completion": usage.completion_tokens}
            facts = {"finish": finish.value, "tokens": tokens}
            log.debug("message.answered", agent=agent, message=message, **facts)
        case AskModel() | CallTools():
            log.debug("turn.step", agent=agent, message=message, step=type(step).__name__)


def _write_observation(log: Log, agent: str, message: str, observation: Observation) -> None:
    if isinstance(observation, ModelFailed):
        failure = type(observation.failure).__name__
        log.warning("model.failed", agent=agent, message=message, failure=failure)
    elif not isinstance(observation, ModelAnswered):
        kind = type(observation).__name__
        log.debug("turn.observed", agent=agent, message=message, observation=kind)
