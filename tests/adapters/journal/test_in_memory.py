"""The journal in memory keeps the promises of its ports, within its bounds."""

import pytest
from attrs import evolve

from caxton_adapters.journal.in_memory import InMemoryJournal
from caxton_adapters.testing.conversations import ConversationsContract
from caxton_adapters.testing.journal import JournalContract
from caxton_adapters.testing.messages import MessagesContract, listed
from caxton_adapters.testing.stores import (
    GREETER,
    Stores,
    accepted,
    answered,
    append,
    cancelled,
    done,
    exchange,
    past,
    questions,
    reopened,
    unfinished,
)
from caxton_adapters.testing.turns import TurnsContract
from caxton_core.conversation.message import AssistantMessage, UserMessage
from caxton_core.conversation.past import NOTHING, ConversationKey
from caxton_core.journal import MessageQuery
from caxton_core.primitives import ConversationId


def stores(journal: InMemoryJournal) -> Stores:
    return Stores(journal, journal, journal.conversations)


class TestInMemory(JournalContract, TurnsContract, MessagesContract, ConversationsContract):
    @pytest.fixture
    def store(self) -> Stores:
        return stores(InMemoryJournal())


async def test_of_the_messages_that_ended_the_newest_are_kept() -> None:
    store = stores(InMemoryJournal(most_ended=2))
    for number in (1, 2, 3):
        await exchange(store, evolve(accepted(number), key=f"key {number}"))
    assert await listed(store, MessageQuery()) == [3, 2]
    assert done(await store.journal.keyed(GREETER, "key 1")) is None
    assert questions(await past(store)) == [1, 2, 3]


async def test_messages_that_have_not_ended_are_all_kept() -> None:
    store = stores(InMemoryJournal(most_ended=1, most_bytes=1))
    await append(store, *(evolve(accepted(number), text="x" * 1000) for number in range(50)))
    assert len(await unfinished(store)) == 50


async def test_long_messages_are_forgotten_sooner() -> None:
    store = stores(InMemoryJournal(most_bytes=10_000))
    for number in (1, 2, 3):
        message = evolve(accepted(number), text="x" * 6000)
        await append(store, message)
        await append(store, cancelled(message))
    assert await listed(store, MessageQuery()) == [3]


async def test_a_reopened_message_is_kept_whatever_ends() -> None:
    store = stores(InMemoryJournal(most_ended=1))
    await append(store, accepted(0))
    await append(store, cancelled(accepted(0)), reopened(accepted(0)))
    for number in (1, 2, 3):
        await exchange(store, accepted(number))
    await append(store, answered(accepted(0)))
    assert await listed(store, MessageQuery()) == [0]


async def test_the_conversation_that_was_used_least_lately_is_forgotten_first() -> None:
    store = stores(InMemoryJournal(most_bytes=4 * 512 + 4 * 4000))
    first, second, third = (ConversationId(name) for name in ("first", "second", "third"))
    for number, name in enumerate((first, second, first, third)):
        message = accepted(number, conversation=name)
        words = UserMessage("x" * 2000), AssistantMessage("x" * 2000)
        await append(store, message)
        await append(store, answered(message, *words))
    assert len((await past(store, ConversationKey(first, GREETER))).messages) == 4
    assert await past(store, ConversationKey(second, GREETER)) == NOTHING
    assert len((await past(store, ConversationKey(third, GREETER))).messages) == 2


async def test_of_a_conversation_that_fills_the_memory_the_newest_is_kept() -> None:
    store = stores(InMemoryJournal(most_bytes=4000))
    for number in range(50):
        await exchange(store, accepted(number))
    kept = questions(await past(store))
    assert kept == list(range(50 - len(kept), 50))
    assert 0 < len(kept) < 8


async def test_memory_is_accounted_for_to_the_last_byte() -> None:
    journal = InMemoryJournal(most_ended=3)
    store = stores(journal)
    for number in range(9):
        name = ConversationId(f"chat-{number % 3}")
        await exchange(store, accepted(number, conversation=name))
    for number in range(3):
        place = ConversationKey(ConversationId(f"chat-{number}"), GREETER)
        done(await store.conversations.forget(place))
    assert (journal._bytes, journal._histories.bytes) == (0, 0)
    assert not journal._records
