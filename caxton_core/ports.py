"""What the core needs done by others: small protocols in the core's own words."""

from collections.abc import AsyncIterator, Awaitable, Sequence
from datetime import datetime
from typing import Protocol, TypeAlias

from returns.result import Result

from caxton_core.agent.record import AgentRecord, NotStored
from caxton_core.conversation.model import (
    Completion,
    Healthy,
    ModelCapabilities,
    ModelFailure,
    ModelRequest,
    TextDelta,
)
from caxton_core.events import Event
from caxton_core.primitives import AgentId, ModelName
from caxton_core.tools.tool import Tool, ToolCall, ToolResult

Answer: TypeAlias = Result[Completion, ModelFailure]


class Model(Protocol):
    """A language model service."""

    def complete(self, request: ModelRequest) -> Awaitable[Answer]:
        """The whole answer, or why there is none."""
        ...

    def stream(self, request: ModelRequest) -> AsyncIterator[TextDelta | Answer]:
        """The answer piece by piece, then exactly one `Answer`: the whole of it, or what failed."""
        ...

    def capabilities(
        self, model: ModelName | None = None
    ) -> Awaitable[Result[ModelCapabilities, ModelFailure]]:
        """What a model can do; None asks for the provider's default model."""
        ...

    def health(self) -> Awaitable[Result[Healthy, ModelFailure]]:
        """Whether the service is reachable and accepts our key."""
        ...


class Tools(Protocol):
    """The tools that agents may be granted."""

    def offered(self) -> Sequence[Tool]:
        """Every tool that is there now."""
        ...

    def call(self, call: ToolCall) -> Awaitable[ToolResult]:
        """Do it; a failure is a result that the model can react to."""
        ...


class Journal(Protocol):
    """Where everything that happens is recorded, in order."""

    def append(self, *events: Event) -> Awaitable[None]:
        """Record the events; they are recorded when this returns."""
        ...


class Configs(Protocol):
    """The agents that were deployed, with the text that they were deployed from."""

    def save(self, record: AgentRecord) -> Awaitable[Result[None, NotStored]]:
        """Store the record in place of what was stored under its identity."""
        ...

    def remove(self, agent: AgentId) -> Awaitable[Result[None, NotStored]]:
        """Forget an agent; nothing happens where it is not known."""
        ...

    def stored(self) -> Awaitable[Sequence[AgentRecord]]:
        """Every agent as it was saved last, in the order of creation."""
        ...


class Clock(Protocol):
    """The time."""

    def now(self) -> datetime:
        """The time of day, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back; only differences mean something."""
        ...
