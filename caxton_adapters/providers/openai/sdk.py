"""Chat completions over the official SDK: the reference that the lean client is held against."""

import asyncio
import socket
import ssl
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar, final

import msgspec
import openai

from caxton_adapters.http_client import Url
from caxton_adapters.providers.openai.decoding import repaired_json
from caxton_adapters.providers.openai.failures import (
    malformed,
    redirected,
    refusal,
    retry_after,
)
from caxton_adapters.providers.openai.lean import NOT_LLAMA, USER_AGENT
from caxton_adapters.providers.openai.requests import as_builtins
from caxton_adapters.providers.openai.service import CallFailed
from caxton_adapters.providers.openai.wire import (
    ChatRequest,
    ChatResponse,
    ErrorDetail,
    ListedModel,
    LlamaProperties,
)
from caxton_adapters.providers.settings import ProviderSettings
from caxton_core.conversation.model import (
    AnswerCut,
    AnswerMalformed,
    ModelFailure,
    NameNotResolved,
    Phase,
    TimedOut,
    TlsFailed,
    Unreachable,
)

T = TypeVar("T")

REDIRECTS = range(300, 400)


@final
class SdkService:
    """A service that is spoken to through `openai.AsyncOpenAI`, which here makes one attempt.

    It differs from the lean client in what the SDK cannot do: a response has no largest size (a
    compressed one, which could unfold to any size, is refused unread), and one timeout serves for
    the first byte and for every later silence.
    """

    def __init__(self, settings: ProviderSettings) -> None:
        self._key = settings.api_key
        self._timeouts = settings.timeouts
        base = settings.base_url.rstrip("/")
        self._origin = Url.parse(base).origin
        self._props = f"{base.removesuffix('/v1')}/props"
        waits = settings.timeouts
        self._client = openai.AsyncOpenAI(
            api_key=settings.api_key.reveal() if settings.api_key else "",
            base_url=base,
            organization=settings.organization,
            project=settings.project,
            max_retries=0,
            default_headers=_headers(settings),
            http_client=openai.DefaultAsyncHttpxClient(
                follow_redirects=False,
                event_hooks={"response": [_as_asked]},
                timeout=openai.Timeout(
                    connect=waits.connect,
                    read=max(waits.first_byte, waits.idle),
                    write=waits.first_byte,
                    pool=waits.total,
                ),
            ),
        )

    async def complete(self, body: ChatRequest, total: float) -> ChatResponse:
        """The whole answer."""
        async with self._failures(total, body.model):
            create: Any = self._client.chat.completions.create  # bodies are checked by our structs
            return _converted(await create(**as_builtins(body)), ChatResponse)

    async def stream(self, body: ChatRequest, total: float) -> AsyncGenerator[ChatResponse]:
        """The chunks of the answer."""
        until = asyncio.get_running_loop().time() + total
        create: Any = self._client.chat.completions.create  # bodies are checked by our structs
        async with self._failures(total, body.model):
            chunks = await create(**as_builtins(body))
        async with chunks:
            while True:
                left = until - asyncio.get_running_loop().time()
                async with self._failures(left, body.model, after=total, begun=True):
                    chunk = await _next(chunks)
                if chunk is None:
                    return
                yield chunk

    async def models(self, total: float) -> list[ListedModel]:
        """The models that the service lists."""
        async with self._failures(total):
            page = await self._client.models.list()
            return [_converted(model, ListedModel) for model in page.data or ()]

    async def llama_properties(self, total: float) -> LlamaProperties | None:
        """What the service says about itself if it is llama.cpp."""
        try:
            async with self._failures(total):
                answered = await self._client.get(self._props, cast_to=object)
                return _converted(answered, LlamaProperties)
        except CallFailed as failed:
            if isinstance(failed.failure, NOT_LLAMA):
                return None
            raise

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.close()

    @asynccontextmanager
    async def _failures(
        self, total: float, model: str = "", *, after: float | None = None, begun: bool = False
    ) -> AsyncGenerator[None]:
        """Turn what the SDK raises into failures, and end the wait after `total` seconds."""
        try:
            async with asyncio.timeout(total):
                yield
        except TimeoutError as error:
            raise CallFailed(TimedOut(Phase.TOTAL, after or total)) from error
        except openai.APIStatusError as error:
            raise CallFailed(self._refused(error, model)) from error
        except openai.APIConnectionError as error:
            raise CallFailed(self._broken(error, begun=begun)) from error
        except (openai.APIError, msgspec.DecodeError, ValueError, RecursionError) as error:
            raise CallFailed(malformed(error)) from error

    def _refused(self, error: openai.APIStatusError, model: str) -> ModelFailure:
        headers = error.response.headers
        if error.status_code in REDIRECTS:
            return redirected(error.status_code, headers.get("location", ""))
        wait = retry_after(
            headers.get("retry-after"), headers.get("retry-after-ms"), datetime.now(UTC)
        )
        return refusal(error.status_code, error.response.content, model, wait, self._key)

    def _broken(self, error: openai.APIConnectionError, *, begun: bool) -> ModelFailure:
        """The first cause decides: the SDK wraps its HTTP client, which wraps the socket."""
        where = self._origin.authority
        for cause in _causes(error):
            match cause:
                case socket.gaierror():
                    return NameNotResolved(self._origin.host)
                case ssl.SSLCertVerificationError():
                    return TlsFailed(where, cause.verify_message)
                case ssl.SSLError():
                    return TlsFailed(where, cause.reason or str(cause))
                case _:
                    pass
        return self._by_name(error, begun=begun)

    def _by_name(self, error: openai.APIConnectionError, *, begun: bool) -> ModelFailure:
        """The SDK's HTTP client is httpx or httpx2: their errors share names, not classes."""
        where, said = self._origin.authority, str(error.__cause__ or error)
        match type(error.__cause__).__name__:
            case "ConnectTimeout":
                return TimedOut(Phase.CONNECT, self._timeouts.connect)
            case "PoolTimeout":
                return TimedOut(Phase.TOTAL, self._timeouts.total)
            case "ReadTimeout" | "WriteTimeout":
                after = self._timeouts.idle if begun else self._timeouts.first_byte
                return TimedOut(Phase.IDLE if begun else Phase.FIRST_BYTE, after)
            case "RemoteProtocolError" if "disconnected without" in said:
                return Unreachable(where, said)
            case "RemoteProtocolError" if "peer closed" in said or begun:
                return AnswerCut(said)
            case "RemoteProtocolError" | "DecodingError":
                return AnswerMalformed(said)
            case _:
                return AnswerCut(said) if begun else Unreachable(where, said)


async def _as_asked(response: Any) -> None:  # noqa: ANN401 - of whichever client the SDK uses
    if response.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise CallFailed(AnswerMalformed("the body is compressed, which was not asked for"))


async def _next(chunks: openai.AsyncStream[Any]) -> ChatResponse | None:
    """The next chunk; an error in its place is a chunk that holds the error."""
    try:
        chunk = await anext(chunks, None)
    except (openai.APIStatusError, openai.APIConnectionError):
        raise
    except openai.APIError as error:
        detail = msgspec.convert(error.body, ErrorDetail | str)
        return ChatResponse(error=detail)
    return None if chunk is None else _converted(chunk, ChatResponse)


def _converted(model: object, kind: type[T]) -> T:
    if isinstance(model, openai.BaseModel):
        model = model.to_dict(mode="python", warnings=False)
    return msgspec.convert(repaired_json(model), kind)


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def _headers(settings: ProviderSettings) -> dict[str, str]:
    headers: dict[str, Any] = {"Accept-Encoding": "identity", "User-Agent": USER_AGENT}
    if settings.api_key is None:
        headers["Authorization"] = openai.Omit()
    return headers
