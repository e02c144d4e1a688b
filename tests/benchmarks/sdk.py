"""The bare official SDK: the yardstick for everything that calls a model."""

import asyncio
from time import process_time

import openai


def sdk_cpu_seconds(base_url: str, calls: int) -> float:
    """CPU of one `chat.completions.create`, one after the other on a warm client."""
    return asyncio.run(_cpu_of_calls(base_url, calls))


async def _cpu_of_calls(base_url: str, calls: int) -> float:
    async with openai.AsyncOpenAI(base_url=base_url, api_key="any", max_retries=0) as client:
        for _ in range(5):
            await call(client)
        before = process_time()
        for _ in range(calls):
            await call(client)
        return (process_time() - before) / calls


async def call(client: openai.AsyncOpenAI) -> None:
    """One call, as a program that uses the SDK makes it."""
    answer = await client.chat.completions.create(
        model="echo",
        temperature=0.2,
        messages=[
            {"role": "system", "content": "You greet people warmly and briefly."},
            {"role": "user", "content": "Hello there"},
        ],
    )
    assert answer.choices[0].message.content == "Hello there"
