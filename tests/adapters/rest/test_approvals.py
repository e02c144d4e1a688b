"""Calls that wait for a person, over HTTP: listed, streamed, answered once, explained."""

import json
from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest

from tests.adapters.rest.conftest import DEFAULTS, Served, events_of, serving
from tests.fakes import FilesInADict

SCENARIO = """
[[rules]]
contains = "read"
calls = [{tool = "files.read", arguments = {path = "/srv/docs/a"}}]
then = "done: {{result}}"

[[rules]]
answer = "You said: {{request}}"
"""
CLERK = """
name = "clerk"
capabilities = ["filing"]
system_prompt = "You file."
tools = ["files.*"]
[permissions]
ask = ["files.read:path=/srv/**"]
"""
FILES = FilesInADict({"/srv/docs/a": "well"})
ASYNC = {"prefer": "respond-async"}


@pytest.fixture
async def clerk() -> AsyncIterator[Served]:
    async with serving(SCENARIO, DEFAULTS, CLERK, tools=FILES) as served:
        yield served


async def begun(server: Served) -> str:
    """A message in whose turn a call waits."""
    answer = await server.client.post("/agents/clerk/message", json={"text": "read"}, headers=ASYNC)
    return str(answer.json()["message_id"])


async def waiting(server: Served, query: str = "") -> Any:
    with anyio.fail_after(20):
        while True:
            found = (await server.client.get(f"/approvals{query}")).json()["approvals"]
            if found:
                return found[0]
            await anyio.sleep(0.01)


async def said(server: Served, id_: str, **body: str) -> tuple[int, Any]:
    answer = await server.client.post(f"/approvals/{id_}", json=body)
    return answer.status_code, answer.json()


async def message(server: Served, id_: str, status: str) -> Any:
    with anyio.fail_after(20):
        while True:
            found = (await server.client.get(f"/messages/{id_}")).json()
            if found["status"] == status:
                return found
            await anyio.sleep(0.01)


async def test_a_call_that_waits_is_listed_shown_and_approved(clerk: Served) -> None:
    id_ = await begun(clerk)
    approval = await waiting(clerk, f"?message={id_}")
    assert approval["tool"] == "files.read"
    assert approval["arguments"] == {"path": "/srv/docs/a"}
    assert approval["rules"] == ["files.read:path=/srv/**"]
    assert approval["status"] == "waiting"
    running = (await clerk.client.get(f"/messages/{id_}")).json()
    assert running["approvals"] == [approval]
    status, answered = await said(clerk, approval["id"], decision="approve")
    assert (status, answered["status"], answered["by"]) == (200, "approved", "anonymous")
    ended = await message(clerk, id_, "answered")
    assert ended["answer"]["text"] == "done: well"
    assert (await clerk.client.get("/approvals")).json() == {"approvals": [], "next": None}
    shown = (await clerk.client.get(f"/approvals/{approval['id']}")).json()
    assert shown["status"] == "approved"


async def test_the_first_answer_counts(clerk: Served) -> None:
    id_ = await begun(clerk)
    approval = (await waiting(clerk))["id"]
    assert (await said(clerk, approval, decision="deny", reason="not today"))[0] == 200
    status, problem = await said(clerk, approval, decision="approve")
    assert (status, problem["code"]) == (409, "CX4048")
    assert problem["detail"] == f"The approval {approval} was denied by anonymous: not today."
    ended = await message(clerk, id_, "answered")
    assert "not today" in ended["answer"]["text"]


@pytest.mark.parametrize(
    "body", ["{}", '{"decision": "maybe"}', '{"decision": "deny", "x": 1}', "["]
)
async def test_what_is_no_answer_is_refused_and_the_call_goes_on_waiting(
    clerk: Served, body: str
) -> None:
    await begun(clerk)
    id_ = (await waiting(clerk))["id"]
    answer = await clerk.client.post(f"/approvals/{id_}", content=body)
    assert answer.status_code in (400, 422)
    assert (await waiting(clerk))["id"] == id_


async def test_an_approval_that_nobody_asked_for_is_not_found(clerk: Served) -> None:
    assert (await said(clerk, "apr_0", decision="approve"))[1]["code"] == "CX4047"
    assert (await clerk.client.get("/approvals/apr_0")).status_code == 404


async def test_whoever_listens_to_the_answer_is_asked_in_the_stream(clerk: Served) -> None:
    headers = {"accept": "text/event-stream"}
    request = clerk.client.build_request(
        "POST", "/agents/clerk/message", json={"text": "read"}, headers=headers
    )
    response = await clerk.client.send(request, stream=True)
    text = ""
    async for piece in response.aiter_text():
        text += piece
        asked = [json.loads(data) for name, data in events_of(text) if name == "approval"]
        if asked and "event: message" not in text:
            await said(clerk, asked[0]["id"], decision="approve")
    assert [name for name, _ in events_of(text)][:2] == ["accepted", "approval"]
    assert json.loads(events_of(text)[-1][1])["text"] == "done: well"


@pytest.mark.parametrize(
    ("tool", "path", "effect", "line"),
    [
        ("files.read", "/srv/docs/a", "ask", "wants a person asked: files.read:path=/srv/**"),
        ("files.read", "/etc/passwd", "deny", "says nothing about it, so it is refused"),
        ("files.write", "/srv/docs/a", "deny", "the agent is not shown the tool"),
        ("files.write", "/srv/docs/a", "deny", "nobody offers it: files offers no such tool"),
        ("clock.now", "/srv/docs/a", "deny", "nobody offers it: clock is no server of tools"),
        ("clock.now", "/srv/docs/a", "deny", "the agent file does not list it in `tools`"),
    ],
)
async def test_why_tells_what_would_become_of_a_call(
    clerk: Served, tool: str, path: str, effect: str, line: str
) -> None:
    body = {"tool": tool, "arguments": {"path": path}}
    decision = (await clerk.client.post("/agents/clerk/why", json=body)).json()
    assert decision["effect"] == effect
    assert any(line in told for told in decision["explanation"])


async def test_why_of_nonsense_is_refused(clerk: Served) -> None:
    assert (await clerk.client.post("/agents/clerk/why", json={"tool": "x"})).status_code == 422
    body = {"tool": "files.read"}
    assert (await clerk.client.post("/agents/nobody/why", json=body)).status_code == 404


@pytest.mark.parametrize(
    "argument",
    [
        ["/" + "a/" * 500 + str(n) for n in range(100)],
        json.loads("[" * 50 + "]" * 50),
        "a" * 65_536,
    ],
)
async def test_why_of_arguments_that_would_keep_everybody_waiting_is_refused(
    clerk: Served, argument: object
) -> None:
    body = {"tool": "files.read", "arguments": {"path": argument}}
    refused = await clerk.client.post("/agents/clerk/why", json=body)
    assert (refused.status_code, refused.json()["code"]) == (422, "CX3002")
    assert refused.json()["errors"][0]["at"] == "arguments"


async def test_the_values_of_a_decision_are_told(server: Served) -> None:
    status, refused = await said(server, "none", decision="maybe")
    assert (status, refused["code"]) == (422, "CX3002")
    assert "'maybe' is none of its values: `approve` or `deny`" in refused["detail"]
