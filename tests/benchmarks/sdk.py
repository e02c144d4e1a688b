"""The bare official SDK: the yardstick for everything that calls a model."""

from asyncio import gather
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import process_time

import openai
from openai.types.chat import ChatCompletionMessageParam

from tests.benchmarks.loops import run

SYSTEM = "You greet people warmly and briefly."
TEXT = "Hello there, this is a message of a usual length."


def sdk_cpu_seconds(base_url: str, calls: int, at_once: int = 1) -> float:
    """CPU of one `chat.completions.create` on a warm client, with so many on their way."""
    return run(_cpu_of_calls(base_url, max(1, calls // at_once), at_once))


async def _cpu_of_calls(base_url: str, rounds: int, at_once: int) -> float:
    async with sdk(base_url) as client:
        await gather(*(sdk_call(client) for _ in range(max(5, at_once))))
        before = process_time()
        for _ in range(rounds):
            await gather(*(sdk_call(client) for _ in range(at_once)))
        return (process_time() - before) / rounds / at_once


def sdk_event_cpu_seconds(base_url: str, pieces: int, rounds: int) -> float:
    """CPU of one streamed piece, in streams of so many."""
    return run(_cpu_of_streams(base_url, pieces, rounds))


async def _cpu_of_streams(base_url: str, pieces: int, rounds: int) -> float:
    text = "word " * pieces
    async with sdk(base_url) as client:
        assert await sdk_stream(client, text) == pieces
        before = process_time()
        for _ in range(rounds):
            await sdk_stream(client, text)
        return (process_time() - before) / rounds / pieces


@asynccontextmanager
async def sdk(base_url: str) -> AsyncIterator[openai.AsyncOpenAI]:
    """A client as a program makes it, but with timeouts that a busy machine does not meet."""
    async with openai.AsyncOpenAI(
        base_url=base_url, api_key="any", max_retries=0, timeout=120
    ) as client:
        yield client


async def sdk_call(client: openai.AsyncOpenAI) -> None:
    """One call whose answer is checked."""
    answer = await client.chat.completions.create(
        model="echo", temperature=0.2, messages=_messages(TEXT)
    )
    assert answer.choices[0].message.content == TEXT


async def sdk_stream(client: openai.AsyncOpenAI, text: str) -> int:
    """One streamed call; how many pieces of text came."""
    stream = await client.chat.completions.create(
        model="echo",
        temperature=0.2,
        messages=_messages(text),
        stream=True,
        stream_options={"include_usage": True},
    )
    pieces = [
        chunk.choices[0].delta.content
        async for chunk in stream
        if chunk.choices and chunk.choices[0].delta.content
    ]
    assert "".join(pieces) == text
    return len(pieces)


def _messages(text: str) -> list[ChatCompletionMessageParam]:
    return [{"role": "system", "content": SYSTEM}, {"role": "user", "content": text}]
