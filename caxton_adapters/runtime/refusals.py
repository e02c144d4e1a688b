"""Why the runtime does not do what it was asked: facts for whoever tells the caller."""

from typing import TypeAlias, final

from attrs import frozen

from caxton_core.primitives import AgentName, ConversationId
from caxton_core.reading.report import Report
from caxton_core.storage import NotRead, NotStored


@final
@frozen
class UnknownAgent:
    """No agent has this name or identity; `near` are names that look alike."""

    asked: str
    near: tuple[str, ...] = ()


@final
@frozen
class NameTaken:
    """An agent of this name is deployed already."""

    name: AgentName


@final
@frozen
class NameChanged:
    """A new configuration keeps the name of the agent that it replaces."""

    name: AgentName
    proposed: AgentName


@final
@frozen
class ConfigRefused:
    """The agent file has problems."""

    report: Report


@final
@frozen
class PolicyRefused:
    """The agent does not conform to the policy of the installation."""

    name: AgentName
    report: Report


@final
@frozen
class NotRunning:
    """The agent takes no messages in its state; `reason` says why it failed where it did."""

    name: AgentName
    state: str
    reason: str = ""


@final
@frozen
class WrongState:
    """The step does not leave from the state in which the agent is."""

    name: AgentName
    state: str
    step: str


@final
@frozen
class TurnsInFlight:
    """The agent is answering `count` messages."""

    name: AgentName
    count: int


@final
@frozen
class MailboxFull:
    """The agent has as many messages waiting as it may; try again after so many seconds."""

    name: AgentName
    limit: int
    retry_after: float


@final
@frozen
class Overloaded:
    """The server works on as many messages, or characters of messages, as it may."""

    limit: int
    unit: str
    retry_after: float


@final
@frozen
class TooManyMessages:
    """Whoever sends it may send so many a minute, and these were sent; not one is taken in."""

    a_minute: int
    at_once: int
    retry_after: float


@final
@frozen
class Draining:
    """The server is stopping and takes no new work."""

    retry_after: float = 5.0


@final
@frozen
class KeyReused:
    """The idempotency key came before with another body."""

    key: str


@final
@frozen
class UnknownMessage:
    """No message has this identity, or it ended so long ago that it was forgotten."""

    id: str


@final
@frozen
class NotOpenable:
    """The message is no failed one, or results are told of calls (by id) that have theirs."""

    id: str
    state: str
    known: tuple[str, ...] = ()


@final
@frozen
class UnknownConversation:
    """Nothing was said in a conversation of this identity, or it was removed."""

    id: str


@final
@frozen
class ConversationAmbiguous:
    """Several agents have a conversation of this identity, or some have and others share one."""

    id: str
    agents: tuple[AgentName, ...]
    shared: bool


@final
@frozen
class ConversationBusy:
    """So many messages of the conversation are at work."""

    id: ConversationId
    count: int


Refusal: TypeAlias = (
    UnknownAgent
    | NameTaken
    | NameChanged
    | ConfigRefused
    | PolicyRefused
    | NotRunning
    | WrongState
    | TurnsInFlight
    | MailboxFull
    | Overloaded
    | TooManyMessages
    | Draining
    | KeyReused
    | UnknownMessage
    | NotStored
    | NotRead
    | NotOpenable
    | UnknownConversation
    | ConversationAmbiguous
    | ConversationBusy
)
