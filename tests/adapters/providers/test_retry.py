"""A model behind the guards is asked again when that can help, and only then."""

from collections.abc import AsyncGenerator

import pytest
from attrs import evolve
from returns.result import Failure, Result, Success

from caxton_adapters.providers.breakers import Breakers
from caxton_adapters.providers.resilient import Chance, Guards, Resilient
from caxton_adapters.testing.model import streamed
from caxton_core.conversation.model import (
    AnswerCut,
    Healthy,
    ModelCapabilities,
    ModelFailure,
    ModelRequest,
    RateLimited,
    ServiceFault,
    TextDelta,
)
from caxton_core.ports import Answer
from caxton_core.primitives import Duration
from tests.adapters.providers.guarded import HELLO, NAME, StoppedClock, World

TWICE_DOWN = """
[[rules]]
fail = "service_fault"
times = 2
[[rules]]
answer = "at last"
"""
DOWN = '[[rules]]\nfail = "service_fault"'
both_ways = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


@both_ways
async def test_a_fault_that_passes_is_not_noticed(*, stream: bool) -> None:
    world = World(TWICE_DOWN)
    answer = await world.ask(stream=stream)
    assert isinstance(answer, Success)
    assert answer.unwrap().text == "at last"
    assert world.clock.slept == [0.25, 0.5]


@both_ways
async def test_after_the_last_retry_the_failure_is_told(*, stream: bool) -> None:
    world = World(DOWN)
    answer = await world.ask(stream=stream)
    assert isinstance(answer, Failure)
    assert isinstance(answer.failure(), ServiceFault)
    assert world.clock.slept == [0.25, 0.5, 1.0]


@both_ways
async def test_what_no_repetition_can_help_is_told_at_once(*, stream: bool) -> None:
    world = World('[[rules]]\nfail = "not_authenticated"')
    assert isinstance(await world.ask(stream=stream), Failure)
    assert world.clock.slept == []


async def test_a_wait_that_the_service_asks_for_is_kept() -> None:
    world = World(
        '[[rules]]\nfail = "rate_limited"\nretry_after = "7s"\ntimes = 1\n[[rules]]\nanswer = "ok"'
    )
    assert isinstance(await world.ask(), Success)
    assert world.clock.slept == [7.0]


async def test_a_wait_beyond_the_deadline_is_not_begun() -> None:
    world = World('[[rules]]\nfail = "rate_limited"\nretry_after = "7s"')
    answer = await world.ask(evolve(HELLO, timeout=Duration(5.0)))
    assert isinstance(answer, Failure)
    assert isinstance(answer.failure(), RateLimited)
    assert world.clock.slept == []


async def test_all_attempts_share_one_deadline() -> None:
    world = World(DOWN, retries=10, jitter=0.99)
    await world.ask(evolve(HELLO, timeout=Duration(10.0)))
    assert sum(world.clock.slept) < 10.0


async def test_nothing_is_repeated_once_text_was_shown() -> None:
    world = World('[[rules]]\nanswer = "half of an"\nfail = "service_fault"')
    pieces, end = await streamed(world.model, HELLO)
    assert "".join(pieces) == "half of an"
    assert isinstance(end, Failure)
    assert world.clock.slept == []


class Silent:
    """A broken provider, whose streams have no end."""

    async def stream(self, _: ModelRequest) -> AsyncGenerator[TextDelta | Answer]:
        yield TextDelta("and then")

    async def complete(self, _: ModelRequest) -> Answer:
        return Failure(AnswerCut(""))

    async def capabilities(self, _: object = None) -> Result[ModelCapabilities, ModelFailure]:
        return Failure(AnswerCut(""))

    async def health(self) -> Result[Healthy, ModelFailure]:
        return Failure(AnswerCut(""))


async def test_a_stream_without_an_end_is_a_cut_answer() -> None:
    clock = StoppedClock([])
    chance = Chance(clock, lambda: 0.5, clock.sleep)
    model = Resilient(Silent(), Guards(Breakers(NAME)), chance, None)
    pieces, end = await streamed(model, HELLO)
    assert pieces == ["and then"]
    assert isinstance(end, Failure)
    assert isinstance(end.failure(), AnswerCut)
