"""What is remembered of conversations, for how long, and in how much memory."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from caxton_adapters.runtime.conversations import OVERHEAD, Conversations
from caxton_core.conversation.message import UserMessage
from caxton_core.primitives import AgentId, ConversationId

AGENT = AgentId("11111111-1111-4111-8111-111111111111")
OTHER = AgentId("22222222-2222-4222-8222-222222222222")
ONE, TWO = ConversationId("one"), ConversationId("two")
HELLO, BYE = UserMessage("Hello"), UserMessage("Bye")
DAY = 86_400.0


def test_a_conversation_goes_on_until_it_was_idle_for_too_long() -> None:
    kept = Conversations(10_000)
    kept.add(AGENT, ONE, (HELLO,), now=0.0, idle=10.0)
    assert kept.history(AGENT, ONE, now=10.0, idle=10.0) == (HELLO,)
    assert kept.history(AGENT, ONE, now=20.0, idle=10.0) == (HELLO,)
    assert kept.history(AGENT, ONE, now=30.1, idle=10.0) == ()
    assert kept.bytes == 0


def test_a_conversation_that_was_forgotten_begins_anew() -> None:
    kept = Conversations(10_000)
    kept.add(AGENT, ONE, (HELLO,), now=0.0, idle=10.0)
    kept.history(AGENT, ONE, now=11.0, idle=10.0)
    kept.add(AGENT, ONE, (BYE,), now=11.0, idle=10.0)
    assert kept.history(AGENT, ONE, now=11.0, idle=10.0) == (BYE,)


def test_a_turn_that_lasts_longer_than_the_idle_time_keeps_its_conversation() -> None:
    kept = Conversations(10_000)
    kept.add(AGENT, ONE, (HELLO,), now=0.0, idle=10.0)
    kept.history(AGENT, ONE, now=5.0, idle=10.0)
    kept.add(AGENT, ONE, (BYE,), now=50.0, idle=10.0)
    assert kept.history(AGENT, ONE, now=50.0, idle=10.0) == (HELLO, BYE)


def test_idle_conversations_make_room_before_they_are_asked_for() -> None:
    kept = Conversations(10_000)
    kept.add(AGENT, ONE, (HELLO,), now=0.0, idle=10.0)
    kept.add(AGENT, TWO, (HELLO,), now=11.0, idle=10.0)
    assert kept.bytes == len("Hello") + OVERHEAD


def test_beyond_the_bound_the_conversation_used_least_lately_is_forgotten() -> None:
    kept = Conversations(2 * (OVERHEAD + len("Hello")))
    for conversation in (ONE, TWO):
        kept.add(AGENT, conversation, (HELLO,), now=0.0, idle=DAY)
    kept.history(AGENT, ONE, now=1.0, idle=DAY)
    kept.add(OTHER, ONE, (HELLO,), now=2.0, idle=DAY)
    assert kept.history(AGENT, TWO, now=2.0, idle=DAY) == ()
    assert kept.history(AGENT, ONE, now=2.0, idle=DAY) == (HELLO,)


uses = st.lists(
    st.tuples(st.sampled_from([AGENT, OTHER]), st.integers(0, 9), st.integers(0, 20), st.text()),
    max_size=60,
)


@given(uses)
def test_the_bytes_are_those_of_what_is_kept(
    told: Sequence[tuple[AgentId, int, int, str]],
) -> None:
    kept, now = Conversations(4_000), 0.0
    for agent, number, later, text in told:
        now += later
        conversation = ConversationId(f"c{number}")
        kept.history(agent, conversation, now=now, idle=30.0)
        kept.add(agent, conversation, (UserMessage(text),), now=now, idle=30.0)
        assert kept.bytes <= max(kept.most_bytes, _size(kept, agent, conversation, now))
    for agent in (AGENT, OTHER):
        kept.forget_agent(agent)
    assert kept.bytes == 0


def _size(kept: Conversations, agent: AgentId, conversation: ConversationId, now: float) -> int:
    history = kept.history(agent, conversation, now=now, idle=30.0)
    return sum(
        OVERHEAD + len(message.text.encode())
        for message in history
        if isinstance(message, UserMessage)
    )
