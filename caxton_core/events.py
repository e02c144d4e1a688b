"""Everything that can have happened, as values: one stream for journal, metrics and people.

An event says what happened to whom and when. Whoever records it adds nothing.
"""

from datetime import datetime
from enum import Enum
from typing import TypeAlias, final

from attrs import frozen

from caxton_core.agent.lifecycle import (
    AnyAgent,
    Failed,
    Loaded,
    Running,
    Stopped,
    Unloaded,
)
from caxton_core.conversation.message import Message
from caxton_core.conversation.outcome import Outcome
from caxton_core.conversation.past import ConversationKey, Summary
from caxton_core.conversation.turn import Observation, Step
from caxton_core.primitives import (
    AgentId,
    AgentName,
    ConversationId,
    JsonObject,
    MessageId,
    ToolName,
)
from caxton_core.tools.approval import Approval, ApprovalId, Said
from caxton_core.tools.tool import ToolResult


@final
@frozen
class AgentUnloaded:
    """The agent holds no configuration any more."""

    agent: AgentId
    at: datetime
    cause: str


@final
@frozen
class AgentLoaded:
    """The agent has a configuration."""

    agent: AgentId
    at: datetime
    cause: str
    name: AgentName
    version: str


@final
@frozen
class AgentStarted:
    """The agent takes messages."""

    agent: AgentId
    at: datetime
    cause: str


@final
@frozen
class AgentStopped:
    """The agent takes no more messages."""

    agent: AgentId
    at: datetime
    cause: str


@final
@frozen
class AgentFailed:
    """The agent gave up."""

    agent: AgentId
    at: datetime
    cause: str
    reason: str


LifecycleEvent: TypeAlias = AgentUnloaded | AgentLoaded | AgentStarted | AgentStopped | AgentFailed


@final
@frozen
class ProcessStarted:
    """The agent's turns now run in this process."""

    agent: AgentId
    at: datetime
    pid: int


@final
@frozen
class ProcessEnded:
    """The agent's process is gone, by our wish or not."""

    agent: AgentId
    at: datetime
    pid: int
    why: str


@final
@frozen
class MessageAccepted:
    """A message waits for its turn.

    Its sender gave it a `key` to send it again harmlessly. The conversation is the agent's own or
    `shared`; what is said in one that is not `lasting` is forgotten when the server ends.
    """

    agent: AgentId
    at: datetime
    message: MessageId
    conversation: ConversationId
    text: str
    key: str | None = None
    shared: bool = False
    lasting: bool = True

    @property
    def place(self) -> ConversationKey:
        """The conversation to which the message belongs."""
        return ConversationKey(self.conversation, None if self.shared else self.agent)


@final
@frozen
class TurnResumed:
    """The turn goes on after the server ended while it ran; `attempt` counts from 1."""

    agent: AgentId
    at: datetime
    message: MessageId
    attempt: int


@final
@frozen
class StepTaken:
    """The turn of the message wants this done; a `Reply` or a `GiveUp` ends it."""

    agent: AgentId
    at: datetime
    message: MessageId
    step: Step


@final
@frozen
class Observed:
    """What came of the last step of the message's turn."""

    agent: AgentId
    at: datetime
    message: MessageId
    observation: Observation


@final
@frozen
class CallAnswered:
    """One of several calls of a step has its result; `Observed` follows when all have theirs."""

    agent: AgentId
    at: datetime
    message: MessageId
    result: ToolResult


@final
@frozen
class ApprovalAsked:
    """A call of the turn waits for a person."""

    agent: AgentId
    at: datetime
    message: MessageId
    approval: Approval


@final
@frozen
class ApprovalGiven:
    """A person said whether the call is made, or nobody did in time."""

    agent: AgentId
    at: datetime
    message: MessageId
    approval: ApprovalId
    said: Said


@final
@frozen
class CallBegun:
    """A call that waited for a person is about to be made: from here on it may have been."""

    agent: AgentId
    at: datetime
    message: MessageId
    call_id: str


@final
@frozen
class MessageEnded:
    """The message has its outcome: an answer and what it adds to the conversation, or a reason."""

    agent: AgentId
    at: datetime
    message: MessageId
    outcome: Outcome
    said: tuple[Message, ...] = ()
    summary: Summary | None = None


@final
@frozen
class MessageReopened:
    """A person wants the turn to go on.

    Of the calls whose outcome was unknown they know these `results`; the others are made again.
    """

    agent: AgentId
    at: datetime
    message: MessageId
    results: tuple[ToolResult, ...] = ()


@final
class CallOutcome(Enum):
    """What came of a call: an answer, a failure that the tool told, or no answer in time."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"


@final
@frozen
class ToolCalled:
    """A tool was called: with arguments in which secrets are masked, for so many seconds."""

    agent: AgentId
    at: datetime
    message: MessageId
    tool: ToolName
    arguments: JsonObject
    seconds: float
    outcome: CallOutcome


@final
@frozen
class CallRefused:
    """A call was not made because somebody's rules are against it: `why` says whose."""

    agent: AgentId
    at: datetime
    message: MessageId
    tool: ToolName
    arguments: JsonObject
    why: tuple[str, ...]


ToolEvent: TypeAlias = ToolCalled | CallRefused
TurnEvent: TypeAlias = (
    MessageAccepted
    | TurnResumed
    | StepTaken
    | ApprovalAsked
    | ApprovalGiven
    | CallBegun
    | CallAnswered
    | Observed
    | MessageEnded
    | MessageReopened
)
ProcessEvent: TypeAlias = ProcessStarted | ProcessEnded
Event: TypeAlias = LifecycleEvent | ProcessEvent | ToolEvent | TurnEvent


def entered(agent: AnyAgent, *, cause: str, now: datetime) -> LifecycleEvent:
    """The event that tells of an agent's step into the state in which it is now."""
    state = agent.state
    match state:
        case Unloaded():
            return AgentUnloaded(agent.id, now, cause)
        case Loaded(config):
            return AgentLoaded(agent.id, now, cause, config.name, config.version.value)
        case Running():
            return AgentStarted(agent.id, now, cause)
        case Stopped():
            return AgentStopped(agent.id, now, cause)
        case Failed(reason):
            return AgentFailed(agent.id, now, cause, reason)
