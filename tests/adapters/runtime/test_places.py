"""Never more processes than places, nobody waits beside an idle one, and nobody is forgotten."""

import asyncio
from collections.abc import Sequence

import anyio
from anyio.lowlevel import checkpoint
from attrs import define
from hypothesis import given
from hypothesis import strategies as st

from caxton_adapters.runtime.isolation.places import Place, Places
from tests.waiting import PATIENCE


@define(eq=False)
class Agent:
    """Somebody whose process ends at once when its place is needed."""

    places: Places
    place: Place | None = None

    async def work(self) -> None:
        if self.place is None:
            self.place = await self.places.take()
        self.places.wake(self)

    def rest(self) -> None:
        if self.place is not None:
            self.places.rest(self)

    def let_go(self) -> None:
        place, self.place = self.place, None
        self.places.wake(self)
        if place is not None:
            place.leave()


async def test_the_one_that_is_idle_longest_gives_its_place() -> None:
    places = Places(2)
    first, second, third = (Agent(places) for _ in range(3))
    for agent in (first, second):
        await agent.work()
        agent.rest()
    await first.work()
    first.rest()
    await third.work()
    assert (first.place is None, second.place is None) == (False, True)


async def test_who_works_keeps_its_place_and_the_next_one_waits() -> None:
    places = Places(1)
    busy, waiting = Agent(places), Agent(places)
    await busy.work()
    with anyio.move_on_after(0.01) as patience:
        await waiting.work()
    assert patience.cancelled_caught
    assert (places.taken, places.waiting) == (1, 0)
    async with anyio.create_task_group() as together:
        together.start_soon(waiting.work)
        while not places.waiting:
            await checkpoint()
        busy.rest()
    assert (busy.place is None, waiting.place is None) == (True, False)


async def test_those_who_wait_are_served_in_their_order() -> None:
    places, served = Places(1), []
    place = await places.take()

    async def wait(number: int) -> None:
        own = await places.take()
        served.append(number)
        own.leave()

    async with anyio.create_task_group() as together:
        for number in range(5):
            together.start_soon(wait, number)
            await checkpoint()
        place.leave()
        place.leave()
    assert served == [0, 1, 2, 3, 4]
    assert places.taken == 0


async def test_a_place_given_to_somebody_who_leaves_is_not_lost() -> None:
    places = Places(1)
    place = await places.take()
    waiting = asyncio.ensure_future(places.take())
    await checkpoint()
    place.leave()
    waiting.cancel()
    await asyncio.wait([waiting])
    with anyio.fail_after(PATIENCE):
        await places.take()


steps = st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["work", "rest", "die", "stop"])))


@given(st.integers(1, 3), steps)
def test_whatever_happens_there_are_never_more_processes_than_places(
    most: int, told: Sequence[tuple[int, str]]
) -> None:
    async def play() -> None:
        places = Places(most)
        agents = [Agent(places) for _ in range(6)]
        waiting: dict[int, asyncio.Task[None]] = {}
        for number, step in told:
            await act(agents, waiting, number, step)
            alive = sum(agent.place is not None for agent in agents)
            assert alive <= places.taken <= most
            assert places.waiting <= sum(not task.done() for task in waiting.values())
        for task in waiting.values():
            task.cancel()
        await asyncio.gather(*waiting.values(), return_exceptions=True)
        for agent in agents:
            agent.let_go()
        assert (places.taken, places.waiting) == (0, 0)

    anyio.run(play)


async def act(
    agents: list[Agent], waiting: dict[int, asyncio.Task[None]], number: int, step: str
) -> None:
    task = waiting.get(number)
    at_work = task is not None and not task.done()
    if step == "stop" and task is not None:
        task.cancel()
    elif step == "work" and not at_work:
        waiting[number] = asyncio.ensure_future(agents[number].work())
    elif step == "rest" and not at_work:
        agents[number].rest()
    elif step == "die":
        agents[number].let_go()
    for _ in range(3):
        await checkpoint()
