"""What carries chat completions to a service: the lean client, or the official SDK."""

from collections.abc import AsyncGenerator
from typing import Protocol, final

from caxton_adapters.providers.openai.wire import (
    ChatRequest,
    ChatResponse,
    ListedModel,
    LlamaProperties,
)
from caxton_core.conversation.model import ModelFailure


@final
class CallFailed(Exception):
    """A call got no answer; `failure` says why."""

    def __init__(self, failure: ModelFailure) -> None:
        super().__init__(failure)
        self.failure = failure


class ChatService(Protocol):
    """One attempt at each of these; every failure is a `CallFailed`. `total` is in seconds."""

    async def complete(self, body: ChatRequest, total: float) -> ChatResponse:
        """The whole answer."""
        ...

    def stream(self, body: ChatRequest, total: float) -> AsyncGenerator[ChatResponse]:
        """The chunks of the answer; closing it early gives the answer up."""
        ...

    async def models(self, total: float) -> list[ListedModel]:
        """The models that the service lists."""
        ...

    async def llama_properties(self, total: float) -> LlamaProperties | None:
        """What the service says about itself if it is llama.cpp."""
        ...

    async def aclose(self) -> None:
        """Close all connections."""
        ...
