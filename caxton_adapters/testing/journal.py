"""What every journal promises; subclass it and give a `recorder` fixture."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from anyio import create_task_group
from attrs import frozen

from caxton_core.events import AgentStarted, Event
from caxton_core.ports import Journal
from caxton_core.primitives import AgentId

LONG_AGO = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@frozen
class Recorder:
    """A new journal, and how to read what it recorded."""

    journal: Journal
    recorded: Callable[[], Sequence[Event]]


def happening(number: int) -> Event:
    """An event unlike those of other numbers."""
    agent = AgentId(f"00000000-0000-4000-8000-{number:012d}")
    return AgentStarted(agent, LONG_AGO + timedelta(seconds=number), "a test")


class JournalContract:
    """A test class for an implementation of the port."""

    @pytest.fixture
    def recorder(self) -> Recorder:
        raise NotImplementedError

    @pytest.fixture(autouse=True)
    def anyio_backend(self) -> str:
        return "asyncio"

    async def test_what_was_appended_is_recorded_in_order(self, recorder: Recorder) -> None:
        events = [happening(number) for number in range(10)]
        for event in events:
            await recorder.journal.append(event)
        assert list(recorder.recorded()) == events

    async def test_events_of_one_call_keep_their_order(self, recorder: Recorder) -> None:
        events = [happening(number) for number in (3, 1, 2)]
        await recorder.journal.append(*events)
        assert list(recorder.recorded()) == events

    async def test_the_same_event_twice_is_recorded_twice(self, recorder: Recorder) -> None:
        await recorder.journal.append(happening(1), happening(1))
        assert list(recorder.recorded()) == [happening(1)] * 2

    async def test_appending_nothing_records_nothing(self, recorder: Recorder) -> None:
        await recorder.journal.append()
        assert list(recorder.recorded()) == []

    async def test_those_who_append_at_once_lose_nothing(self, recorder: Recorder) -> None:
        async def append(event: Event) -> None:
            await recorder.journal.append(event, event)

        async with create_task_group() as tasks:
            for number in range(20):
                tasks.start_soon(append, happening(number))
        recorded = recorder.recorded()
        pairs = zip(recorded[::2], recorded[1::2], strict=True)
        assert all(first == second for first, second in pairs)
        assert set(recorded) == {happening(number) for number in range(20)}
