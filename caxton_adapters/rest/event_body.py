"""An event as it stands on the wire: what happened to which agent, and no text of any message."""

import msgspec

from caxton_core.conversation.outcome import state_after
from caxton_core.conversation.turn import AskModel, CallTools, GiveUp, Reply, Step
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
    state: str | None = None


def named(event: Event) -> tuple[bytes, EventBody]:  # noqa: C901, PLR0912 - one case each
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
        case CallAnswered(message=message):
            return b"call-answered", EventBody(agent, at, message_id=message.value)
        case TurnResumed(message=message):
            return b"turn-resumed", EventBody(agent, at, message_id=message.value)
        case MessageReopened(message=message):
            return b"message-reopened", EventBody(agent, at, message_id=message.value)
        case MessageEnded(message=message, outcome=outcome):
            state = state_after(outcome).value
            return b"message-ended", EventBody(agent, at, message_id=message.value, state=state)


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
