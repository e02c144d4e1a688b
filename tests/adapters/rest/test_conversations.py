"""Conversations over HTTP: listed, shown, exported, begun anew, removed."""

import json
from typing import Any

import httpx2
import pytest

from tests.adapters.rest.conftest import DEFAULTS, GREETER, SLOW, Served, serving

ASYNC = {"prefer": "respond-async"}
HELPER = 'name = "helper"\ncapabilities = ["help"]\nsystem_prompt = "You help."\n'
SHARED = '[conversation]\nscope = "shared"\n'


async def said(server: Served, text: str, talk: str = "talk", agent: str = "greeter") -> Any:
    body = {"text": text, "conversation_id": talk}
    answer = await server.client.post(f"/agents/{agent}/message", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def shown(server: Served, path: str = "/conversations/talk") -> Any:
    answer = await server.client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def refusal(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def test_conversations_are_listed_the_one_used_last_first(server: Served) -> None:
    for talk in ("one", "two", "one"):
        await said(server, "Hello", talk)
    listed = (await shown(server, "/conversations"))["conversations"]
    assert [(one["conversation_id"], one["message_count"]) for one in listed] == [
        ("one", 2),
        ("two", 1),
    ]
    assert {one["agent"] for one in listed} == {"greeter"}


async def test_pages_of_conversations_together_have_every_one_once(server: Served) -> None:
    for number in range(5):
        await said(server, "Hello", f"talk-{number}")
    found, query = [], "limit=2"
    while True:
        page = await shown(server, f"/conversations?{query}")
        found += [one["conversation_id"] for one in page["conversations"]]
        if page["next"] is None:
            break
        query = f"limit=2&cursor={page['next']}"
    assert found == [f"talk-{number}" for number in reversed(range(5))]


async def test_conversations_are_listed_by_their_agent() -> None:
    async with serving("[[rules]]\nanswer = 'Hi'\n", DEFAULTS, GREETER, HELPER) as server:
        await said(server, "Hello", "one")
        await said(server, "Hello", "two", "helper")
        listed = (await shown(server, "/conversations?agent=helper"))["conversations"]
        assert [one["conversation_id"] for one in listed] == ["two"]
        unknown = await server.client.get("/conversations?agent=nobody")
        assert refusal(unknown) == (404, "CX4001")


async def test_a_conversation_is_shown_with_its_messages_oldest_first(server: Served) -> None:
    await said(server, "Hello")
    await server.client.post(
        "/agents/greeter/message", json={"text": "boom", "conversation_id": "talk"}
    )
    talk = await shown(server)
    assert [(one["text"], one["status"]) for one in talk["messages"]] == [
        ("Hello", "answered"),
        ("boom", "failed"),
    ]
    first, second = talk["messages"]
    assert first["answer"]["text"] == "You said: Hello"
    assert second["problem"]["code"] == "CX5012"
    assert (talk["message_count"], talk["agent"], talk["next"]) == (2, "greeter", None)


async def test_its_messages_come_in_pages(server: Served) -> None:
    for number in range(3):
        await said(server, f"Hello {number}")
    first = await shown(server, "/conversations/talk?limit=2")
    rest = await shown(server, f"/conversations/talk?limit=2&cursor={first['next']}")
    texts = [one["text"] for page in (first, rest) for one in page["messages"]]
    assert texts == ["Hello 0", "Hello 1", "Hello 2"]
    assert rest["next"] is None


@pytest.mark.parametrize("path", ["/conversations", "/conversations/talk", "/messages"])
@pytest.mark.parametrize("cursor", ["abc", "00", "ff"])
async def test_a_cursor_that_was_not_given_is_refused(
    server: Served, path: str, cursor: str
) -> None:
    answer = await server.client.get(f"{path}?cursor={cursor}")
    assert refusal(answer) == (400, "CX3011")


async def test_an_unknown_conversation_is_not_found(server: Served) -> None:
    for talk in ("no-such", "no%20such", "x" * 300):
        assert refusal(await server.client.get(f"/conversations/{talk}")) == (404, "CX4034")
    assert refusal(await server.client.delete("/conversations/none")) == (404, "CX4034")
    assert refusal(await server.client.post("/conversations/none/reset")) == (404, "CX4034")
    assert refusal(await server.client.get("/conversations/none/export")) == (404, "CX4034")


async def test_of_several_with_one_id_the_request_says_which(server: Served) -> None:
    for agent in (HELPER, f"{HELPER.replace('helper', 'team')}{SHARED}"):
        await server.client.post("/agents", content=agent)
    for agent in ("greeter", "helper", "team"):
        await said(server, f"Hello {agent}", agent=agent)
    ambiguous = await server.client.get("/conversations/talk")
    assert refusal(ambiguous) == (409, "CX4035")
    ways = "?agent=greeter or ?agent=helper or ?shared=true"
    assert ways in ambiguous.json()["detail"]
    for way in ("agent=helper", "agent=team", "shared=true"):
        talk = await shown(server, f"/conversations/talk?{way}")
        expected = "helper" if way == "agent=helper" else "team"
        assert [one["text"] for one in talk["messages"]] == [f"Hello {expected}"]


async def test_a_conversation_that_was_reset_begins_anew_and_stays_readable(
    server: Served,
) -> None:
    before = (await said(server, "Hello"))["usage"]["prompt_tokens"]
    assert (await said(server, "Hello"))["usage"]["prompt_tokens"] > before
    reset = await server.client.post("/conversations/talk/reset")
    assert (reset.status_code, reset.json()["message_count"]) == (200, 2)
    assert (await said(server, "Hello"))["usage"]["prompt_tokens"] == before
    assert len((await shown(server))["messages"]) == 3


async def test_nothing_is_left_of_a_conversation_that_was_deleted(server: Served) -> None:
    message = (await said(server, "Hello"))["message_id"]
    before = (await said(server, "Hello"))["usage"]["prompt_tokens"]
    assert (await server.client.delete("/conversations/talk")).status_code == 204
    assert refusal(await server.client.get("/conversations/talk")) == (404, "CX4034")
    assert refusal(await server.client.get(f"/messages/{message}")) == (404, "CX4011")
    assert (await said(server, "Hello"))["usage"]["prompt_tokens"] < before


async def test_a_conversation_with_a_message_at_work_is_deleted_by_force_only() -> None:
    async with serving(SLOW) as server:
        body = {"text": "Hello", "conversation_id": "talk"}
        await server.client.post("/agents/greeter/message", json=body, headers=ASYNC)
        refused = await server.client.delete("/conversations/talk")
        assert refusal(refused) == (409, "CX4036")
        forced = await server.client.delete("/conversations/talk?force=true")
        assert forced.status_code == 204
        assert server.runtime.in_flight == 0
        assert (await server.client.get("/conversations/talk")).status_code == 404


async def test_an_export_has_every_message_as_a_line(server: Served) -> None:
    for number in range(120):
        await said(server, f"Hello {number}")
    export = await server.client.get("/conversations/talk/export")
    assert export.headers["content-type"] == "application/jsonl"
    lines = [json.loads(line) for line in export.text.splitlines()]
    assert [line["text"] for line in lines] == [f"Hello {number}" for number in range(120)]
    assert lines[0]["said"] == [
        {"role": "user", "text": "Hello 0"},
        {"role": "assistant", "text": "You said: Hello 0"},
    ]
    assert (lines[0]["status"], lines[0]["finish_reason"]) == ("answered", "stop")
