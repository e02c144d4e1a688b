"""What is at hand of conversations, for how long, and in how much memory."""

from collections.abc import Sequence
from datetime import UTC, datetime

import anyio
import pytest
from attrs import field, frozen
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Result, Success

from caxton_adapters.journal.in_memory import InMemoryJournal
from caxton_adapters.runtime.pasts import OVERHEAD, Pasts, with_recalled
from caxton_core.conversation.message import AssistantMessage, Message, UserMessage
from caxton_core.conversation.model import FinishReason
from caxton_core.conversation.outcome import Answered
from caxton_core.conversation.past import NOTHING, ConversationKey, Past, Summary
from caxton_core.events import MessageAccepted, MessageEnded
from caxton_core.limits import Usage
from caxton_core.ports import Conversations
from caxton_core.primitives import AgentId, ConversationId, MessageId
from caxton_core.storage import NotRead

TODAY = datetime(2026, 1, 2, tzinfo=UTC)
AGENT = AgentId("11111111-1111-4111-8111-111111111111")
ONE = ConversationKey(ConversationId("one"), AGENT)
TWO = ConversationKey(ConversationId("two"), AGENT)
SHARED = ConversationKey(ConversationId("shared"), None)
DAY = 86_400.0


def exchange(text: str) -> tuple[Message, ...]:
    return UserMessage(text), AssistantMessage(f"you said: {text}")


class Conversation:
    """Says something in a conversation, in the store and in the pasts at hand."""

    def __init__(self, most_bytes: int = 1_000_000) -> None:
        self.journal = InMemoryJournal()
        self.pasts = Pasts(self.journal.conversations, most_bytes)
        self.said = 0

    async def store(self, place: ConversationKey, text: str) -> None:
        """Say it in the store alone."""
        self.said += 1
        message = MessageId(f"msg_{self.said}")
        agent = place.agent or AGENT
        shared = place.agent is None
        conversation = place.conversation
        accepted = MessageAccepted(agent, TODAY, message, conversation, text, shared=shared)
        outcome = Answered(f"you said: {text}", FinishReason.STOP, "", Usage())
        ended = MessageEnded(agent, TODAY, message, outcome, exchange(text))
        assert isinstance(await self.journal.append(accepted, ended), Success)

    async def say(self, place: ConversationKey, text: str, now: float, idle: float = DAY) -> None:
        """Say it as a turn does: look at the past, then add to it."""
        await self.past(place, now, idle)
        await self.store(place, text)
        self.pasts.add(place, exchange(text), None, now=now, idle=idle)

    async def past(
        self, place: ConversationKey, now: float, idle: float = DAY, at_most: int | None = None
    ) -> Past:
        read = await self.pasts.of(place, at_most=at_most, now=now, today=TODAY, idle=idle)
        assert isinstance(read, Success)
        return read.unwrap()


@frozen
class SlowlyRead:
    """A store that has read, and takes its time to tell."""

    store: Conversations
    asked: anyio.Event = field(factory=anyio.Event)
    goes_on: anyio.Event = field(factory=anyio.Event)

    async def past(
        self, place: ConversationKey, *, at_most: int | None, since: datetime
    ) -> Result[Past, NotRead]:
        read = await self.store.past(place, at_most=at_most, since=since)
        self.asked.set()
        await self.goes_on.wait()
        return read


async def test_what_is_at_hand_is_what_is_stored() -> None:
    kept = Conversation()
    for number in range(5):
        await kept.say(ONE, str(number), now=float(number))
    at_hand = await kept.past(ONE, now=5.0)
    kept.pasts.forget(ONE)
    assert await kept.past(ONE, now=5.0) == at_hand
    assert at_hand.messages == sum((exchange(str(number)) for number in range(5)), ())


async def test_a_conversation_that_nobody_used_before_is_not_looked_for() -> None:
    kept = Conversation()
    await kept.store(ONE, "never seen")
    assert kept.pasts.new(ONE, at_most=None, now=0.0, idle=DAY) == NOTHING
    assert await kept.past(ONE, now=1.0) == NOTHING


async def test_only_the_newest_exchanges_are_at_hand() -> None:
    kept = Conversation()
    await kept.past(ONE, now=0.0, at_most=2)
    for number in range(5):
        kept.pasts.add(ONE, exchange(str(number)), None, now=1.0, idle=DAY)
    newest = await kept.past(ONE, now=2.0, at_most=2)
    assert newest.messages == (*exchange("3"), *exchange("4"))


async def test_who_wants_more_than_is_at_hand_has_it_read() -> None:
    kept = Conversation()
    for text in "abc":
        await kept.store(ONE, text)
    assert len((await kept.past(ONE, now=0.0, at_most=1)).messages) == 2
    assert len((await kept.past(ONE, now=1.0, at_most=3)).messages) == 6


async def test_a_summary_takes_the_place_of_what_it_covers() -> None:
    kept = Conversation()
    for text in "abc":
        await kept.say(ONE, text, now=0.0)
    kept.pasts.add(ONE, exchange("d"), Summary("a and b", 2), now=1.0, idle=DAY)
    assert await kept.past(ONE, now=2.0) == Past((*exchange("c"), *exchange("d")), "a and b")


async def test_what_was_idle_for_too_long_is_read_again() -> None:
    kept = Conversation()
    await kept.say(ONE, "a", now=0.0, idle=10.0)
    await kept.store(ONE, "b")
    assert (await kept.past(ONE, now=10.0, idle=10.0)).messages == exchange("a")
    assert (await kept.past(ONE, now=20.1, idle=10.0)).messages == (*exchange("a"), *exchange("b"))


async def test_what_changes_while_it_is_read_is_read_again() -> None:
    kept = Conversation()
    await kept.store(ONE, "a")
    store = kept.journal.conversations
    slowly = SlowlyRead(store)
    kept.pasts.store = slowly  # type: ignore[assignment] # what it is asked for
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(kept.past, ONE, 0.0)
        await slowly.asked.wait()
        await kept.store(ONE, "b")
        kept.pasts.add(ONE, exchange("b"), None, now=0.0, idle=DAY)
        slowly.goes_on.set()
    assert (await kept.past(ONE, now=1.0)).messages == (*exchange("a"), *exchange("b"))


async def test_no_read_that_began_before_a_change_is_kept() -> None:
    kept = Conversation()
    await kept.store(SHARED, "a")
    before, after = (SlowlyRead(kept.journal.conversations) for _ in range(2))
    async with anyio.create_task_group() as tasks:
        kept.pasts.store = before  # type: ignore[assignment] # what it is asked for
        tasks.start_soon(kept.past, SHARED, 0.0)
        await before.asked.wait()
        await kept.store(SHARED, "b")
        kept.pasts.add(SHARED, exchange("b"), None, now=0.0, idle=DAY)
        kept.pasts.store = after  # type: ignore[assignment] # what it is asked for
        tasks.start_soon(kept.past, SHARED, 0.0)
        await after.asked.wait()
        before.goes_on.set()
        await anyio.wait_all_tasks_blocked()
        after.goes_on.set()
    assert (await kept.past(SHARED, now=1.0)).messages == (*exchange("a"), *exchange("b"))


async def test_what_an_agent_said_to_others_is_there_once_however_soon_they_read_it() -> None:
    kept = Conversation()
    await kept.store(SHARED, "a")
    await kept.past(SHARED, now=0.0)  # it is stored, and who said it is about to tell
    kept.pasts.add(SHARED, exchange("a"), None, now=0.0, idle=DAY)
    assert (await kept.past(SHARED, now=1.0)).messages == exchange("a")


async def test_conversations_that_come_to_nothing_are_let_go_too() -> None:
    kept = Conversation(10 * OVERHEAD)
    for number in range(20):
        place = ConversationKey(ConversationId(f"c{number}"), AGENT)
        kept.pasts.new(place, at_most=None, now=0.0, idle=DAY)
    assert kept.pasts.bytes <= 10 * OVERHEAD


async def test_beyond_the_bound_the_conversation_used_least_lately_goes() -> None:
    one_exchange = 2 * OVERHEAD + len("a" + "you said: a")
    kept = Conversation(2 * one_exchange)
    await kept.say(ONE, "a", now=0.0)
    await kept.say(TWO, "a", now=1.0)
    assert kept.pasts.bytes == 2 * one_exchange
    await kept.say(TWO, "b", now=2.0)
    assert kept.pasts.bytes < 2 * one_exchange
    assert (await kept.past(ONE, now=3.0)).messages == exchange("a")


def test_what_is_recalled_stands_beside_the_past() -> None:
    past = Past(exchange("a"))
    assert with_recalled(past, ()) is past
    assert with_recalled(past, ("b",)) == Past(exchange("a"), "", ("b",))


uses = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 20), st.text(), st.booleans()), max_size=40
)


@given(uses)
@pytest.mark.anyio
async def test_the_bytes_are_those_of_what_is_kept(
    told: Sequence[tuple[int, int, str, bool]],
) -> None:
    kept, now = Conversation(4_000), 0.0
    for number, later, text, summarised in told:
        now += later
        place = ConversationKey(ConversationId(f"c{number}"), AGENT)
        summary = Summary(text, 1) if summarised else None
        await kept.past(place, now, 30.0, at_most=3)
        kept.pasts.add(place, exchange(text), summary, now=now, idle=30.0)
    kept.pasts.forget_stored()
    assert kept.pasts.bytes == 0
