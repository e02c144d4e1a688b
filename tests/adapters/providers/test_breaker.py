"""A model that mostly fails is left alone, and its neighbours are not."""

import anyio
import pytest
from attrs import evolve
from returns.result import Failure, Success

from caxton_core.conversation.model import CircuitOpen, ServiceFault
from caxton_core.primitives import Duration, ModelName
from caxton_core.resilience.breaker import HalfOpen, Open
from tests.adapters.providers.guarded import HELLO, MODEL, NAME, World

TEN_FAULTS = """
[[rules]]
fail = "service_fault"
times = 10
[[rules]]
answer = "back again"
"""
OTHER = evolve(HELLO, model=ModelName("other-model"))


async def broken() -> World:
    """A world in which ten calls failed."""
    world = World(TEN_FAULTS, retries=0)
    for _ in range(10):
        assert isinstance(await world.ask(), Failure)
    return world


async def test_after_ten_failures_the_service_is_left_alone() -> None:
    world = await broken()
    assert await world.ask() == Failure(CircuitOpen(NAME, 30.0))
    world.clock.seconds += 12.0
    assert await world.ask(stream=True) == Failure(CircuitOpen(NAME, 18.0))
    assert [model for model, _ in world.breakers.not_closed()] == [MODEL.value]


async def test_other_models_of_the_provider_are_asked_as_ever() -> None:
    world = await broken()
    assert isinstance(await world.ask(OTHER), Success)


async def test_a_service_that_is_back_is_used_again() -> None:
    world = await broken()
    world.clock.seconds += 30.0
    for _ in range(3):
        assert isinstance(await world.ask(), Success)
    assert world.breakers.not_closed() == ()


async def test_good_calls_before_count_against_opening() -> None:
    script = '[[rules]]\nanswer = "fine"\ntimes = 11\n[[rules]]\nfail = "service_fault"'
    world = World(script, retries=0)
    for _ in range(21):
        await world.ask()
    assert world.breakers.not_closed() == ()
    await world.ask()
    assert isinstance(world.breakers.not_closed()[0][1], Open)


async def test_good_calls_long_ago_do_not() -> None:
    script = '[[rules]]\nanswer = "fine"\ntimes = 100\n[[rules]]\nfail = "service_fault"'
    world = World(script, retries=0)
    for _ in range(100):
        await world.ask()
    world.clock.seconds += 60.0
    for _ in range(10):
        await world.ask()
    assert isinstance(world.breakers.not_closed()[0][1], Open)


async def test_a_retry_that_the_breaker_stops_tells_the_first_failure() -> None:
    world = World('[[rules]]\nfail = "service_fault"', retries=20, jitter=0.0)
    answer = await world.ask()
    assert isinstance(answer, Failure)
    assert isinstance(answer.failure(), ServiceFault)
    assert len(world.clock.slept) == 10


@pytest.mark.parametrize("stream", [False, True])
async def test_a_cancelled_probe_makes_room_for_another(*, stream: bool) -> None:
    slow = '[streaming]\ndelay = "1h"\n'
    world = World(slow + TEN_FAULTS, retries=0)
    for _ in range(10):
        await world.ask()
    world.clock.seconds += 30.0
    for _ in range(5):
        with anyio.move_on_after(0.01):
            await world.ask(evolve(HELLO, timeout=Duration(7200.0)), stream=stream)
    (_, half), *_ = world.breakers.not_closed()
    assert isinstance(half, HalfOpen)
    assert half.probing == 0
