"""Chat completions over our own HTTP client: the hot path to a model."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TypeVar, final

import msgspec

from caxton_adapters.http_client import (
    Endpoint,
    HttpClient,
    Limits,
    RequestFailed,
    Response,
    StreamedResponse,
    Url,
)
from caxton_adapters.providers.openai.decoding import Reader
from caxton_adapters.providers.openai.failures import (
    broken_connection,
    malformed,
    refusal,
    retry_after,
)
from caxton_adapters.providers.openai.requests import encoded
from caxton_adapters.providers.openai.service import CallFailed
from caxton_adapters.providers.openai.sse import EventReader, EventTooLarge
from caxton_adapters.providers.openai.wire import (
    ChatRequest,
    ChatResponse,
    ListedModel,
    LlamaProperties,
    ModelList,
)
from caxton_adapters.providers.settings import ProviderSettings
from caxton_core.conversation.model import (
    AnswerMalformed,
    ModelFailure,
    ModelNotFound,
    NotPermitted,
    RequestRefused,
)

T = TypeVar("T")

OK = 200
USER_AGENT = f"caxton/{version('caxton')}"
END_OF_STREAM = b"[DONE]"
PATIENCE_AFTER_THE_END = 0.1

# What other services answer to a path of llama.cpp.
NOT_LLAMA = (ModelNotFound, RequestRefused, NotPermitted, AnswerMalformed)

_responses = Reader(ChatResponse)
_model_lists = Reader(ModelList)
_properties = Reader(LlamaProperties)


@final
class LeanService:
    """A service that is spoken to with nothing between its bytes and our structs."""

    def __init__(self, settings: ProviderSettings) -> None:
        self._key = settings.api_key
        limits = Limits(connections=settings.max_connections, body=settings.max_body)
        self._client = HttpClient(settings.timeouts, limits)
        base = settings.base_url.rstrip("/")
        self._where = Url.parse(base).origin.authority
        headers = request_headers(settings)
        sent = {**headers, "Content-Type": "application/json"}
        self._chat = self._client.endpoint("POST", f"{base}/chat/completions", sent)
        self._models = self._client.endpoint("GET", f"{base}/models", headers)
        self._props = self._client.endpoint("GET", f"{base.removesuffix('/v1')}/props", headers)

    async def complete(self, body: ChatRequest, total: float) -> ChatResponse:
        """The whole answer."""
        return await self._read(self._chat, _responses, encoded(body), total, body.model)

    async def stream(self, body: ChatRequest, total: float) -> AsyncGenerator[ChatResponse]:
        """The chunks of the answer."""
        events = EventReader()
        try:
            async with self._chat.stream(encoded(body), total) as response:
                await self._refuse_failure(response, body.model)
                while piece := await response.piece():
                    for event in events.feed(piece):
                        if event.startswith(END_OF_STREAM):
                            await response.drain(PATIENCE_AFTER_THE_END)
                            return
                        yield _responses.read(event)
        except RequestFailed as error:
            raise CallFailed(broken_connection(error.failure, self._where)) from error
        except msgspec.DecodeError as error:
            raise CallFailed(malformed(error)) from error
        except EventTooLarge as error:
            raise CallFailed(AnswerMalformed("an event of the stream does not end")) from error

    async def models(self, total: float) -> list[ListedModel]:
        """The models that the service lists."""
        return (await self._read(self._models, _model_lists, b"", total)).data

    async def llama_properties(self, total: float) -> LlamaProperties | None:
        """What the service says about itself if it is llama.cpp."""
        try:
            return await self._read(self._props, _properties, b"", total)
        except CallFailed as failed:
            if isinstance(failed.failure, NOT_LLAMA):
                return None
            raise

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def _read(
        self, endpoint: Endpoint, reader: Reader[T], body: bytes, total: float, model: str = ""
    ) -> T:
        try:
            response = await endpoint.fetch(body, total)
            if response.status != OK:
                raise CallFailed(self._refusal(response, response.body, model))
            return reader.read(response.body)
        except RequestFailed as error:
            raise CallFailed(broken_connection(error.failure, self._where)) from error
        except msgspec.DecodeError as error:
            raise CallFailed(malformed(error)) from error

    async def _refuse_failure(self, response: StreamedResponse, model: str) -> None:
        if response.status != OK:
            raise CallFailed(self._refusal(response, await response.whole(), model))

    def _refusal(
        self, response: Response | StreamedResponse, body: bytes, model: str
    ) -> ModelFailure:
        wait = retry_after(
            response.header(b"retry-after"),
            response.header(b"retry-after-ms"),
            datetime.now(UTC),
        )
        return refusal(response.status, body, model, wait, self._key)


def request_headers(settings: ProviderSettings) -> dict[str, str]:
    """Who asks, and on whose account."""
    headers = {"Accept": "application/json", "User-Agent": USER_AGENT}
    if settings.api_key is not None:
        headers["Authorization"] = f"Bearer {settings.api_key.reveal()}"
    if settings.organization is not None:
        headers["OpenAI-Organization"] = settings.organization
    if settings.project is not None:
        headers["OpenAI-Project"] = settings.project
    return headers
