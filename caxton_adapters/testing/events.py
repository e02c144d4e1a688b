"""What everyone promises to whom events are told; subclass it and give a `recorder` fixture."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from anyio import create_task_group
from attrs import frozen

from caxton_core.events import AgentStarted, Event
from caxton_core.ports import Events
from caxton_core.primitives import AgentId

LONG_AGO = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@frozen
class Recorder:
    """Someone to tell events to, and how to read what was heard."""

    events: Events
    heard: Callable[[], Sequence[Event]]


def happening(number: int) -> Event:
    """An event unlike those of other numbers."""
    agent = AgentId(f"00000000-0000-4000-8000-{number:012d}")
    return AgentStarted(agent, LONG_AGO + timedelta(seconds=number), "a test")


class EventsContract:
    """A test class for an implementation of the port."""

    @pytest.fixture
    def recorder(self) -> Recorder:
        raise NotImplementedError

    @pytest.fixture(autouse=True)
    def anyio_backend(self) -> str:
        return "asyncio"

    def test_what_was_told_is_heard_in_order(self, recorder: Recorder) -> None:
        events = [happening(number) for number in range(10)]
        for event in events:
            recorder.events.tell(event)
        assert list(recorder.heard()) == events

    def test_events_of_one_call_keep_their_order(self, recorder: Recorder) -> None:
        events = [happening(number) for number in (3, 1, 2)]
        recorder.events.tell(*events)
        assert list(recorder.heard()) == events

    def test_the_same_event_twice_is_heard_twice(self, recorder: Recorder) -> None:
        recorder.events.tell(happening(1), happening(1))
        assert list(recorder.heard()) == [happening(1)] * 2

    def test_telling_nothing_is_heard_as_nothing(self, recorder: Recorder) -> None:
        recorder.events.tell()
        assert list(recorder.heard()) == []

    async def test_those_who_tell_at_once_lose_nothing(self, recorder: Recorder) -> None:
        async def tell(event: Event) -> None:
            recorder.events.tell(event, event)

        async with create_task_group() as tasks:
            for number in range(20):
                tasks.start_soon(tell, happening(number))
        heard = recorder.heard()
        pairs = zip(heard[::2], heard[1::2], strict=True)
        assert all(first == second for first, second in pairs)
        assert set(heard) == {happening(number) for number in range(20)}
