"""What stands on the wire: the bodies of requests and answers, described once for all readers."""

from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta

from caxton_adapters.rest.problem import ErrorItem, ProblemDetails
from caxton_core.primitives import ConversationId

Id: TypeAlias = Annotated[
    str, Meta(description="A UUID.", examples=["0192f0c1-2d3e-7a4b-8c5d-6e7f80910a1b"])
]
MessageId: TypeAlias = Annotated[
    str, Meta(description="Sorts by time.", examples=["msg_019a5f3e2d1c0b9a8f7e6d5c4b3a2918"])
]
Conversation: TypeAlias = Annotated[
    str,
    Meta(
        pattern=f"^(?:{ConversationId.rule.pattern})$",
        max_length=ConversationId.rule.longest,
        examples=[ConversationId.rule.example],
    ),
]
Name: TypeAlias = Annotated[str, Meta(description="A name in kebab case.", examples=["greeter"])]
Time: TypeAlias = Annotated[
    str, Meta(description="RFC 3339, in UTC.", examples=["2026-11-22T10:00:00Z"])
]

PolicyScalar: TypeAlias = str | int | float | bool | None


class MessageRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A message to an agent."""

    text: Annotated[
        str, Meta(pattern=r"\S", description="What is said to the agent.", examples=["Hello"])
    ]
    conversation_id: Annotated[
        Conversation | None,
        Meta(description="Continues this conversation; a new one begins without it."),
    ] = None


class UsageBody(msgspec.Struct, frozen=True):
    """What the answer took; the cost is null where the price is unknown."""

    prompt_tokens: int
    completion_tokens: int
    cost_usd: float | None


class ToolCallBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """A tool call that the model asked for; one that could not be made says in `error` why."""

    id: str
    name: str
    arguments: msgspec.Raw
    error: str | None = None


class MessageAnswer(msgspec.Struct, frozen=True):
    """The agent's answer to a message."""

    message_id: MessageId
    conversation_id: str
    agent: Name
    text: str
    finish_reason: str
    usage: UsageBody
    tool_calls: tuple[ToolCallBody, ...]


class MessageAccepted(msgspec.Struct, frozen=True):
    """A message that waits for its turn."""

    message_id: MessageId
    conversation_id: str
    agent: Name
    status: str


class ApprovalBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """A call that waits for a person, or what they said of it.

    `status` is waiting, approved, denied or expired; `rules` are the permissions that want it.
    """

    id: Annotated[str, Meta(examples=["apr_0123456789abcdef0123"])]
    status: str
    agent: Name
    message_id: MessageId
    conversation_id: str
    tool: Annotated[str, Meta(examples=["files.write"])]
    arguments: msgspec.Raw
    asked: Time
    expires: Time
    rules: tuple[str, ...] = ()
    by: str | None = None
    reason: str | None = None


class MessageState(msgspec.Struct, frozen=True, omit_defaults=True):
    """A message and what became of it.

    `status` is accepted, running, answered, failed, cancelled or dead_lettered; one that has ended
    has an `answer` or a `problem`, and `unknown_calls` where nobody knows whether they were made.
    One that runs may wait for the `approvals` of a person.
    The `text` is absent where it was erased.
    """

    message_id: MessageId
    conversation_id: str
    agent: Name
    status: str
    answer: MessageAnswer | None = None
    problem: ProblemDetails | None = None
    accepted: Time | None = None
    text: str = ""
    unknown_calls: tuple[ToolCallBody, ...] = ()
    approvals: tuple[ApprovalBody, ...] = ()


class Delta(msgspec.Struct, frozen=True):
    """The next piece of a streamed answer."""

    text: str


class ComponentBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """A part of the server: pass, warn (of use, but not well) or fail, since when and why."""

    name: Annotated[str, Meta(examples=["database"])]
    status: str
    since: Time
    reason: str = ""
    facts: dict[str, str | float | dict[str, str]] = msgspec.field(default_factory=dict)


class AgentHealth(msgspec.Struct, frozen=True):
    """An agent as its operator watches it; null is what cannot be told."""

    id: Id
    name: Name
    state: str
    since: Time
    reason: str | None
    last_activity: Time | None
    last_death: str | None
    resources: "ResourceUse"


class Health(msgspec.Struct, frozen=True, omit_defaults=True):
    """Whether the server serves; what it runs is told to those who may ask.

    `status` is pass, degraded (it serves, but something is not well), starting, draining or fail;
    `reasons` say why.
    """

    status: str
    version: str = ""
    pid: int = 0
    uptime_seconds: float = 0.0
    agents: Annotated[dict[str, int], Meta(description="How many agents are in each state.")] = (
        msgspec.field(default_factory=dict)
    )
    messages_in_flight: int | None = None
    reasons: tuple[str, ...] = ()
    components: tuple[ComponentBody, ...] = ()
    agent_details: Annotated[
        tuple[AgentHealth, ...], Meta(description="Every agent, where `?verbose` asks for it.")
    ] = ()

    def with_agents(self, details: tuple[AgentHealth, ...]) -> "Health":
        """The same with every agent."""
        return msgspec.structs.replace(self, agent_details=details)


class DeployRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An agent to deploy."""

    config: Annotated[str, Meta(description="The agent file, TOML.")]


class AgentSummary(msgspec.Struct, frozen=True):
    """An agent in a list."""

    id: Id
    name: Name
    state: str
    version: str
    description: str
    capabilities: tuple[str, ...]


class ResourceUse(msgspec.Struct, frozen=True):
    """What an agent takes of the machine; null where it cannot be told."""

    isolation: str
    pid: int | None
    cpu_seconds: float | None
    cpu_share: Annotated[float | None, Meta(description="Of one processor, in the last seconds.")]
    memory_bytes: int | None
    running: int
    waiting: int
    restarts: int
    refused_calls: Annotated[int, Meta(description="Calls of tools that a rule refused.")]


class TokenBalance(msgspec.Struct, frozen=True):
    """A limit of tokens in any 24 hours; `reserved` is for calls that are under way."""

    limit: int
    spent: int
    reserved: int
    left: int


class CostBalance(msgspec.Struct, frozen=True):
    """A limit of US dollars in any 24 hours; `reserved` is for calls that are under way."""

    limit: float
    spent: float
    reserved: float
    left: float


class BudgetBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """How the limits of `[budget]` stand that hold for a day."""

    tokens_per_day: TokenBalance | None = None
    cost_per_day: CostBalance | None = None


class AgentDetails(msgspec.Struct, frozen=True, omit_defaults=True):
    """All there is to know about an agent."""

    id: Id
    name: Name
    state: str
    version: str
    description: str
    capabilities: tuple[str, ...]
    config: str
    created: Time
    updated: Time
    since: Annotated[Time, Meta(description="When it entered its state.")]
    resources: ResourceUse
    last_activity: Time | None = None
    reason: str | None = None
    last_death: str | None = None
    budget: Annotated[BudgetBody | None, Meta(description="Absent where nothing limits a day.")] = (
        None
    )
    warnings: tuple[ErrorItem, ...] = ()
    violations: Annotated[
        tuple[ErrorItem, ...],
        Meta(description="What the policy does not permit any more, while the agent goes on."),
    ] = ()


class AgentPage(msgspec.Struct, frozen=True):
    """Agents, the oldest first; `next` is the cursor of the next page, null at the end."""

    agents: tuple[AgentSummary, ...]
    next: str | None


class Validation(msgspec.Struct, frozen=True):
    """What an agent file is worth; only errors keep it from being deployed."""

    valid: bool
    errors: tuple[ErrorItem, ...]
    warnings: tuple[ErrorItem, ...]


class PolicyValue(msgspec.Struct, frozen=True):
    """A value of the policy: its key, what it is (null where there is none), where it stands."""

    key: str
    value: PolicyScalar | tuple[PolicyScalar, ...]
    source: str


class PolicyBody(msgspec.Struct, frozen=True):
    """The policy in force; `file` is `built in` where there is none."""

    file: str
    environment: str | None
    sha256: str | None
    preset: str
    values: tuple[PolicyValue, ...]
    warnings: tuple[ErrorItem, ...]
    """What deserves a look in the rules for calls of the server's settings."""


class Violation(msgspec.Struct, frozen=True):
    """An agent that does not conform to the policy, and why."""

    name: Name
    state: str
    errors: tuple[ErrorItem, ...]


class PolicyReloaded(msgspec.Struct, frozen=True):
    """A policy that took the place of the one before, and the agents that do not conform to it.

    `rules_changed` tells of the rules for calls in the server's settings, and `warnings` what
    deserves a look in them; `after_restart` is the policy that the settings name now.
    """

    file: str
    environment: str | None
    sha256: str | None
    preset: str
    changed: bool
    rules_changed: bool
    violating: tuple[Violation, ...]
    warnings: tuple[ErrorItem, ...]
    after_restart: str | None = None


class CapabilityBody(msgspec.Struct, frozen=True):
    """A capability and who offers it."""

    name: Name
    agents: tuple[Name, ...]


class CapabilityPage(msgspec.Struct, frozen=True):
    """Capabilities by name; `next` is the cursor of the next page, null at the end."""

    capabilities: tuple[CapabilityBody, ...]
    next: str | None


class ModelBody(msgspec.Struct, frozen=True):
    """What a model can do; a context length that is not known is null."""

    tools: str
    features: tuple[str, ...]
    context_length: int | None


class ProviderBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """A configured provider; its key never leaves the server."""

    name: str
    kind: str
    default: bool
    healthy: bool
    base_url: str | None = None
    model: str | None = None
    models: tuple[str, ...] = ()
    capabilities: ModelBody | None = None
    problem: ProblemDetails | None = None


class ProviderPage(msgspec.Struct, frozen=True):
    """The configured providers."""

    providers: tuple[ProviderBody, ...]
