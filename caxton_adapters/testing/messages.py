"""What every store of messages promises to people; subclass it and give a `store` fixture."""

from collections.abc import Sequence
from datetime import timedelta
from functools import reduce

import pytest
from attrs import evolve

from caxton_adapters.testing.stores import (
    GREETER,
    NOON,
    PLACE,
    SUPPORT,
    WRITER,
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
    resumed,
    shared,
    step,
    unfinished,
)
from caxton_core.conversation.outcome import DeadLettered, MessageState, NotAnswered
from caxton_core.conversation.past import NOTHING, ConversationKey
from caxton_core.conversation.turn import DeadlinePassed
from caxton_core.events import TurnEvent
from caxton_core.journal import MessageQuery, Spent, Unfinished, folded
from caxton_core.limits import Usage, added
from caxton_core.primitives import ConversationId, MessageId, Usd

HOUR = timedelta(hours=1)
OTHER = ConversationId("support-43")


async def listed(store: Stores, query: MessageQuery) -> Sequence[int]:
    """The numbers of the messages that fit."""
    found = done(await store.messages.listed(query))
    return [int(stored.accepted.message.value.removeprefix("msg-")) for stored in found]


async def one_in_each_state(store: Stores) -> None:
    """Messages 1 to 5: at work, answered, failed, cancelled, dead-lettered."""
    messages = [accepted(number) for number in range(1, 6)]
    failures = (DeadlinePassed(), DeadLettered(5))
    failed, dead = (evolve(cancelled(accepted(1)), outcome=NotAnswered(why)) for why in failures)
    await append(store, *messages, answered(messages[1]), cancelled(messages[3]))
    await append(store, evolve(failed, message=messages[2].message))
    await append(store, evolve(dead, message=messages[4].message))


def total(told: Sequence[Spent]) -> Usage:
    """Everything that was spent, whenever it was."""
    return reduce(added, (spent.usage for spent in told))


class MessagesContract:
    """A test class for an implementation of the port."""

    @pytest.fixture
    def store(self) -> Stores:
        raise NotImplementedError

    @pytest.fixture(autouse=True)
    def anyio_backend(self) -> str:
        return "asyncio"

    async def test_messages_are_listed_newest_first(self, store: Stores) -> None:
        for number in (2, 1, 3):
            await append(store, evolve(accepted(number), at=NOON))
        assert await listed(store, MessageQuery()) == [3, 1, 2]

    async def test_a_listed_message_is_as_it_is_found(self, store: Stores) -> None:
        await one_in_each_state(store)
        for stored in done(await store.messages.listed(MessageQuery())):
            assert stored == await find(store, stored.accepted)

    async def test_what_was_spent_is_told_by_agent(self, store: Stores) -> None:
        first, last = answered(accepted(2)), answered(accepted(7200))
        failed = NotAnswered(DeadlinePassed(), Usage(5, 6, cost=Usd(7)))
        await append(store, accepted(2), accepted(3), accepted(4), accepted(7200), first, last)
        await append(store, evolve(cancelled(accepted(3)), outcome=failed))
        await append(store, accepted(5, WRITER), answered(accepted(5, WRITER)))
        told = done(await store.messages.spent(first.at))
        assert {agent: total(spent) for agent, spent in told.items()} == {
            GREETER: Usage(11, 14, cost=Usd(7)),
            WRITER: Usage(3, 4),
        }
        assert max(spent.at for spent in told[GREETER]) == last.at
        assert min(spent.at for spent in told[GREETER]) >= cancelled(accepted(3)).at - HOUR

    async def test_what_was_spent_before_is_not_told(self, store: Stores) -> None:
        await exchange(store, accepted(1))
        assert done(await store.messages.spent(answered(accepted(2)).at)) == {}

    async def test_messages_are_listed_by_agent(self, store: Stores) -> None:
        await append(store, accepted(1), accepted(2, WRITER), accepted(3))
        assert await listed(store, MessageQuery(agent=GREETER)) == [3, 1]
        assert await listed(store, MessageQuery(agent=WRITER)) == [2]

    async def test_messages_are_listed_by_conversation(self, store: Stores) -> None:
        messages = accepted(1), accepted(2, WRITER), accepted(3, conversation=OTHER), accepted(4)
        await append(store, *messages, shared(accepted(5)))
        assert await listed(store, MessageQuery(conversation=PLACE)) == [4, 1]
        everyone = ConversationKey(SUPPORT, None)
        assert await listed(store, MessageQuery(conversation=everyone)) == [5]
        assert await listed(store, MessageQuery(agent=WRITER, conversation=PLACE)) == []

    @pytest.mark.parametrize(
        ("states", "fitting"),
        [
            ((), [5, 4, 3, 2, 1]),
            ((MessageState.ACCEPTED, MessageState.RUNNING), [1]),
            ((MessageState.ANSWERED,), [2]),
            ((MessageState.FAILED, MessageState.CANCELLED), [4, 3]),
            ((MessageState.DEAD_LETTERED, MessageState.RUNNING), [5, 1]),
        ],
    )
    async def test_messages_are_listed_by_state(
        self, store: Stores, states: tuple[MessageState, ...], fitting: list[int]
    ) -> None:
        await one_in_each_state(store)
        assert await listed(store, MessageQuery(states=states)) == fitting

    @pytest.mark.parametrize("limit", [1, 2, 3, 7, 8])
    async def test_pages_together_list_every_message_once(self, store: Stores, limit: int) -> None:
        await append(store, *(evolve(accepted(number), at=NOON) for number in range(7)))
        seen: list[int] = []
        query = MessageQuery(agent=GREETER, limit=limit)
        while page := await listed(store, query):
            assert len(page) <= limit
            seen += page
            query = evolve(query, before=MessageId(f"msg-{page[-1]}"))
        assert seen == [6, 5, 4, 3, 2, 1, 0]

    async def test_the_turn_of_a_message_is_shown_as_far_as_it_came(self, store: Stores) -> None:
        message = accepted(1)
        events: list[TurnEvent] = [resumed(message, 1), observed(message), step(message, call(1))]
        await append(store, message, *events)
        turn = done(await store.messages.turn(message.message))
        assert turn == folded(message, events)
        assert done(await store.messages.turn(MessageId("msg-2"))) is None

    async def test_the_turn_of_a_message_that_ended_is_still_shown(self, store: Stores) -> None:
        message = accepted(1)
        await append(store, message, observed(message), step(message, call(1)))
        await append(store, cancelled(message))
        turn = done(await store.messages.turn(message.message))
        assert turn == Unfinished(
            message, observed=(observed(message).observation,), calls=(call(1),)
        )

    async def test_old_messages_are_forgotten_once_they_ended(self, store: Stores) -> None:
        old, new = accepted(1), accepted(60)
        await append(store, accepted(0), old, new)
        await append(store, answered(new), answered(old))
        forgotten = await store.messages.forget_ended(answered(new).at)
        assert done(forgotten) == 1
        assert await listed(store, MessageQuery()) == [60, 0]
        assert await find(store, old) is None
        assert [one.accepted for one in await unfinished(store)] == [accepted(0)]

    async def test_what_is_forgotten_is_part_of_no_conversation(self, store: Stores) -> None:
        await exchange(store, accepted(1))
        await exchange(store, accepted(60))
        done(await store.messages.forget_ended(NOON + timedelta(seconds=30)))
        assert questions(await past(store)) == [60]

    async def test_a_message_that_is_forgotten_frees_its_key_and_its_identity(
        self, store: Stores
    ) -> None:
        message = evolve(accepted(1), key="key")
        await exchange(store, message)
        done(await store.messages.forget_ended(NOON + timedelta(days=1)))
        assert done(await store.journal.keyed(GREETER, "key")) is None
        await append(store, message)
        assert [one.accepted for one in await unfinished(store)] == [message]

    async def test_forgetting_where_nothing_is_old_forgets_nothing(self, store: Stores) -> None:
        await exchange(store, accepted(1))
        assert done(await store.messages.forget_ended(NOON)) == 0
        assert questions(await past(store)) == [1]

    async def test_nothing_is_left_of_an_agent_that_is_forgotten(self, store: Stores) -> None:
        await exchange(store, evolve(accepted(1), key="key"))
        await append(store, accepted(2), evolve(accepted(3, conversation=OTHER), lasting=False))
        assert done(await store.messages.forget_agent(GREETER)) == 3
        assert await listed(store, MessageQuery()) == []
        assert list(await unfinished(store)) == []
        assert done(await store.journal.keyed(GREETER, "key")) is None
        assert await past(store) == NOTHING
        views = await store.conversations.listed(None, after=None, limit=10)
        assert list(done(views)) == []

    async def test_a_late_word_of_an_agent_that_is_forgotten_is_not_recorded(
        self, store: Stores
    ) -> None:
        await append(store, accepted(1))
        done(await store.messages.forget_agent(GREETER))
        await append(store, observed(accepted(1)), answered(accepted(1)))
        assert await find(store, accepted(1)) is None
        assert await past(store) == NOTHING

    async def test_other_agents_keep_what_they_said_to_one_that_is_forgotten(
        self, store: Stores
    ) -> None:
        await exchange(store, accepted(1))
        await exchange(store, accepted(2, WRITER))
        await exchange(store, shared(accepted(3, WRITER)))
        assert done(await store.messages.forget_agent(GREETER)) == 1
        assert questions(await past(store, ConversationKey(SUPPORT, WRITER))) == [2]
        assert questions(await past(store, ConversationKey(SUPPORT, None))) == [3]
