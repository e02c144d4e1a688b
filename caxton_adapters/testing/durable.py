"""What a store promises that can be opened again; subclass it and give a `reopen` fixture."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TypeAlias

import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings

from caxton_adapters.testing.stores import (
    GREETER,
    PLACE,
    Stores,
    accepted,
    answered,
    append,
    call,
    cancelled,
    done,
    exchange,
    find,
    observed,
    past,
    questions,
    result,
    resumed,
    step,
    unfinished,
)
from caxton_adapters.testing.turns import left_over
from caxton_core.conversation.past import NOTHING, Summary
from caxton_core.events import TurnEvent
from caxton_core.journal import MessageQuery, StoredMessage, folded
from caxton_core.testing.journal import begun_lives

Reopen: TypeAlias = Callable[[], AbstractAsyncContextManager[Stores]]
"""Opens the same store, which nobody else has open."""


class DurableContract:
    """A test class for a store whose place outlives the process."""

    @pytest.fixture
    def reopen(self) -> Reopen:
        raise NotImplementedError

    @pytest.fixture(autouse=True)
    def anyio_backend(self) -> str:
        return "asyncio"

    async def test_what_was_appended_is_there_again(self, reopen: Reopen) -> None:
        message = evolve(accepted(1), key="key")
        events: list[TurnEvent] = [resumed(message, 1), observed(message)]
        events.append(step(message, call(1), call(2)))
        async with reopen() as store:
            await append(store, message, *events, result(message, 1))
        async with reopen() as store:
            expected = folded(message, (*events, result(message, 1)))
            assert list(await unfinished(store)) == [expected]
            stored = done(await store.journal.keyed(GREETER, "key"))
            assert stored == StoredMessage(message, attempts=1)

    async def test_messages_keep_their_order(self, reopen: Reopen) -> None:
        for number in (2, 3, 1):
            async with reopen() as store:
                await append(store, accepted(number))
        async with reopen() as store:
            order = [one.accepted for one in await unfinished(store)]
            assert order == [accepted(2), accepted(3), accepted(1)]
            listed = done(await store.messages.listed(MessageQuery()))
            assert [stored.accepted for stored in listed] == order[::-1]

    async def test_an_ending_stays_the_first(self, reopen: Reopen) -> None:
        async with reopen() as store:
            await exchange(store, accepted(1))
        async with reopen() as store:
            await append(store, cancelled(accepted(1)))
            stored = await find(store, accepted(1))
            assert stored is not None
            assert stored.outcome == answered(accepted(1)).outcome

    async def test_a_conversation_goes_on(self, reopen: Reopen) -> None:
        async with reopen() as store:
            for number in (1, 2):
                await exchange(store, accepted(number))
            await exchange(store, accepted(3), summary=Summary("Of 1", 1))
        async with reopen() as store:
            await exchange(store, accepted(4))
        async with reopen() as store:
            read = await past(store)
            assert (read.summary, questions(read)) == ("Of 1", [2, 3, 4])

    async def test_a_reset_stays(self, reopen: Reopen) -> None:
        async with reopen() as store:
            await exchange(store, accepted(1))
            await append(store, accepted(2))
            done(await store.conversations.reset(PLACE, accepted(3).at))
        async with reopen() as store:
            assert await past(store) == NOTHING
            await append(store, answered(accepted(2), summary=Summary("Of 1", 1)))
            read = await past(store)
            assert (read.summary, questions(read)) == ("", [2])

    async def test_what_is_forgotten_stays_forgotten(self, reopen: Reopen) -> None:
        async with reopen() as store:
            await exchange(store, accepted(1))
            done(await store.conversations.forget(PLACE))
        async with reopen() as store:
            assert await find(store, accepted(1)) is None
            assert await past(store) == NOTHING

    async def test_what_is_not_to_last_is_not_said_again(self, reopen: Reopen) -> None:
        async with reopen() as store:
            await exchange(store, evolve(accepted(1), lasting=False))
        async with reopen() as store:
            assert await past(store) == NOTHING

    async def test_a_message_that_waits_for_its_answer_lasts_in_any_case(
        self, reopen: Reopen
    ) -> None:
        message = evolve(accepted(1), lasting=False)
        async with reopen() as store:
            await append(store, message, observed(message))
        async with reopen() as store:
            assert list(await unfinished(store)) == [folded(message, [observed(message)])]

    @settings(
        max_examples=15,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    @given(recorded=begun_lives())
    async def test_whenever_the_server_ends_the_next_one_finds_how_far_it_came(
        self, reopen: Reopen, recorded: list[TurnEvent]
    ) -> None:
        async with reopen() as store:
            for event in recorded:
                await append(store, event)
        async with reopen() as store:
            try:
                assert list(await unfinished(store)) == left_over(recorded)
            finally:
                done(await store.messages.forget_agent(recorded[0].agent))
