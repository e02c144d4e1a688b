"""Asking a provider behind which a scripted server stands."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

import msgspec
from attrs import evolve

from caxton_adapters.http_client import Timeouts
from caxton_adapters.providers.openai.model import OpenAI, openai_model
from caxton_adapters.providers.settings import ProviderKind, ProviderSettings, Transport
from caxton_adapters.secrets import Secret
from caxton_adapters.testing.model import streamed
from caxton_core.conversation.message import UserMessage
from caxton_core.conversation.model import ModelFailure, ModelRequest
from caxton_core.ports import Answer
from caxton_core.primitives import ModelName, ProviderName
from tests.raw_server import RawServer, Script, chunked, raw_server, response

T = TypeVar("T")

CANARY = "sk-canary-7f3a9"
HELLO = ModelRequest((UserMessage("Hello"),))
TIMEOUTS = Timeouts(connect=1.0, first_byte=0.3, idle=0.3)


def settings(url: str, transport: Transport = Transport.LEAN) -> ProviderSettings:
    return ProviderSettings(
        name=ProviderName("test"),
        kind=ProviderKind.OPENAI_COMPATIBLE,
        base_url=f"{url}/v1",
        api_key=Secret(CANARY),
        model=ModelName("some-model"),
        transport=transport,
        timeouts=TIMEOUTS,
    )


@asynccontextmanager
async def provider(
    transport: Transport, *scripts: Script
) -> AsyncIterator[tuple[OpenAI, RawServer]]:
    async with raw_server(*scripts) as server:
        model = openai_model(settings(server.url, transport))
        try:
            yield model, server
        finally:
            await model.aclose()


async def answer(
    transport: Transport, *scripts: Script, request: ModelRequest = HELLO, stream: bool = False
) -> Answer:
    """What comes of one question."""
    async with provider(transport, *scripts) as (model, _):
        return await asked(model, request, stream=stream)


async def asked(model: OpenAI, request: ModelRequest = HELLO, *, stream: bool = False) -> Answer:
    return (await streamed(model, request))[1] if stream else await model.complete(request)


def without_words(failure: ModelFailure) -> ModelFailure:
    """The facts of a failure without what somebody says about it."""
    said = {name: "" for name in ("why", "where") if hasattr(failure, name)}
    return evolve(failure, **said)  # type: ignore[arg-type]  # every failure is an attrs class


def refused(status: str, *headers: str, **error: object) -> bytes:
    """A refusal in OpenAI's form."""
    return response(msgspec.json.encode({"error": error}), *headers, status=status)


def completed(message: object = None, finish: object = "stop", **more: object) -> bytes:
    """A completion."""
    said = {"role": "assistant", "content": "Hi!"} if message is None else message
    choice = {"index": 0, "message": said, "finish_reason": finish}
    return response(msgspec.json.encode(_envelope("chat.completion", [choice], more)))


def chunk(delta: object = None, finish: object = None, **more: object) -> bytes:
    """The JSON of one chunk of a stream."""
    choice = {"index": 0, "delta": delta or {}, "finish_reason": finish}
    return msgspec.json.encode(_envelope("chat.completion.chunk", [choice], more))


def _envelope(kind: str, choices: list[object], more: dict[str, object]) -> dict[str, object]:
    fixed = {"id": "chatcmpl-1", "object": kind, "created": 1, "model": "some-model-1"}
    return {**fixed, "choices": choices, **more}


def events(*chunks: bytes) -> bytes:
    """A stream of events that ends well."""
    return chunked(*(b"data: " + chunk + b"\n\n" for chunk in (*chunks, b"[DONE]")))
