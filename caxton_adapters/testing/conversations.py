"""What every store of conversations promises; subclass it and give a `store` fixture."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from attrs import evolve

from caxton_adapters.testing.journal import ODD_TEXTS
from caxton_adapters.testing.stores import (
    EARLIER,
    GREETER,
    NOON,
    PLACE,
    SUPPORT,
    WRITER,
    Stores,
    accepted,
    answered,
    append,
    cancelled,
    done,
    exchange,
    find,
    past,
    questions,
    shared,
    unfinished,
)
from caxton_core.conversation.message import AssistantMessage, ToolMessage, UserMessage
from caxton_core.conversation.outcome import Answered
from caxton_core.conversation.past import NOTHING, ConversationKey, Past, Summary
from caxton_core.journal import ConversationView, Exchange, StoredMessage
from caxton_core.primitives import AgentId, ConversationId, JsonObject, MessageId, ToolName
from caxton_core.tools.tool import BrokenToolCall, ToolCall, ToolFailed, ToolSucceeded

EVERYONE = ConversationKey(SUPPORT, None)


async def listed(
    store: Stores,
    agent: AgentId | None = GREETER,
    after: ConversationView | None = None,
    limit: int = 50,
) -> Sequence[ConversationView]:
    """The conversations of an agent."""
    return list(done(await store.conversations.listed(agent, after=after, limit=limit)))


async def reset(store: Stores, place: ConversationKey = PLACE) -> bool:
    """Have the conversation begin anew."""
    return done(await store.conversations.reset(place, NOON))


async def forget(store: Stores, place: ConversationKey = PLACE) -> bool:
    """Remove the conversation."""
    return done(await store.conversations.forget(place))


async def exchanges(
    store: Stores,
    place: ConversationKey = PLACE,
    after: MessageId | None = None,
    limit: int = 50,
) -> Sequence[Exchange]:
    """The messages of the conversation with what was said."""
    return list(done(await store.conversations.exchanges(place, after=after, limit=limit)))


class PastContract:
    """A test class for what an implementation of the port tells a turn."""

    @pytest.fixture
    def store(self) -> Stores:
        raise NotImplementedError

    @pytest.fixture(autouse=True)
    def anyio_backend(self) -> str:
        return "asyncio"

    async def test_a_new_conversation_has_no_past(self, store: Stores) -> None:
        assert await past(store) == NOTHING
        await append(store, accepted(1))
        assert await past(store) == NOTHING

    async def test_what_was_said_in_a_turn_is_the_past_of_the_next(self, store: Stores) -> None:
        message = await exchange(store, accepted(1))
        assert await past(store) == Past(answered(message).said)

    async def test_exchanges_come_in_the_order_in_which_they_ended(self, store: Stores) -> None:
        messages = [accepted(number) for number in (1, 2, 3)]
        await append(store, *messages)
        for number in (2, 3, 1):
            await append(store, evolve(answered(accepted(number)), at=NOON))
        assert questions(await past(store)) == [2, 3, 1]

    async def test_an_exchange_comes_whole_and_to_the_letter(self, store: Stores) -> None:
        call = ToolCall("call_1", ToolName("files.read"), JsonObject('{"a":[1.5,null]}'))
        broken = BrokenToolCall("call_2", "no such", "{oops", "not JSON")
        said = (
            UserMessage("in other words"),
            AssistantMessage("", (call, broken)),
            ToolMessage(ToolSucceeded("call_1", "done")),
            ToolMessage(ToolFailed("call_2", "not JSON")),
            AssistantMessage("Done."),
        )
        await append(store, accepted(1))
        await append(store, answered(accepted(1), *said))
        assert await past(store) == Past(said)

    @pytest.mark.parametrize("text", ODD_TEXTS)
    async def test_any_words_are_kept_to_the_letter(self, store: Stores, text: str) -> None:
        call = ToolCall("call_1", ToolName("files.read"), JsonObject("{}"))
        result = ToolMessage(ToolSucceeded("call_1", text))
        said = (UserMessage(text), AssistantMessage(text, (call,)), result, AssistantMessage(text))
        await append(store, evolve(accepted(1), text=text))
        await append(store, answered(accepted(1), *said))
        assert await past(store) == Past(said)

    async def test_a_message_without_an_answer_adds_nothing(self, store: Stores) -> None:
        await exchange(store, accepted(1))
        await append(store, accepted(2))
        await append(store, cancelled(accepted(2)))
        assert questions(await past(store)) == [1]

    async def test_only_the_first_ending_adds_to_the_conversation(self, store: Stores) -> None:
        await exchange(store, accepted(1))
        await append(store, answered(accepted(1)))
        await append(store, accepted(2))
        await append(store, cancelled(accepted(2)), answered(accepted(2)))
        assert questions(await past(store)) == [1]

    @pytest.mark.parametrize(
        ("at_most", "newest"), [(0, []), (1, [3]), (2, [2, 3]), (9, [1, 2, 3])]
    )
    async def test_a_past_is_the_newest_exchanges(
        self, store: Stores, at_most: int, newest: list[int]
    ) -> None:
        for number in (1, 2, 3):
            await exchange(store, accepted(number))
        assert questions(await past(store, at_most=at_most)) == newest

    async def test_conversations_and_agents_do_not_hear_one_another(self, store: Stores) -> None:
        other = ConversationId("support-43")
        await exchange(store, accepted(1))
        await exchange(store, accepted(2, conversation=other))
        await exchange(store, accepted(3, WRITER))
        assert questions(await past(store)) == [1]
        assert questions(await past(store, ConversationKey(other, GREETER))) == [2]
        assert questions(await past(store, ConversationKey(SUPPORT, WRITER))) == [3]
        assert await past(store, EVERYONE) == NOTHING

    async def test_agents_that_share_a_conversation_hear_one_another(self, store: Stores) -> None:
        await exchange(store, shared(accepted(1)))
        await exchange(store, shared(accepted(2, WRITER)))
        assert questions(await past(store, EVERYONE)) == [1, 2]
        assert await past(store) == NOTHING

    async def test_a_conversation_that_was_idle_for_too_long_is_over(self, store: Stores) -> None:
        ended = answered(await exchange(store, accepted(1))).at
        await append(store, accepted(9_000))
        assert questions(await past(store, since=ended)) == [1]
        assert await past(store, since=ended + timedelta(microseconds=1)) == NOTHING

    async def test_a_conversation_that_is_over_begins_anew(self, store: Stores) -> None:
        await exchange(store, accepted(1), summary=Summary("Before", 0))
        assert await past(store, since=NOON + timedelta(days=1)) == NOTHING
        await exchange(store, accepted(90_000))
        assert await past(store) == Past(answered(accepted(90_000)).said)

    async def test_a_reset_hides_what_was_said_before(self, store: Stores) -> None:
        await exchange(store, accepted(1), summary=Summary("Before", 0))
        assert await reset(store)
        assert await past(store) == NOTHING
        await exchange(store, accepted(2))
        assert await past(store) == Past(answered(accepted(2)).said)

    async def test_what_a_reset_hides_stays_readable(self, store: Stores) -> None:
        await exchange(store, accepted(1))
        await reset(store)
        stored = await find(store, accepted(1))
        assert stored is not None
        assert stored.outcome == answered(accepted(1)).outcome

    async def test_a_reset_touches_no_other_conversation(self, store: Stores) -> None:
        await exchange(store, accepted(1))
        await exchange(store, shared(accepted(2)))
        await reset(store)
        assert questions(await past(store, EVERYONE)) == [2]
        assert not await reset(store, ConversationKey(ConversationId("unknown"), GREETER))

    async def test_a_message_that_is_at_work_during_a_reset_is_part_of_what_follows(
        self, store: Stores
    ) -> None:
        await exchange(store, accepted(1))
        await append(store, accepted(2))
        await reset(store)
        await append(store, answered(accepted(2)))
        assert questions(await past(store)) == [2]


class SummaryContract:
    """A test class for what an implementation of the port does with summaries."""

    @pytest.fixture
    def store(self) -> Stores:
        raise NotImplementedError

    @pytest.fixture(autouse=True)
    def anyio_backend(self) -> str:
        return "asyncio"

    async def test_a_summary_takes_the_place_of_what_it_covers(self, store: Stores) -> None:
        for number in (1, 2, 3):
            await exchange(store, accepted(number))
        await exchange(store, accepted(4), summary=Summary("Of 1 and 2", 2))
        read = await past(store)
        assert (read.summary, questions(read)) == ("Of 1 and 2", [3, 4])

    async def test_the_next_summary_takes_the_place_of_the_first(self, store: Stores) -> None:
        for number in (1, 2, 3):
            await exchange(store, accepted(number))
        await exchange(store, accepted(4), summary=Summary("Of 1 and 2", 2))
        await exchange(store, accepted(5), summary=Summary("Of 1 to 3", 1))
        read = await past(store, at_most=1)
        assert (read.summary, questions(read)) == ("Of 1 to 3", [5])
        assert questions(await past(store)) == [4, 5]

    async def test_a_summary_never_covers_the_exchange_that_brings_it(self, store: Stores) -> None:
        await exchange(store, accepted(1))
        await exchange(store, accepted(2), summary=Summary("Of much", 9))
        read = await past(store)
        assert (read.summary, questions(read)) == ("Of much", [2])

    async def test_a_reset_forgets_the_summary(self, store: Stores) -> None:
        await exchange(store, accepted(1))
        await exchange(store, accepted(2), summary=Summary("Of 1", 1))
        await reset(store)
        assert await past(store) == NOTHING

    async def test_a_summary_of_what_was_reset_meanwhile_is_not_taken(self, store: Stores) -> None:
        await exchange(store, accepted(1))
        await append(store, accepted(2))
        await reset(store)
        await append(store, answered(accepted(2), summary=Summary("Of 1", 1)))
        assert await past(store) == Past(answered(accepted(2)).said)

    async def test_of_two_summaries_of_the_same_past_one_is_taken(self, store: Stores) -> None:
        for number in (1, 2):
            await exchange(store, accepted(number))
        await append(store, accepted(3), accepted(4))
        await append(store, answered(accepted(3), summary=Summary("Of 1 and 2", 2)))
        await append(store, answered(accepted(4), summary=Summary("Of 1, also", 1)))
        read = await past(store)
        assert (read.summary, questions(read)) == ("Of 1 and 2", [3, 4])

    @pytest.mark.parametrize("text", ODD_TEXTS)
    async def test_any_summary_is_kept_to_the_letter(self, store: Stores, text: str) -> None:
        await exchange(store, accepted(1))
        await exchange(store, accepted(2), summary=Summary(text, 1))
        assert (await past(store)).summary == text


class ConversationsContract(PastContract, SummaryContract):
    """A test class for an implementation of the port."""

    async def test_a_conversation_is_listed_with_its_use(self, store: Stores) -> None:
        await append(store, accepted(1), accepted(5))
        await exchange(store, accepted(2))
        (view,) = await listed(store)
        assert view == ConversationView(PLACE, 3, accepted(1).at, accepted(5).at)

    async def test_a_conversation_is_listed_with_its_summary(self, store: Stores) -> None:
        await exchange(store, accepted(1))
        await exchange(store, accepted(2), summary=Summary("Of 1", 1))
        assert [view.summary for view in await listed(store)] == ["Of 1"]

    async def test_conversations_are_listed_by_their_agent(self, store: Stores) -> None:
        await append(store, accepted(1), accepted(2, WRITER), shared(accepted(3, WRITER)))
        assert [view.place for view in await listed(store)] == [PLACE]
        everyones = [view.place for view in await listed(store, None)]
        assert everyones == [EVERYONE, ConversationKey(SUPPORT, WRITER), PLACE]

    async def test_the_conversation_that_was_used_last_is_listed_first(self, store: Stores) -> None:
        names = [ConversationId(name) for name in ("a", "b", "c")]
        for number, name in enumerate((*names, names[0])):
            await append(store, accepted(number, conversation=name))
        assert [view.place.conversation.value for view in await listed(store)] == ["a", "c", "b"]

    @pytest.mark.parametrize("limit", [1, 2, 3, 7, 8])
    async def test_pages_together_list_every_conversation_once(
        self, store: Stores, limit: int
    ) -> None:
        names = [ConversationId(f"chat-{number}") for number in range(7)]
        for number, name in enumerate(names):
            message = accepted(number, conversation=name)
            await append(store, evolve(message, at=NOON, shared=number % 2 == 0))
        seen: list[ConversationView] = []
        last: ConversationView | None = None
        while page := await listed(store, None, last, limit):
            assert len(page) <= limit
            seen += page
            last = page[-1]
        assert len(seen) == 7
        assert {view.place.conversation for view in seen} == set(names)

    async def test_conversations_of_one_identity_are_found_by_it(self, store: Stores) -> None:
        for message in (accepted(1), accepted(2, WRITER), shared(accepted(3))):
            await append(store, message)
        await append(store, accepted(4, GREETER, ConversationId("another")))
        named = done(await store.conversations.named(SUPPORT))
        places = {ConversationKey(SUPPORT, agent) for agent in (GREETER, WRITER, None)}
        assert {view.place for view in named} == places
        assert list(done(await store.conversations.named(ConversationId("no-such")))) == []

    async def test_messages_come_with_all_that_was_said_oldest_first(self, store: Stores) -> None:
        first, second, third = (accepted(number) for number in (1, 2, 3))
        await append(store, first, second, third)
        await append(store, cancelled(second))
        call = ToolCall("call_1", ToolName("files.read"), JsonObject("{}"))
        said = (
            UserMessage(first.text),
            AssistantMessage("", (call,)),
            ToolMessage(ToolSucceeded("call_1", "found")),
            AssistantMessage("Answer"),
        )
        await append(store, ended := answered(first, *said))
        found = await exchanges(store)
        assert [one.message.accepted for one in found] == [first, second, third]
        assert [one.said for one in found] == [said, (), ()]
        assert isinstance(found[0].message.outcome, Answered)
        assert found[0].message.ended == ended.at
        assert found[2].message == StoredMessage(third)

    async def test_messages_are_read_page_by_page_and_of_their_place_alone(
        self, store: Stores
    ) -> None:
        for number in range(5):
            await append(store, accepted(number), shared(accepted(10 + number)))
        read: list[Exchange] = []
        while page := await exchanges(
            store, limit=2, after=read[-1].message.accepted.message if read else None
        ):
            read += page
        assert [one.message.accepted for one in read] == [accepted(number) for number in range(5)]

    async def test_a_reset_leaves_the_messages_readable(self, store: Stores) -> None:
        await exchange(store, accepted(1))
        await reset(store)
        assert [one.said for one in await exchanges(store)] == [answered(accepted(1)).said]

    async def test_nothing_is_left_of_a_conversation_that_is_forgotten(self, store: Stores) -> None:
        await exchange(store, evolve(accepted(1), key="key"))
        await exchange(store, accepted(2), summary=Summary("Of 1", 1))
        assert await forget(store)
        assert await past(store) == NOTHING
        assert await listed(store) == []
        assert await find(store, accepted(1)) is None
        assert done(await store.journal.keyed(GREETER, "key")) is None
        assert not await forget(store)

    async def test_forgetting_a_conversation_touches_no_other(self, store: Stores) -> None:
        await exchange(store, accepted(1))
        await exchange(store, shared(accepted(2)))
        await exchange(store, accepted(3, WRITER))
        await forget(store)
        assert questions(await past(store, EVERYONE)) == [2]
        assert questions(await past(store, ConversationKey(SUPPORT, WRITER))) == [3]

    async def test_a_message_at_work_outlives_its_conversation(self, store: Stores) -> None:
        await exchange(store, accepted(1))
        await append(store, accepted(2))
        assert await forget(store)
        assert [one.accepted for one in await unfinished(store)] == [accepted(2)]
        await append(store, answered(accepted(2)))
        assert questions(await past(store)) == [2]
        assert [view.messages for view in await listed(store)] == [1]

    async def test_a_conversation_that_is_forgotten_can_begin_again(self, store: Stores) -> None:
        await exchange(store, accepted(1), summary=Summary("Before", 0))
        await forget(store)
        await exchange(store, accepted(2))
        assert await past(store, since=EARLIER) == Past(answered(accepted(2)).said)
        assert [view.messages for view in await listed(store)] == [1]
