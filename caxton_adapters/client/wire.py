"""What a server answers, as far as callers use it; members that are not known are passed over.

Apart from the server's own description of the wire: a client reads servers of other versions too.
"""

import msgspec


class Usage(msgspec.Struct, frozen=True):
    """What an answer took; the cost is None where the price is unknown."""

    prompt_tokens: int
    completion_tokens: int
    cost_usd: float | None = None


class ToolCall(msgspec.Struct, frozen=True):
    """A tool call that the model asked for; `error` says why one could not be made."""

    id: str
    name: str
    arguments: object = None
    error: str | None = None


class Answer(msgspec.Struct, frozen=True):
    """An agent's answer; the conversation continues when its identity is sent again."""

    message_id: str
    conversation_id: str
    agent: str
    text: str
    finish_reason: str
    usage: Usage
    tool_calls: tuple[ToolCall, ...] = ()


class Accepted(msgspec.Struct, frozen=True):
    """A message that the server has taken in."""

    message_id: str
    conversation_id: str
    agent: str


class AgentSummary(msgspec.Struct, frozen=True):
    """An agent in a list."""

    id: str
    name: str
    state: str
    version: str
    description: str
    capabilities: tuple[str, ...]


class AgentPage(msgspec.Struct, frozen=True):
    """Some agents, and the cursor of the next page."""

    agents: tuple[AgentSummary, ...]
    next: str | None = None


class ResourceUse(msgspec.Struct, frozen=True):
    """What an agent takes of the machine; None where it cannot be told."""

    isolation: str
    pid: int | None = None
    cpu_seconds: float | None = None
    cpu_share: float | None = None
    memory_bytes: int | None = None
    running: int = 0
    waiting: int = 0
    restarts: int = 0


class ErrorItem(msgspec.Struct, frozen=True):
    """One thing that is wrong in what was sent; lines and columns count from 1."""

    code: str
    message: str
    at: str = ""
    line: int | None = None
    column: int | None = None
    suggestion: str | None = None


class Agent(msgspec.Struct, frozen=True):
    """All there is to know about an agent; `config` is its file."""

    id: str
    name: str
    state: str
    version: str
    description: str
    capabilities: tuple[str, ...]
    config: str
    created: str
    updated: str
    since: str
    resources: ResourceUse
    reason: str | None = None
    warnings: tuple[ErrorItem, ...] = ()


class Component(msgspec.Struct, frozen=True):
    """A part of the server: pass, warn or fail, since when and why."""

    name: str
    status: str
    since: str
    reason: str = ""


class Message(msgspec.Struct, frozen=True):
    """A message and what became of it; the text is empty where it was erased.

    `unknown_calls` may or may not have been made: `retry` can be told what came of them.
    """

    message_id: str
    conversation_id: str
    agent: str
    status: str
    accepted: str = ""
    text: str = ""
    answer: Answer | None = None
    problem: "Problem | None" = None
    unknown_calls: tuple[ToolCall, ...] = ()


class MessagePage(msgspec.Struct, frozen=True):
    """Some messages, and the cursor of the next page."""

    messages: tuple[Message, ...]
    next: str | None = None


class Conversation(msgspec.Struct, frozen=True):
    """A conversation of an agent, or, where `agent` is None, one that agents share."""

    conversation_id: str
    agent: str | None
    message_count: int
    created: str
    last_used: str
    summary: str = ""


class ConversationPage(msgspec.Struct, frozen=True):
    """Some conversations, and the cursor of the next page."""

    conversations: tuple[Conversation, ...]
    next: str | None = None


class Health(msgspec.Struct, frozen=True):
    """How the server does; `agents` counts them by state.

    `status` is pass, degraded, starting, draining or fail; `reasons` say why.
    """

    status: str
    version: str = ""
    pid: int = 0
    uptime_seconds: float = 0.0
    agents: dict[str, int] = {}
    reasons: tuple[str, ...] = ()
    components: tuple[Component, ...] = ()


class Problem(msgspec.Struct, frozen=True):
    """Why the server refused, as RFC 9457 writes it."""

    status: int
    code: str
    title: str
    detail: str
    request_id: str = ""
    errors: tuple[ErrorItem, ...] = ()


class Delta(msgspec.Struct, frozen=True):
    """The next piece of a streamed answer."""

    text: str
