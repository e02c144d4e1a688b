"""Order within a conversation, fairness between them, and never more than allowed."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from caxton_adapters.runtime.mailbox import Mailbox
from caxton_adapters.runtime.ticket import Incoming, Ticket
from caxton_core.primitives import AgentId, AgentName, ConversationId, MessageId
from tests.acceptance.criteria import criterion

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def ticket(number: int, conversation: str) -> Ticket:
    return Ticket(
        number,
        MessageId(f"msg_{number}"),
        ConversationId(conversation),
        AgentId("00000000-0000-4000-8000-000000000001"),
        AgentName("greeter"),
        Incoming("Hello"),
        NOW,
        0.0,
    )


@criterion("STORY-005.4")
@given(
    st.integers(1, 4),
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from(["put", "end", "withdraw", "widen"]))
    ),
)
def test_whatever_comes_the_order_of_each_conversation_holds(
    abreast: int, happenings: list[tuple[str, str]]
) -> None:
    begun: list[Ticket] = []
    mailbox = Mailbox(1000, abreast, begun.append)
    put: list[Ticket] = []
    withdrawn: list[Ticket] = []
    for number, (conversation, what) in enumerate(happenings):
        waiting = [t for t in put if t not in begun and t not in withdrawn]
        if what == "put":
            put.append(ticket(number, conversation))
            mailbox.put(put[-1])
        elif what == "end" and mailbox.running:
            mailbox.ended(next(iter(mailbox.running.values())))
        elif what == "withdraw" and waiting:
            withdrawn.append(waiting[len(waiting) // 2])
            mailbox.withdraw(withdrawn[-1])
        elif what == "widen":
            mailbox.let_run(mailbox.abreast + 1)
        assert len(mailbox.running) <= mailbox.abreast
        assert mailbox.waiting == len(put) - len(begun) - len(withdrawn)
    while mailbox.running:
        mailbox.ended(next(iter(mailbox.running.values())))
    assert mailbox.waiting == 0
    for conversation in "abc":
        expected = [t for t in put if _of(t, conversation) and t not in withdrawn]
        assert [t for t in begun if _of(t, conversation)] == expected


def test_the_one_that_waits_longest_goes_first() -> None:
    begun: list[Ticket] = []
    mailbox = Mailbox(10, 1, begun.append)
    tickets = [ticket(1, "a"), ticket(2, "b"), ticket(3, "c")]
    for waiting in tickets:
        mailbox.put(waiting)
    mailbox.ended(tickets[0])
    mailbox.ended(tickets[1])
    assert begun == tickets


def test_a_full_mailbox_says_so() -> None:
    mailbox = Mailbox(1, 1, lambda _: None)
    mailbox.put(ticket(1, "a"))
    assert not mailbox.full
    mailbox.put(ticket(2, "a"))
    assert mailbox.full


def test_a_wider_mailbox_begins_at_once_what_waits() -> None:
    begun: list[Ticket] = []
    mailbox = Mailbox(10, 1, begun.append)
    tickets = [ticket(1, "a"), ticket(2, "b"), ticket(3, "b")]
    for each in tickets:
        mailbox.put(each)
    mailbox.let_run(3)
    assert begun == tickets[:2]


def test_emptying_gives_back_what_waits_and_keeps_what_runs() -> None:
    mailbox = Mailbox(10, 1, lambda _: None)
    first, second = ticket(1, "a"), ticket(2, "a")
    mailbox.put(first)
    mailbox.put(second)
    assert mailbox.empty() == (second,)
    assert list(mailbox.running.values()) == [first]
    mailbox.ended(first)


def _of(ticket: Ticket, conversation: str) -> bool:
    return ticket.conversation.value == conversation
