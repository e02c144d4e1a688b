"""The feed hears events and tells those who listen; a slow listener loses, nobody waits."""

from datetime import UTC, datetime

import anyio
import pytest

from caxton_adapters.runtime.feed import Dropped, EventFeed, Listener, Missed, News, Told
from caxton_adapters.testing.events import EventsContract, Recorder, happening
from caxton_core.events import Event, MessageAccepted
from caxton_core.primitives import AgentId, ConversationId, MessageId
from tests.waiting import PATIENCE

AGENT = AgentId("00000000-0000-4000-8000-000000000001")
LONG_AGO = datetime(2026, 1, 2, tzinfo=UTC)


def heard(listener: Listener) -> list[News]:
    """What waits for the listener."""
    return list(listener._queue)


def kept(feed: EventFeed) -> list[Event]:
    return [news.event for news in heard(feed.listen(after=0)) if isinstance(news, Told)]


class TestFeed(EventsContract):
    @pytest.fixture
    def recorder(self) -> Recorder:
        feed = EventFeed()
        return Recorder(feed, lambda: kept(feed))


def test_who_listens_hears_what_happens_from_then_on() -> None:
    feed = EventFeed()
    feed.tell(happening(1))
    listener = feed.listen()
    feed.tell(happening(2))
    assert heard(listener) == [Told(2, happening(2))]


@pytest.mark.parametrize(("after", "numbers"), [(0, [1, 2, 3]), (2, [3]), (3, [])])
def test_who_was_away_hears_what_was_missed(after: int, numbers: list[int]) -> None:
    feed = EventFeed()
    feed.tell(*map(happening, (1, 2, 3)))
    told = heard(feed.listen(after))
    assert [news.number for news in told if isinstance(news, Told)] == numbers


def test_who_was_away_for_too_long_is_told_what_is_missing() -> None:
    feed = EventFeed()
    feed.tell(*map(happening, range(2000)))
    missed, *told = heard(feed.listen(after=10))
    assert missed == Missed(after=10, first=977)
    assert [news.number for news in told if isinstance(news, Told)] == list(range(977, 2001))


def test_who_knows_an_earlier_run_of_the_server_hears_that_it_is_over() -> None:
    feed = EventFeed()
    assert heard(feed.listen(after=99)) == [Missed(after=99, first=1)]
    feed.tell(happening(1))
    assert heard(feed.listen(after=99)) == [Missed(after=99, first=1), Told(1, happening(1))]


def test_what_long_texts_would_take_is_forgotten_sooner() -> None:
    feed = EventFeed(most_bytes=100)
    long = MessageAccepted(AGENT, LONG_AGO, MessageId("msg_1"), ConversationId("conv_1"), "x" * 40)
    feed.tell(happening(1), long, long, happening(2))
    assert kept(feed) == [happening(1), long, long, happening(2)]
    feed.tell(long)
    assert kept(feed) == [long, happening(2), long]


def test_who_has_much_to_catch_up_with_is_not_slow_yet() -> None:
    feed = EventFeed()
    feed.tell(*map(happening, range(1000)))
    listener = feed.listen(after=0)
    feed.tell(*map(happening, range(200)))
    assert len(heard(listener)) == 1200


async def test_a_slow_listener_is_dropped_and_told_so() -> None:
    feed = EventFeed()
    listener = feed.listen()
    for number in range(1000):
        feed.tell(happening(number))
    assert feed.listeners == 0
    with anyio.fail_after(PATIENCE):
        assert [news async for news in listener.news()][-1] == Dropped()


async def test_the_end_of_the_feed_is_the_end_of_listening() -> None:
    feed = EventFeed()
    listener = feed.listen()
    feed.tell(happening(1))
    feed.end()
    with anyio.fail_after(PATIENCE):
        assert [news async for news in listener.news()] == [Told(1, happening(1))]
    assert feed.listeners == 0
