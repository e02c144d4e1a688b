"""The `Model` port over any service that speaks chat completions."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import final

from returns.result import Failure, Result, Success

from caxton_adapters.providers.openai.answers import Assembly, completion
from caxton_adapters.providers.openai.discovery import discovered
from caxton_adapters.providers.openai.failures import fault_in_stream
from caxton_adapters.providers.openai.lean import LeanService
from caxton_adapters.providers.openai.requests import chat_request
from caxton_adapters.providers.openai.service import CallFailed, ChatService
from caxton_adapters.providers.settings import ProviderSettings, Transport
from caxton_core.conversation.model import (
    Healthy,
    ModelCapabilities,
    ModelFailure,
    ModelNotFound,
    ModelRequest,
    RequestRefused,
    TextDelta,
)
from caxton_core.ports import Answer
from caxton_core.primitives import ModelName

HEALTH_SECONDS = 10.0
NO_MODEL: Failure[ModelFailure] = Failure(
    ModelNotFound("", "write `model` in [llm] of the agent file or in the provider's settings")
)


@final
class OpenAI:
    """OpenAI, or a service that is compatible; makes one attempt at everything.

    Close a stream that is not read to its end (`contextlib.aclosing`): that gives up the answer
    and frees its connection at once.
    """

    def __init__(self, settings: ProviderSettings, service: ChatService) -> None:
        self._settings = settings
        self._service = service
        self._found: dict[str, ModelCapabilities] = {}

    async def complete(self, request: ModelRequest) -> Answer:
        """The whole answer, or why there is none."""
        model = self._model(request.model)
        if model is None:
            return NO_MODEL
        body = chat_request(request, model, stream=False)
        try:
            response = await self._service.complete(body, request.timeout.value)
        except CallFailed as failed:
            return Failure(failed.failure)
        if response.error is not None:
            return Failure(fault_in_stream(response.error, model, self._settings.api_key))
        return completion(response, request, model)

    async def stream(self, request: ModelRequest) -> AsyncGenerator[TextDelta | Answer]:
        """The answer piece by piece, then the whole of it or what failed."""
        model = self._model(request.model)
        if model is None:
            yield NO_MODEL
            return
        body = chat_request(request, model, stream=True)
        assembly = Assembly(request, model)
        try:
            async with aclosing(self._service.stream(body, request.timeout.value)) as chunks:
                async for chunk in chunks:
                    if chunk.error is not None:
                        key = self._settings.api_key
                        yield Failure(fault_in_stream(chunk.error, model, key))
                        return
                    if text := assembly.take(chunk):
                        yield TextDelta(text)
        except CallFailed as failed:
            if not assembly.finished:
                yield Failure(failed.failure)
                return
        yield assembly.answer()

    async def capabilities(
        self, model: ModelName | None = None
    ) -> Result[ModelCapabilities, ModelFailure]:
        """What a model can do; the service is asked once for each model."""
        name = self._model(model)
        if name is None:
            return NO_MODEL
        if name not in self._found:
            try:
                self._found[name] = await discovered(self._service, self._settings, name)
            except CallFailed as failed:
                return Failure(failed.failure)
        return Success(self._found[name])

    async def health(self) -> Result[Healthy, ModelFailure]:
        """Whether the service is reachable and accepts our key; lists its models."""
        try:
            models = await self._service.models(HEALTH_SECONDS)
        except CallFailed as failed:
            if isinstance(failed.failure, RequestRefused | ModelNotFound):
                return Success(Healthy())  # reachable; not every service lists its models
            return Failure(failed.failure)
        return Success(Healthy(tuple(model.id for model in models)))

    async def aclose(self) -> None:
        """Close all connections."""
        await self._service.aclose()

    def _model(self, asked: ModelName | None) -> str | None:
        chosen = asked or self._settings.model
        return None if chosen is None else chosen.value


def openai_model(settings: ProviderSettings) -> OpenAI:
    """A provider as its settings describe it; the SDK is imported only where it is chosen."""
    match settings.transport:
        case Transport.LEAN:
            return OpenAI(settings, LeanService(settings))
        case Transport.SDK:
            from caxton_adapters.providers.openai.sdk import SdkService  # noqa: PLC0415 (slow)

            return OpenAI(settings, SdkService(settings))
