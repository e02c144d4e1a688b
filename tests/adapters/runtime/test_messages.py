"""What is remembered of messages that ended: bounded in number and in text."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from caxton_adapters.runtime.messages import Messages
from caxton_adapters.runtime.ticket import Incoming, Ticket
from caxton_core.conversation.model import FinishReason
from caxton_core.conversation.outcome import Answered
from caxton_core.limits import Usage
from caxton_core.primitives import AgentId, AgentName, ConversationId, MessageId

AGENT = AgentId("00000000-0000-4000-8000-000000000001")
NOW = datetime(2026, 1, 2, tzinfo=UTC)


def asked(number: int, text: str) -> Ticket:
    message, conversation = MessageId(f"msg_{number}"), ConversationId(f"conv_{number}")
    incoming = Incoming(text, key=f"key-{number}")
    return Ticket(number, message, conversation, AGENT, AgentName("greeter"), incoming, NOW, 0.0)


@given(st.integers(1, 5), st.integers(1, 50), st.lists(st.integers(0, 60), max_size=20))
def test_the_newest_are_remembered_as_far_as_there_is_room(
    most: int, room: int, lengths: list[int]
) -> None:
    messages = Messages(most, room)
    tickets = [asked(number, "x" * length) for number, length in enumerate(lengths)]
    for ticket in tickets:
        messages.keep(ticket)
        ticket.end(Answered("yes", FinishReason.STOP, "model", Usage()))
        messages.ended(ticket)
    kept = [ticket for ticket in tickets if messages.get(ticket.message.value) is ticket]
    assert kept == tickets[len(tickets) - len(kept) :]
    assert bool(kept) == bool(tickets)
    assert [messages.with_key(AGENT, each.incoming.key) for each in kept] == kept
    assert messages.characters == sum(ticket.characters for ticket in kept)
    assert len(kept) <= most
    assert messages.characters <= room or len(kept) == 1
    assert messages.in_flight == 0
