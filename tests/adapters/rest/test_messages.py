"""Messages over HTTP: whole, streamed, by and by, twice, cancelled."""

import json

import anyio
import httpx2
import pytest

from caxton_adapters.rest.settings import RestSettings
from caxton_adapters.runtime.feed import Told
from caxton_core.conversation.outcome import MessageState
from caxton_core.events import MessageAccepted
from tests.adapters.rest.conftest import SLOW, Served, events_of, serving
from tests.waiting import PATIENCE

HELLO = {"text": "Hello"}
STREAM = {"accept": "text/event-stream"}
ASYNC = {"prefer": "respond-async"}
BUSY = '[[rules]]\nfail = "rate_limited"\nretry_after = "7s"\n'


async def started(server: Served) -> str:
    """A message that is being answered, and will be for a long time."""
    accepted = await server.client.post("/agents/greeter/message", json=HELLO, headers=ASYNC)
    message: str = accepted.json()["message_id"]
    return message


async def first_accepted(server: Served) -> str:
    """The first message that the server accepts."""
    with anyio.fail_after(PATIENCE):
        async for news in server.feed.listen(after=0).news():
            if isinstance(news, Told) and isinstance(news.event, MessageAccepted):
                return news.event.message.value
    pytest.fail("the feed ended")


async def test_a_message_is_answered(server: Served) -> None:
    answer = await server.client.post("/agents/greeter/message", json=HELLO)
    assert answer.status_code == 200
    body = answer.json()
    assert body["text"] == "You said: Hello"
    assert body["agent"] == "greeter"
    assert body["finish_reason"] == "stop"
    assert body["tool_calls"] == []
    assert set(body["usage"]) == {"prompt_tokens", "completion_tokens", "cost_usd"}
    assert body["message_id"]
    assert body["conversation_id"]


async def test_an_agent_is_also_addressed_by_its_id(server: Served) -> None:
    agent = (await server.client.get("/agents/greeter")).json()
    answer = await server.client.post(f"/agents/{agent['id']}/message", json=HELLO)
    assert answer.json()["agent"] == "greeter"


async def test_json_is_read_whatever_its_content_type_says(server: Served) -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}
    answer = await server.client.post(
        "/agents/greeter/message", content=b'{"text":"Hello"}', headers=form
    )
    assert answer.json()["text"] == "You said: Hello"


async def test_a_conversation_goes_on_under_its_id(server: Served) -> None:
    mine = {**HELLO, "conversation_id": "support-42"}
    answer = await server.client.post("/agents/greeter/message", json=mine)
    assert answer.json()["conversation_id"] == "support-42"


async def test_a_stream_ends_with_the_object_that_is_answered_whole(server: Served) -> None:
    answer = await server.client.post("/agents/greeter/message", json=HELLO, headers=STREAM)
    assert answer.headers["content-type"] == "text/event-stream"
    (first, accepted), *deltas, (last, message) = events_of(answer.text)
    assert (first, last) == ("accepted", "message")
    assert {name for name, _ in deltas} == {"delta"}
    whole = json.loads(message)
    assert "".join(json.loads(data)["text"] for _, data in deltas) == whole["text"]
    assert whole["message_id"] == json.loads(accepted)["message_id"]
    assert len(deltas) > 1


async def test_a_stream_leaves_the_pieces_out_where_the_answer_is_preferred_whole(
    server: Served,
) -> None:
    headers = {**STREAM, "prefer": "whole"}
    answer = await server.client.post("/agents/greeter/message", json=HELLO, headers=headers)
    (first, _), (last, message) = events_of(answer.text)
    assert (first, last) == ("accepted", "message")
    assert json.loads(message)["text"]


async def test_a_stream_that_fails_ends_with_the_problem(server: Served) -> None:
    answer = await server.client.post(
        "/agents/greeter/message", json={"text": "boom"}, headers=STREAM
    )
    name, problem = events_of(answer.text)[-1]
    assert name == "error"
    assert json.loads(problem)["status"] == 502
    assert json.loads(problem)["request_id"] == answer.headers["x-request-id"]


async def test_a_stream_that_fails_says_when_to_come_back_as_the_plain_answer_does() -> None:
    async with serving(BUSY) as server:
        path = "/agents/greeter/message"
        plain = await server.client.post(path, json=HELLO)
        streamed = await server.client.post(path, json=HELLO, headers=STREAM)
    name, problem = events_of(streamed.text)[-1]
    assert (plain.status_code, plain.headers["retry-after"], name) == (429, "7", "error")
    assert plain.json()["retry_after"] == json.loads(problem)["retry_after"] == 7


async def test_a_silent_stream_shows_that_it_lives() -> None:
    async with serving(SLOW, RestSettings(heartbeat=0.01)) as server:
        post = server.client.stream("POST", "/agents/greeter/message", json=HELLO, headers=STREAM)
        async with post as answer:
            with anyio.fail_after(PATIENCE):
                async for line in answer.aiter_lines():
                    if line == ": keep-alive":
                        break


async def test_an_answer_can_be_fetched_later(server: Served) -> None:
    accepted = await server.client.post("/agents/greeter/message", json=HELLO, headers=ASYNC)
    assert accepted.status_code == 202
    assert accepted.headers["preference-applied"] == "respond-async"
    ticket = (await server.runtime.message(accepted.json()["message_id"])).unwrap()  # type: ignore[union-attr] # fails the test
    await ticket.done()
    later = await server.client.get(accepted.headers["location"])
    assert later.json()["status"] == "answered"
    assert later.json()["answer"]["text"] == "You said: Hello"


async def test_a_message_with_the_same_key_is_answered_once(server: Served) -> None:
    key = {"idempotency-key": "a-key"}
    first = await server.client.post("/agents/greeter/message", json=HELLO, headers=key)
    again = await server.client.post("/agents/greeter/message", json=HELLO, headers=key)
    assert again.json() == first.json()
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers


async def test_a_key_stands_for_one_message(server: Served) -> None:
    key = {"idempotency-key": "a-key"}
    await server.client.post("/agents/greeter/message", json=HELLO, headers=key)
    other = await server.client.post("/agents/greeter/message", json={"text": "Bye"}, headers=key)
    assert (other.status_code, other.json()["code"]) == (422, "CX3018")


async def test_a_malformed_key_is_refused(server: Served) -> None:
    key = {"idempotency-key": "two words"}
    answer = await server.client.post("/agents/greeter/message", json=HELLO, headers=key)
    assert (answer.status_code, answer.json()["code"]) == (400, "CX3017")


async def test_a_running_turn_is_cancelled() -> None:
    async with serving(SLOW) as server:
        message = await started(server)
        cancelled = await server.client.delete(f"/messages/{message}")
        assert cancelled.status_code == 200
        assert cancelled.json()["status"] == "cancelled"
        again = await server.client.delete(f"/messages/{message}")
        assert again.json()["status"] == "cancelled"


async def test_who_waits_for_a_cancelled_message_is_told() -> None:
    answers: list[httpx2.Response] = []

    async def wait(server: Served) -> None:
        answers.append(await server.client.post("/agents/greeter/message", json=HELLO))

    async with serving(SLOW) as server, anyio.create_task_group() as tasks:
        tasks.start_soon(wait, server)
        message = await first_accepted(server)
        await server.client.delete(f"/messages/{message}")
    assert (answers[0].status_code, answers[0].json()["code"]) == (409, "CX4021")


async def test_a_turn_ends_when_its_client_goes() -> None:
    async with serving(SLOW) as server:
        stream = server.client.stream("POST", "/agents/greeter/message", json=HELLO, headers=STREAM)
        async with stream as answer:
            lines = answer.aiter_lines()
            await anext(lines)
            accepted = json.loads((await anext(lines)).removeprefix("data: "))
            ticket = (await server.runtime.message(accepted["message_id"])).unwrap()  # type: ignore[union-attr] # fails the test
        with anyio.fail_after(PATIENCE):
            await ticket.done()
        assert ticket.state is MessageState.CANCELLED


async def test_a_turn_with_a_key_outlives_its_client() -> None:
    async with serving(SLOW) as server:
        key = {**STREAM, "idempotency-key": "a-key"}
        stream = server.client.stream("POST", "/agents/greeter/message", json=HELLO, headers=key)
        async with stream as answer:
            lines = answer.aiter_lines()
            await anext(lines)
            accepted = json.loads((await anext(lines)).removeprefix("data: "))
        health = await server.client.get("/health")
        assert health.status_code == 200
        ticket = (await server.runtime.message(accepted["message_id"])).unwrap()  # type: ignore[union-attr] # fails the test
        assert ticket.outcome is None


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "CX3001"),
        (b"{text: 1}", 400, "CX3001"),
        (b'{"text": "\xff"}', 400, "CX3001"),
        (b'{"text": "\\ud800"}', 400, "CX3001"),
        (b'{"text": "a"} b', 400, "CX3001"),
        (b'{"text": ' + b"[" * 100_000, 400, "CX3001"),
        (b'{"text": "a", "more": ' + b"[" * 100_000, 400, "CX3001"),
        (b'{"text": 1}', 422, "CX3002"),
        (b'{"text": " "}', 422, "CX3002"),
        (b'{"txt": "a"}', 422, "CX3002"),
        (b'{"text": "a", "conversation_id": "a b"}', 422, "CX3002"),
        (b'{"text": "a", "conversation_id": "a\\n"}', 422, "CX3002"),
        (b"[]", 422, "CX3002"),
    ],
)
async def test_a_broken_body_is_refused(
    server: Served, body: bytes, status: int, code: str
) -> None:
    answer = await server.client.post("/agents/greeter/message", content=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_a_wrong_member_is_named(server: Served) -> None:
    answer = await server.client.post("/agents/greeter/message", json={"text": 1})
    assert answer.json()["errors"][0]["at"] == "text"


async def test_nobody_is_asked_in_place_of_an_unknown_agent(server: Served) -> None:
    answer = await server.client.post("/agents/greter/message", json=HELLO)
    assert (answer.status_code, answer.json()["code"]) == (404, "CX4001")
    assert "Did you mean greeter?" in answer.json()["detail"]


async def test_a_stopped_agent_takes_no_messages(server: Served) -> None:
    await server.client.post("/agents/greeter/stop")
    answer = await server.client.post("/agents/greeter/message", json=HELLO)
    assert (answer.status_code, answer.json()["code"]) == (409, "CX4005")


async def test_an_unknown_message_is_not_found(server: Served) -> None:
    assert (await server.client.get("/messages/msg_0")).json()["code"] == "CX4011"
    assert (await server.client.delete("/messages/msg_0")).status_code == 404
