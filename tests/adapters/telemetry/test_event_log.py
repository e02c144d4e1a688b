"""Every message that ends writes a line, which says how, after how long, and for whose request."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TypeAlias, final

import pytest
from attrs import define, field

from caxton_adapters.runtime.feed import EventFeed
from caxton_adapters.telemetry.event_log import LoggedEvents
from caxton_adapters.testing.events import EventsContract, Recorder
from caxton_core.conversation.model import FinishReason, Unreachable
from caxton_core.conversation.outcome import (
    AgentCrashed,
    AgentGone,
    Answered,
    DeadLettered,
    NotAnswered,
    Outcome,
    OutcomeUnknown,
)
from caxton_core.conversation.turn import (
    Cancelled,
    DeadlinePassed,
    ModelFailed,
    OutOfOrder,
)
from caxton_core.events import AgentFailed, MessageAccepted, MessageEnded
from caxton_core.limits import Usage
from caxton_core.primitives import AgentId, ConversationId, MessageId
from tests.fakes import Heard

AGENT = AgentId("00000000-0000-4000-8000-000000000001")
MESSAGE = MessageId("msg_1")
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
ACCEPTED = MessageAccepted(AGENT, NOON, MESSAGE, ConversationId("conv_1"), "a secret")
Line: TypeAlias = tuple[str, str, Mapping[str, object]]


@final
@define
class Lines:
    """A log that keeps its lines."""

    written: list[Line] = field(factory=list)

    def debug(self, event: str, **facts: object) -> None:
        self.written.append(("debug", event, facts))

    def info(self, event: str, **facts: object) -> None:
        self.written.append(("info", event, facts))

    def warning(self, event: str, **facts: object) -> None:
        self.written.append(("warning", event, facts))

    def error(self, event: str, **facts: object) -> None:
        self.written.append(("error", event, facts))


class TestLoggedEvents(EventsContract):
    @pytest.fixture
    def recorder(self) -> Recorder:
        heard = Heard()
        logged = LoggedEvents(heard, Lines(), repr)
        return Recorder(logged, lambda: heard.events)


def ended(outcome: Outcome, after: float = 2.5) -> MessageEnded:
    return MessageEnded(AGENT, NOON + timedelta(seconds=after), MESSAGE, outcome)


def last_line(outcome: Outcome) -> Line:
    """What is logged when a message ends so."""
    lines = Lines()
    logged = LoggedEvents(EventFeed(), lines, lambda _: "CX4099", lambda: "request-7")
    logged.tell(ACCEPTED)
    logged.tell(ended(outcome))
    return lines.written[-1]


@pytest.mark.parametrize(
    ("outcome", "level", "name"),
    [
        (Answered("a secret", FinishReason.STOP, "m", Usage()), "debug", "message.answered"),
        (NotAnswered(Cancelled()), "info", "message.cancelled"),
        (NotAnswered(DeadlinePassed()), "warning", "message.failed"),
        (NotAnswered(ModelFailed(Unreachable("x", "y"))), "warning", "message.failed"),
        (NotAnswered(AgentGone("it was stopped")), "warning", "message.failed"),
        (NotAnswered(OutcomeUnknown(())), "warning", "message.failed"),
        (NotAnswered(DeadLettered(5)), "error", "message.dead_lettered"),
        (NotAnswered(AgentCrashed("KeyError: 'x'")), "error", "message.failed"),
        (NotAnswered(OutOfOrder("a", "b")), "error", "message.failed"),
    ],
)
def test_however_a_message_ends_a_line_says_so(outcome: Outcome, level: str, name: str) -> None:
    written, event, facts = last_line(outcome)
    assert (written, event) == (level, name)
    assert facts["message"] == "msg_1"
    assert facts["agent"] == AGENT.value
    assert facts["seconds"] == 2.5
    assert facts["request_id"] == "request-7"
    assert "a secret" not in repr(facts)


def test_a_message_that_failed_has_the_code_that_the_api_tells() -> None:
    _, _, facts = last_line(NotAnswered(DeadlinePassed()))
    assert (facts["code"], facts["why"]) == ("CX4099", "DeadlinePassed")


def test_a_defect_says_what_it_was() -> None:
    assert last_line(NotAnswered(AgentCrashed("KeyError: 'x'")))[2]["reason"] == "KeyError: 'x'"


def test_a_message_of_an_earlier_run_ends_without_a_duration() -> None:
    lines = Lines()
    LoggedEvents(EventFeed(), lines, lambda _: "CX4099").tell(ended(NotAnswered(DeadLettered(5))))
    facts = {"agent": AGENT.value, "message": "msg_1", "attempts": 5}
    assert lines.written == [("error", "message.dead_lettered", facts)]


def test_nothing_is_remembered_of_a_message_that_ended() -> None:
    logged = LoggedEvents(EventFeed(), Lines(), repr)
    for _ in range(3):
        logged.tell(ACCEPTED)
        assert len(logged._begun) == 1
        logged.tell(ended(NotAnswered(Cancelled())))
        assert not logged._begun


def test_an_agent_that_failed_is_an_error() -> None:
    lines = Lines()
    logged = LoggedEvents(EventFeed(), lines, repr)
    logged.tell(AgentFailed(AGENT, NOON, "it died", "out of memory"))
    facts = {"agent": AGENT.value, "reason": "out of memory"}
    assert lines.written == [("error", "agent.failed", facts)]
