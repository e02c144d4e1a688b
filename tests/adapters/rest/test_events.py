"""Events: heard as they happen, gone on with, and never waited for."""

import json
from datetime import UTC, datetime

import anyio
import anyio.lowlevel
import pytest
from hypothesis import given
from hypothesis import strategies as st

from caxton_adapters.rest.event_body import named
from caxton_adapters.rest.events import Written
from caxton_adapters.rest.settings import RestSettings
from caxton_adapters.runtime.feed import Dropped, EventFeed, Told
from caxton_core.events import AgentStarted
from caxton_core.primitives import AgentId
from tests.adapters.rest.conftest import Served, events_of, serving, until
from tests.waiting import PATIENCE

STARTED = AgentStarted(
    AgentId("0192f0c1-2d3e-7a4b-8c5d-6e7f80910a1b"), datetime(2026, 11, 22, tzinfo=UTC), "test"
)


async def heard(server: Served, last: str, headers: dict[str, str]) -> str:
    """What is heard until an event of this name."""
    text = ""
    async with server.client.stream("GET", "/events", headers=headers) as answer:
        with anyio.fail_after(PATIENCE):
            async for piece in answer.aiter_text():
                text += piece
                if f"event: {last}\n" in text and text.endswith("\n\n"):
                    return text
    return text


async def test_what_happened_is_heard_from_a_number_on(server: Served) -> None:
    await server.client.post("/agents/greeter/message", json={"text": "a secret"})
    await server.client.post("/agents/greeter/stop")
    text = await heard(server, "agent-stopped", {"last-event-id": "0"})
    names = [name for name, _ in events_of(text)]
    assert names[:2] == ["agent-loaded", "agent-started"]
    assert "message-accepted" in names
    assert names[-1] == "agent-stopped"
    assert "a secret" not in text
    assert "\nid: 1\nevent: agent-loaded\n" in text


async def test_events_come_as_they_happen(server: Served) -> None:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(heard, server, "agent-stopped", {})
        await until(lambda: server.feed.listeners)
        await server.client.post("/agents/greeter/stop")


async def test_a_listener_that_leaves_is_forgotten(server: Served) -> None:
    await heard(server, "agent-started", {"last-event-id": "0"})
    await until(lambda: not server.feed.listeners)


async def test_only_so_many_may_listen() -> None:
    async with serving(settings=RestSettings(max_event_streams=0)) as server:
        answer = await server.client.get("/events")
    assert (answer.status_code, answer.json()["code"]) == (503, "CX3020")


async def test_listeners_are_told_that_the_server_stops(server: Served) -> None:
    text: list[str] = []

    async def listen() -> None:
        text.append(await heard(server, "shutdown", {}))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(listen)
        await until(lambda: server.feed.listeners)
        server.server.stop("a test")
    assert events_of(text[0])[-1] == ("shutdown", "{}")


async def test_who_was_away_for_too_long_is_told_what_is_missing(server: Served) -> None:
    server.feed.tell(*[STARTED] * 2000)
    text = await heard(server, "missed", {"last-event-id": "7"})
    assert events_of(text)[0] == ("missed", '{"after":7,"first":979}')


def test_an_event_is_written_out_once_for_all_who_listen() -> None:
    written = Written()
    first = written.of(Told(1, STARTED))
    assert written.of(Told(1, STARTED)) is first
    assert first.startswith(b"id: 1\nevent: agent-started\ndata: {")
    for number in range(2, 2000):
        written.of(Told(number, STARTED))
    assert len(written) < 1000


async def test_a_slow_listener_is_dropped_and_told() -> None:
    feed = EventFeed()
    slow = feed.listen()
    for _ in range(1000):
        feed.tell(STARTED)
    news = [each async for each in slow.news()]
    assert isinstance(news[-1], Dropped)
    assert [each.number for each in news if isinstance(each, Told)] == list(range(1, len(news)))
    assert feed.listeners == 0


@given(st.integers(0, 3000), st.integers(0, 3000))
def test_a_listener_misses_nothing_that_is_kept(told: int, after: int) -> None:
    feed = EventFeed()
    for _ in range(told):
        feed.tell(STARTED)
    listener = feed.listen(after)
    feed.end()

    async def numbers() -> list[int]:
        return [each.number async for each in listener.news() if isinstance(each, Told)]

    first = max(after + 1 if after <= told else 1, told - 1024 + 1)
    assert anyio.run(numbers) == list(range(first, told + 1))


def test_an_event_has_one_line_of_json() -> None:
    name, body = named(STARTED)
    assert name == b"agent-started"
    assert body.cause == "test"
    assert json.loads(json.dumps(body.at)).startswith("2026-11-22T00:00:00")


@pytest.mark.parametrize("last", ["x", "-1", "9" * 30, ""])
async def test_a_malformed_number_begins_with_now(server: Served, last: str) -> None:
    async with server.client.stream("GET", "/events", headers={"last-event-id": last}) as answer:
        with anyio.fail_after(PATIENCE):
            first = await anext(answer.aiter_lines())
    assert first == ": keep-alive"
