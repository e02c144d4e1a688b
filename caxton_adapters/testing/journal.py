"""What every journal promises of what was recorded; subclass it and give a `store` fixture."""

import pytest
from attrs import evolve

from caxton_adapters.testing.stores import (
    GREETER,
    NOON,
    WRITER,
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
    result,
    resumed,
    step,
    unfinished,
)
from caxton_core.conversation.outcome import Answered
from caxton_core.journal import StoredMessage, Unfinished, folded

ODD_TEXTS = ("", "a\x00b", "\x00", "\ud800", "\udfff and \U0001f600", "Grüße\u2028\r\n", "'\";--")
"""Texts at which stores break: NUL ends a text in C, and lone surrogates have no encoding."""


class JournalContract:
    """A test class for an implementation of the port."""

    @pytest.fixture
    def store(self) -> Stores:
        raise NotImplementedError

    @pytest.fixture(autouse=True)
    def anyio_backend(self) -> str:
        return "asyncio"

    async def test_a_new_journal_knows_nothing(self, store: Stores) -> None:
        assert list(await unfinished(store)) == []
        assert await find(store, accepted(1)) is None
        assert done(await store.journal.keyed(GREETER, "key")) is None

    async def test_appending_nothing_records_nothing(self, store: Stores) -> None:
        await append(store)
        assert list(await unfinished(store)) == []

    async def test_what_was_accepted_is_found_to_the_letter(self, store: Stores) -> None:
        message = evolve(accepted(1), key="key", shared=True, lasting=False)
        await append(store, message)
        assert await find(store, message) == StoredMessage(message)
        assert list(await unfinished(store)) == [Unfinished(message)]

    async def test_unfinished_messages_come_in_the_order_of_acceptance(self, store: Stores) -> None:
        messages = [evolve(accepted(n), at=NOON) for n in (2, 3, 1)]
        await append(store, evolve(messages[0], at=accepted(9).at))
        await append(store, *messages[1:])
        assert [one.accepted.message for one in await unfinished(store)] == [
            message.message for message in messages
        ]

    async def test_a_message_that_ended_has_its_outcome_and_is_not_unfinished(
        self, store: Stores
    ) -> None:
        message = accepted(1)
        await append(store, message, accepted(2))
        await append(store, observed(message), ending := answered(message))
        expected = StoredMessage(message, outcome=ending.outcome, ended=ending.at)
        assert await find(store, message) == expected
        assert [one.accepted for one in await unfinished(store)] == [accepted(2)]

    async def test_acceptance_and_ending_may_come_in_one_call(self, store: Stores) -> None:
        message = accepted(1)
        await append(store, message, step(message, call(1)), cancelled(message))
        assert (await found(store, message)).outcome == cancelled(message).outcome

    async def test_of_several_endings_the_first_counts(self, store: Stores) -> None:
        message = accepted(1)
        await append(store, message)
        await append(store, answered(message))
        await append(store, cancelled(message))
        assert (await found(store, message)).outcome == answered(message).outcome

    async def test_of_several_endings_in_one_call_the_first_counts(self, store: Stores) -> None:
        message = accepted(1)
        await append(store, message, cancelled(message), answered(message))
        assert (await found(store, message)).outcome == cancelled(message).outcome

    async def test_a_message_that_is_accepted_again_stays_as_it_was(self, store: Stores) -> None:
        await append(store, accepted(1))
        await append(store, answered(accepted(1)))
        done(await store.journal.append(accepted(1)))
        assert (await found(store, accepted(1))).outcome == answered(accepted(1)).outcome

    async def test_nothing_is_recorded_of_a_message_that_is_not_known(self, store: Stores) -> None:
        stranger = accepted(7)
        await append(store, observed(stranger), resumed(stranger, 1), answered(stranger))
        assert await find(store, stranger) is None
        assert list(await unfinished(store)) == []
        await append(store, stranger)
        assert list(await unfinished(store)) == [Unfinished(stranger)]

    async def test_a_stranger_among_the_events_does_not_keep_the_others_out(
        self, store: Stores
    ) -> None:
        message = accepted(1)
        await append(store, message, observed(accepted(7)), step(message, call(1)))
        assert [one.calls for one in await unfinished(store)] == [(call(1),)]

    async def test_attempts_are_counted(self, store: Stores) -> None:
        message = accepted(1)
        await append(store, message)
        for attempt in (1, 2, 2):
            await append(store, resumed(message, attempt))
        assert (await found(store, message)).attempts == 2
        assert [one.attempts for one in await unfinished(store)] == [2]

    async def test_a_key_finds_the_message_of_its_agent_alone(self, store: Stores) -> None:
        mine = evolve(accepted(1), key="key")
        yours = evolve(accepted(2, WRITER), key="key")
        await append(store, mine, yours, evolve(accepted(3), key="other"))
        assert done(await store.journal.keyed(GREETER, "key")) == StoredMessage(mine)
        assert done(await store.journal.keyed(WRITER, "key")) == StoredMessage(yours)
        assert done(await store.journal.keyed(WRITER, "other")) is None

    async def test_a_key_finds_the_outcome_too(self, store: Stores) -> None:
        message = evolve(accepted(1), key="key")
        await append(store, message)
        await append(store, answered(message))
        stored = done(await store.journal.keyed(GREETER, "key"))
        assert stored is not None
        assert stored.outcome == answered(message).outcome

    @pytest.mark.parametrize("text", ODD_TEXTS)
    async def test_any_text_is_kept_to_the_letter(self, store: Stores, text: str) -> None:
        message = evolve(accepted(1), text=text, key=f"key {text}")
        await append(store, message, observed(message, text), result(message, 1, text))
        (turn,) = await unfinished(store)
        assert turn == folded(message, [observed(message, text), result(message, 1, text)])
        assert done(await store.journal.keyed(GREETER, f"key {text}")) == StoredMessage(message)
        assert done(await store.journal.keyed(GREETER, f"key {text}.")) is None

    @pytest.mark.parametrize("text", ODD_TEXTS)
    async def test_any_outcome_is_kept_to_the_letter(self, store: Stores, text: str) -> None:
        ending = answered(accepted(1))
        assert isinstance(ending.outcome, Answered)
        outcome = evolve(ending.outcome, text=text, model=text)
        await append(store, accepted(1))
        await append(store, evolve(ending, outcome=outcome))
        assert (await found(store, accepted(1))).outcome == outcome
