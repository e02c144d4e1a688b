"""What every journal promises of turns that go on; subclass it and give a `store` fixture."""

from collections.abc import Sequence

import anyio
import anyio.lowlevel
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from caxton_adapters.testing.stores import (
    Stores,
    accepted,
    answered,
    append,
    call,
    cancelled,
    done,
    find,
    found,
    observed,
    reopened,
    result,
    resumed,
    step,
    unfinished,
)
from caxton_core.conversation.outcome import DeadLettered, NotAnswered, OutcomeUnknown
from caxton_core.events import MessageAccepted, MessageEnded, MessageReopened, TurnEvent
from caxton_core.journal import StoredMessage, Unfinished, folded
from caxton_core.testing.journal import begun_lives, lives
from caxton_core.tools.tool import ToolSucceeded

_FEW = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
_TOGETHER = st.lists(
    lives(),
    min_size=2,
    max_size=4,
    unique_by=(lambda life: life[0].message, lambda life: life[0].agent),
)


def ending(life: Sequence[TurnEvent]) -> MessageEnded | None:
    """How the message ended, if it did and nobody wanted it to go on."""
    last: MessageEnded | None = None
    for event in life:
        if isinstance(event, MessageEnded):
            last = event
        elif isinstance(event, MessageReopened):
            last = None
    return last


def left_over(life: Sequence[TurnEvent]) -> Sequence[Unfinished]:
    """What the journal has to give of it to a server that starts."""
    first = life[0]
    assert isinstance(first, MessageAccepted)
    return [] if ending(life) else [folded(first, life[1:])]


class TurnsContract:
    """A test class for an implementation of the port `Journal`."""

    @pytest.fixture
    def store(self) -> Stores:
        raise NotImplementedError

    @pytest.fixture(autouse=True)
    def anyio_backend(self) -> str:
        return "asyncio"

    async def test_a_reopened_message_goes_on_with_what_is_known(self, store: Stores) -> None:
        message = accepted(1)
        unknown = NotAnswered(OutcomeUnknown((call(2),)))
        events: list[TurnEvent] = [
            observed(message),
            step(message, call(1), call(2)),
            result(message, 1),
            resumed(message, 1),
            MessageEnded(message.agent, message.at, message.message, unknown),
            reopened(message, ToolSucceeded("call_2", "it was done")),
        ]
        await append(store, message)
        for event in events:
            await append(store, event)
        assert await find(store, message) == StoredMessage(message)
        assert list(await unfinished(store)) == [folded(message, events)]

    async def test_a_reopened_message_keeps_its_place(self, store: Stores) -> None:
        await append(store, accepted(1), accepted(2))
        await append(store, cancelled(accepted(1)))
        await append(store, reopened(accepted(1)))
        assert [one.accepted for one in await unfinished(store)] == [accepted(1), accepted(2)]

    async def test_a_reopened_message_may_end_otherwise(self, store: Stores) -> None:
        dead = NotAnswered(DeadLettered(5))
        message = accepted(1)
        await append(store, message, resumed(message, 5))
        await append(store, MessageEnded(message.agent, message.at, message.message, dead))
        await append(store, reopened(message))
        await append(store, answered(message))
        ending = answered(message)
        assert await find(store, message) == StoredMessage(message, 0, ending.outcome, ending.at)

    async def test_an_answer_is_final(self, store: Stores) -> None:
        message = accepted(1)
        await append(store, message)
        await append(store, answered(message))
        await append(store, reopened(message))
        assert (await found(store, message)).outcome == answered(message).outcome
        assert list(await unfinished(store)) == []

    async def test_a_message_that_did_not_end_is_not_disturbed(self, store: Stores) -> None:
        message = accepted(1)
        await append(store, message, observed(message))
        await append(store, reopened(message))
        assert [one.observed for one in await unfinished(store)] == [
            (observed(message).observation,)
        ]

    @_FEW
    @given(recorded=begun_lives(), together=st.integers(1, 6))
    async def test_whenever_the_server_ends_a_turn_is_read_back_as_far_as_it_came(
        self, store: Stores, recorded: list[TurnEvent], together: int
    ) -> None:
        for start in range(0, len(recorded), together):
            await append(store, *recorded[start : start + together])
        try:
            assert list(await unfinished(store)) == left_over(recorded)
            last = ending(recorded)
            stored = done(await store.journal.find(recorded[0].message))
            assert stored is not None
            assert stored.ended == (last and last.at)
            if stored.accepted.lasting:  # of another the answer may be forgotten
                assert stored.outcome == (last and last.outcome)
        finally:
            done(await store.messages.forget_agent(recorded[0].agent))

    @_FEW
    @given(together=_TOGETHER, order=st.lists(st.integers(0, 3), max_size=60))
    async def test_messages_at_work_together_do_not_mix(
        self, store: Stores, together: list[list[TurnEvent]], order: list[int]
    ) -> None:
        left = [list(life) for life in together]
        turns = iter(order)
        while waiting := [life for life in left if life]:
            await append(store, waiting[next(turns, 0) % len(waiting)].pop(0))
        try:
            expected = [one for life in together for one in left_over(life)]
            read = await unfinished(store)
            assert len(read) == len(expected)
            assert all(one in expected for one in read)
        finally:
            for life in together:
                done(await store.messages.forget_agent(life[0].agent))

    async def test_those_who_append_at_once_lose_nothing(self, store: Stores) -> None:
        async def live(number: int) -> None:
            message = accepted(number)
            await append(store, message, step(message, call(1), call(2), call(3)))
            for known in (1, 2, 3):
                await append(store, result(message, known))

        async with anyio.create_task_group() as together:
            for number in range(30):
                together.start_soon(live, number)
        expected = [ToolSucceeded(f"call_{n}", "done") for n in (1, 2, 3)]
        read = await unfinished(store)
        assert {one.accepted for one in read} == {accepted(number) for number in range(30)}
        assert all(list(one.results) == expected for one in read)

    async def test_events_are_recorded_in_the_order_of_the_calls(self, store: Stores) -> None:
        message = accepted(1)
        await append(store, message)
        async with anyio.create_task_group() as together:
            for number in range(50):
                together.start_soon(append, store, result(message, number))
        (turn,) = await unfinished(store)
        assert [known.call_id for known in turn.results] == [f"call_{n}" for n in range(50)]

    @pytest.mark.parametrize("patience", range(6))
    async def test_a_call_that_is_given_up_is_recorded_whole_or_not_at_all(
        self, store: Stores, patience: int
    ) -> None:
        async with anyio.create_task_group() as together:
            together.start_soon(append, store, *map(accepted, range(20)))
            for _ in range(patience):
                await anyio.lowlevel.checkpoint()
            together.cancel_scope.cancel()
        assert len(await unfinished(store)) in (0, 20)

    async def test_a_call_that_is_given_up_does_not_keep_others_waiting(
        self, store: Stores
    ) -> None:
        with anyio.CancelScope() as scope:
            scope.cancel()
            await append(store, accepted(1))
        with anyio.fail_after(10):
            await append(store, accepted(2))
        assert accepted(2) in [one.accepted for one in await unfinished(store)]
