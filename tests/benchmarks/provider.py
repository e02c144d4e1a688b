"""A call of a model through our provider, beside the same call through the bare official SDK."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from statistics import median
from time import perf_counter, process_time
from typing import TypeAlias

from returns.result import Success

from caxton_adapters.providers.openai.model import openai_model
from caxton_adapters.providers.settings import ProviderKind, ProviderSettings
from caxton_core.conversation.message import SystemMessage, UserMessage
from caxton_core.conversation.model import ModelRequest, Sampling, TextDelta
from caxton_core.ports import Model
from caxton_core.primitives import ModelName, ProviderName
from tests.benchmarks.effort import Effort
from tests.benchmarks.figures import AtMost, Baseline, Below, Figure, Samples, TimesBaseline
from tests.benchmarks.loops import run
from tests.benchmarks.raw import raw_exchange
from tests.benchmarks.sdk import SYSTEM, TEXT, sdk, sdk_call, sdk_stream
from tests.model_server import ModelServer, model_server

Call: TypeAlias = Callable[[], Awaitable[object]]

_PIECES = 200
_LONG = "".join(f"token {number:03d} " for number in range(_PIECES))
_LATENCY_MS = 50


def measure(effort: Effort) -> Iterator[Figure]:
    """All in one process, so that both sides meet the same machine."""
    with model_server() as models:
        yield run(_calls(effort, models.url, 1))
        yield run(_calls(effort, models.url, 100))
        yield run(_events(effort, models.at(chunks=_PIECES)))
        yield run(_overhead(effort, models))
        yield run(_slow_call(effort, models.at(latency=_LATENCY_MS)))


async def _calls(effort: Effort, url: str, at_once: int) -> Figure:
    rounds = max(1, effort.calls // at_once)
    async with sdk(url) as client, provider(url) as model:
        bare, ours = await _cpu_in_turns(
            effort.blocks,
            lambda: _cpu(lambda: sdk_call(client), at_once, rounds),
            lambda: _cpu(lambda: ask(model), at_once, rounds),
        )
    return Figure(
        f"provider call, CPU, {at_once} at once",
        ours.best * 1e6,
        "µs",
        Baseline(bare.best * 1e6, "bare SDK call"),
        TimesBaseline(0.2),
        TimesBaseline(0.04),
    )


async def _events(effort: Effort, url: str) -> Figure:
    rounds = max(1, effort.calls // 40)
    async with sdk(url) as client, provider(url) as model:
        bare, ours = await _cpu_in_turns(
            effort.blocks,
            lambda: _cpu(lambda: sdk_stream(client, _LONG), 1, rounds),
            lambda: _cpu(lambda: listen(model), 1, rounds),
        )
    return Figure(
        f"streamed event, CPU ({_PIECES} in a stream, its beginning and end included)",
        ours.best / _PIECES * 1e6,
        "µs",
        Baseline(bare.best / _PIECES * 1e6, "bare SDK event"),
        TimesBaseline(0.1),
        AtMost(5),
    )


async def _overhead(effort: Effort, models: ModelServer) -> Figure:
    async with provider(models.url) as model:
        bare, ours = Samples(()), Samples(())
        for _ in range(effort.blocks):
            raw = raw_exchange(models.url, SYSTEM, TEXT, effort.calls)
            bare = Samples((*bare.values, await asyncio.to_thread(raw)))
            ours = Samples((*ours.values, await _median_wall(lambda: ask(model), effort.calls)))
    return Figure(
        "provider abstraction above a raw socket, wall time per call",
        (ours.middle - bare.middle) * 1e3,
        "ms",
        Baseline(bare.middle * 1e3, "raw socket exchange"),
        Below(1),
    )


async def _slow_call(effort: Effort, url: str) -> Figure:
    async with provider(url) as model:
        wall = await _median_wall(lambda: ask(model), max(5, effort.calls // 20))
    return Figure(
        f"call of a model that takes {_LATENCY_MS} ms, above those",
        wall * 1e3 - _LATENCY_MS,
        "ms",
        Baseline(_LATENCY_MS, "the model alone"),
        Below(100),
    )


@asynccontextmanager
async def provider(base_url: str) -> AsyncIterator[Model]:
    """Our provider for the service."""
    settings = ProviderSettings(
        name=ProviderName("bench"),
        kind=ProviderKind.OPENAI_COMPATIBLE,
        base_url=base_url,
        model=ModelName("echo"),
    )
    model = openai_model(settings)
    yield model
    await model.aclose()


async def ask(model: Model) -> None:
    """One call whose answer is checked."""
    answer = await model.complete(_request(TEXT))
    assert isinstance(answer, Success)
    assert answer.unwrap().text == TEXT


async def listen(model: Model) -> None:
    """One streamed call; all pieces of the text have to come, one by one."""
    pieces = [
        piece.text async for piece in model.stream(_request(_LONG)) if isinstance(piece, TextDelta)
    ]
    assert len(pieces) == _PIECES
    assert "".join(pieces) == _LONG


def _request(text: str) -> ModelRequest:
    messages = (SystemMessage(SYSTEM), UserMessage(text))
    return ModelRequest(messages, sampling=Sampling(temperature=0.2))


async def _cpu_in_turns(
    blocks: int, *measures: Callable[[], Awaitable[float]]
) -> tuple[Samples, ...]:
    for one in measures:
        await one()
    taken = [[await one() for one in measures] for _ in range(blocks)]
    return tuple(Samples(values) for values in zip(*taken, strict=True))


async def _cpu(one: Call, at_once: int, rounds: int) -> float:
    """Seconds of CPU of one call."""
    before = process_time()
    for _ in range(rounds):
        if at_once == 1:
            await one()
        else:
            await asyncio.gather(*(one() for _ in range(at_once)))
    return (process_time() - before) / rounds / at_once


async def _median_wall(one: Call, calls: int) -> float:
    taken = []
    for _ in range(calls):
        before = perf_counter()
        await one()
        taken.append(perf_counter() - before)
    return median(taken)
