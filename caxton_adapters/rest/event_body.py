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
    ApprovalAsked,
    ApprovalGiven,
    CallAnswered,
    CallBegun,
    CallRefused,
    Event,
    MessageAccepted,
    MessageEnded,
    MessageReopened,
    Observed,
    ProcessEnded,
    ProcessStarted,
    StepTaken,
    ToolCalled,
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
    tool: str | None = None
    approval_id: str | None = None
    seconds: float | None = None


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
        case ApprovalAsked(message=message, approval=approval):
            return b"approval-asked", EventBody(
                agent,
                at,
                message_id=message.value,
                tool=approval.call.name.value,
                approval_id=approval.id.value,
            )
        case ApprovalGiven(message=message, approval=given, said=said):
            state = type(said).__name__.lower()
            return b"approval-given", EventBody(
                agent, at, message_id=message.value, state=state, approval_id=given.value
            )
        case CallBegun(message=message):
            return b"call-begun", EventBody(agent, at, message_id=message.value)
        case ToolCalled(message=message, tool=tool, seconds=seconds, outcome=outcome):
            return b"tool-called", EventBody(
                agent,
                at,
                message_id=message.value,
                state=outcome.value,
                tool=tool.value,
                seconds=round(seconds, 6),
            )
        case CallRefused(message=message, tool=tool):
            return b"call-refused", EventBody(agent, at, message_id=message.value, tool=tool.value)
        case CallAnswered(message=message):
            return b"call-answered", EventBody(agent, at, message_id=message.value)
        case TurnResumed(message=message):
            return b"turn-resumed", EventBody(agent, at, message_id=message.value)
        case MessageReopened(message=message):
            return b"message-reopened", EventBody(agent, at, message_id=message.value)
        case MessageEnded(message=message, outcome=ended):
            state = state_after(ended).value
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
