"""Messages that were accepted, over HTTP: listed by what became of them, and tried again."""

from typing import Any

import pytest

from caxton_core.conversation.outcome import NotAnswered
from tests.adapters.rest.conftest import GREETER, SLOW, Served, serving

ASYNC = {"prefer": "respond-async"}


async def sent(server: Served, text: str, talk: str = "talk", agent: str = "greeter") -> Any:
    body = {"text": text, "conversation_id": talk}
    return (await server.client.post(f"/agents/{agent}/message", json=body)).json()


async def listed(server: Served, query: str = "") -> list[Any]:
    answer = await server.client.get(f"/messages?{query}")
    assert answer.status_code == 200, answer.text
    messages: list[Any] = answer.json()["messages"]
    return messages


async def test_messages_are_listed_the_newest_first(server: Served) -> None:
    for text in ("one", "boom", "three"):
        await sent(server, text)
    messages = await listed(server)
    assert [(one["text"], one["status"]) for one in messages] == [
        ("three", "answered"),
        ("boom", "failed"),
        ("one", "answered"),
    ]
    assert messages[0]["answer"]["text"] == "You said: three"
    assert messages[0]["accepted"] >= messages[2]["accepted"]


@pytest.mark.parametrize(
    ("query", "texts"),
    [
        ("state=failed", ["boom"]),
        ("state=failed&state=answered&conversation=a", ["boom", "one"]),
        ("conversation=b", ["two"]),
        ("conversation=b&agent=helper", []),
        ("conversation=none", []),
        ("agent=helper", ["three"]),
        ("state=running", []),
    ],
)
async def test_messages_are_listed_as_far_as_they_fit(
    server: Served, query: str, texts: list[str]
) -> None:
    await server.client.post("/agents", content=GREETER.replace("greeter", "helper"))
    for text, talk, agent in (
        ("one", "a", "greeter"),
        ("two", "b", "greeter"),
        ("boom", "a", "greeter"),
        ("three", "c", "helper"),
    ):
        await sent(server, text, talk, agent)
    assert [one["text"] for one in await listed(server, query)] == texts


async def test_pages_of_messages_together_have_every_one_once(server: Served) -> None:
    for number in range(5):
        await sent(server, f"text {number}")
    found, cursor = list[str](), ""
    while True:
        page = (await server.client.get(f"/messages?limit=2{cursor}")).json()
        found += [one["text"] for one in page["messages"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert found == [f"text {number}" for number in reversed(range(5))]


async def test_what_waits_is_told_from_what_is_answered() -> None:
    async with serving(SLOW) as server:
        for _ in range(2):
            body = {"text": "Hello", "conversation_id": "talk"}
            await server.client.post("/agents/greeter/message", json=body, headers=ASYNC)
        running = await listed(server, "state=running")
        accepted = await listed(server, "state=accepted")
        assert len(running) == len(accepted) == 1


async def test_an_unknown_state_or_agent_is_refused(server: Served) -> None:
    assert (await server.client.get("/messages?state=lost")).json()["code"] == "CX3011"
    assert (await server.client.get("/messages?agent=nobody")).json()["code"] == "CX4001"


async def test_messages_of_a_deleted_agent_are_gone(server: Served) -> None:
    message = (await sent(server, "Hello"))["message_id"]
    assert (await server.client.delete("/agents/greeter")).status_code == 204
    assert await listed(server) == []
    assert (await server.client.get(f"/messages/{message}")).status_code == 404


async def test_a_failed_message_is_tried_again(server: Served) -> None:
    await sent(server, "boom")
    (failed,) = await listed(server)
    again = await server.client.post(f"/messages/{failed['message_id']}/retry")
    assert again.status_code == 202
    assert again.headers["location"] == f"/messages/{failed['message_id']}"
    ticket = (await server.runtime.message(failed["message_id"])).unwrap()  # type: ignore[union-attr] # fails the test
    assert isinstance(await ticket.done(), NotAnswered)


async def test_what_was_answered_is_not_tried_again(server: Served) -> None:
    message = (await sent(server, "Hello"))["message_id"]
    again = await server.client.post(f"/messages/{message}/retry", json={})
    assert (again.status_code, again.json()["code"]) == (409, "CX4033")
    assert (await server.client.post("/messages/none/retry")).json()["code"] == "CX4011"


async def test_results_of_calls_that_are_not_open_are_refused_by_name(server: Served) -> None:
    await sent(server, "boom")
    (failed,) = await listed(server)
    results = {"results": {"call_7": "done", "call_8": {"failed": "it was not"}}}
    again = await server.client.post(f"/messages/{failed['message_id']}/retry", json=results)
    assert (again.status_code, again.json()["code"]) == (409, "CX4033")
    assert "call_7, call_8" in again.json()["detail"]
    assert (await listed(server))[0]["status"] == "failed"


@pytest.mark.parametrize("body", [b"[]", b'{"results": 1}', b'{"results": {"a": 1}}', b'{"x": 1}'])
async def test_a_broken_retry_is_refused(server: Served, body: bytes) -> None:
    answer = await server.client.post("/messages/msg_0/retry", content=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "CX3002")
