"""What is behind the front: capabilities, providers, descriptions, and the form of refusals."""

import re
from pathlib import Path

import anyio
import httpx2
import pytest
from returns.result import Result

from caxton_adapters import rest
from caxton_core.codes.catalogue import EXPLANATIONS
from caxton_core.journal import StoredMessage
from caxton_core.primitives import AgentId
from caxton_core.storage import NotRead
from tests.adapters.rest.conftest import DEFAULTS, GREETER, QUICK, Served, events_of, serving

PREFERRED = GREETER.replace("greeter", "preferred") + "[routing]\npriority = 90\n"
EQUAL = GREETER.replace("greeter", "equal")


async def test_capabilities_tell_who_offers_them() -> None:
    async with serving(QUICK, DEFAULTS, GREETER, EQUAL) as server:
        listed = (await server.client.get("/capabilities")).json()
        one = (await server.client.get("/capabilities/greeting")).json()
    assert listed == {"capabilities": [one], "next": None}
    assert one == {"name": "greeting", "agents": ["greeter", "equal"]}


async def test_a_message_to_a_capability_goes_to_the_preferred_agent() -> None:
    async with serving(QUICK, DEFAULTS, GREETER, PREFERRED) as server:
        answer = await server.client.post("/capabilities/greeting/message", json={"text": "x"})
    assert answer.json()["agent"] == "preferred"


async def test_equal_agents_take_turns() -> None:
    async with serving(QUICK, DEFAULTS, GREETER, EQUAL) as server:
        agents = [
            (await server.client.post("/capabilities/greeting/message", json={"text": "x"})).json()
            for _ in range(4)
        ]
    assert [answer["agent"] for answer in agents] == ["greeter", "equal", "greeter", "equal"]


async def test_a_message_that_is_sent_again_to_a_capability_is_answered_once() -> None:
    async with serving(QUICK, DEFAULTS, GREETER, EQUAL) as server:
        key = {"idempotency-key": "a-key"}
        answers = [
            await server.client.post(
                "/capabilities/greeting/message", json={"text": "x"}, headers=key
            )
            for _ in range(3)
        ]
    assert len({answer.json()["message_id"] for answer in answers}) == 1
    assert [answer.headers.get("idempotent-replayed") for answer in answers[1:]] == ["true"] * 2


async def test_a_message_that_is_sent_twice_at_once_goes_to_one_agent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with serving(QUICK, DEFAULTS, GREETER, EQUAL) as server:
        journal, told = server.runtime.world.journal, []
        keyed = journal.keyed

        async def after_a_while(agent: AgentId, key: str) -> Result[StoredMessage | None, NotRead]:
            await anyio.sleep(0.05)  # as a disk does
            return await keyed(agent, key)

        async def send() -> None:
            answer = await server.client.post(
                "/capabilities/greeting/message",
                json={"text": "x"},
                headers={"idempotency-key": "a-key"},
            )
            told.append(answer.json()["message_id"])

        monkeypatch.setattr(journal, "keyed", after_a_while)
        async with anyio.create_task_group() as together:
            together.start_soon(send)
            together.start_soon(send)
    assert len(told) == 2
    assert len(set(told)) == 1


async def test_a_capability_that_nobody_offers_is_not_found(server: Served) -> None:
    answer = await server.client.post("/capabilities/flying/message", json={"text": "x"})
    assert (answer.status_code, answer.json()["code"]) == (404, "CX4012")
    assert "greeting" in answer.json()["detail"]
    assert (await server.client.get("/capabilities/flying")).status_code == 404


async def test_providers_tell_what_they_can_do_and_how_they_are(server: Served) -> None:
    (provider,) = (await server.client.get("/providers")).json()["providers"]
    assert provider["name"] == "scripted"
    assert provider["healthy"] is True
    assert provider["capabilities"]["tools"] == "native"
    assert (await server.client.get("/providers/scripted")).json() == provider
    assert (await server.client.get("/providers/other")).status_code == 404


async def test_the_schema_of_agent_files_is_served(server: Served) -> None:
    schema = (await server.client.get("/schema/agent")).json()
    assert schema["properties"]["name"]["pattern"]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "CX3003"),
        ("GET", "/schema/nothing", 404, "CX3003"),
        ("PATCH", "/agents", 405, "CX3004"),
        ("TRACE", "/agents", 405, "CX3004"),
        ("POST", "/health", 405, "CX3004"),
        ("GET", "/agents/greeter/message", 405, "CX3004"),
    ],
)
async def test_every_refusal_is_a_problem(
    server: Served, method: str, path: str, status: int, code: str
) -> None:
    answer = await server.client.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["code"], problem["status"]) == (code, status)
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert (await server.client.get(problem["type"])).text.startswith(f"## {code}")


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/agents", {"GET", "OPTIONS", "POST"}),
        ("/agents/greeter", {"GET", "PUT", "DELETE", "OPTIONS"}),
        ("/health", {"GET", "OPTIONS"}),
        ("/messages/x", {"GET", "DELETE", "OPTIONS"}),
    ],
)
async def test_a_path_tells_its_methods(server: Served, path: str, methods: set[str]) -> None:
    answer = await server.client.options(path)
    assert answer.status_code == 204
    assert set(answer.headers["allow"].split(", ")) == methods


@pytest.mark.parametrize("path", ["/agents", "/health", "/schema", "/agents/nobody"])
async def test_head_is_get_without_the_body(server: Served, path: str) -> None:
    head, get = await server.client.head(path), await server.client.get(path)
    assert head.status_code == get.status_code
    assert head.headers["content-type"] == get.headers["content-type"]
    assert head.content == b""


async def test_a_request_keeps_its_id(server: Served) -> None:
    for path in ("/health", "/agents", "/nothing"):
        answer = await server.client.get(path, headers={"x-request-id": "mine-42"})
        assert answer.headers.get_list("x-request-id") == ["mine-42"]


@pytest.mark.parametrize("id_", ["", "a b", "x" * 129, "<script>"])
async def test_a_malformed_request_id_is_replaced(server: Served, id_: str) -> None:
    answer = await server.client.get("/agents", headers={"x-request-id": id_})
    assert re.fullmatch("[0-9a-f]{24}", answer.headers["x-request-id"])


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/health/live", ""),
        ("GET", "/health/ready", ""),
        ("GET", "/health", ""),
        ("GET", "/messages/msg_0", ""),
        ("DELETE", "/messages/msg_0", ""),
        ("POST", "/agents/greeter/message", '{"text": "x"}'),
        ("POST", "/agents/greeter/message", "{"),
        ("POST", "/capabilities/greeting/message", '{"text": "x"}'),
    ],
)
async def test_litestar_answers_as_the_front_does(
    server: Served, method: str, path: str, body: str
) -> None:
    transport = httpx2.ASGITransport(app=await server.api.management())
    async with httpx2.AsyncClient(transport=transport, base_url=server.url) as behind:
        second = await behind.request(method, path, content=body)
    first = await server.client.request(method, path, content=body)
    assert first.status_code == second.status_code
    assert first.json().keys() == second.json().keys()
    assert set(first.headers) - {"date"} == set(second.headers)


async def test_litestar_streams_as_the_front_does(server: Served) -> None:
    transport = httpx2.ASGITransport(app=await server.api.management())
    async with httpx2.AsyncClient(transport=transport, base_url=server.url) as behind:
        answer = await behind.post(
            "/agents/greeter/message",
            json={"text": "x"},
            headers={"accept": "text/event-stream"},
        )
    assert [name for name, _ in events_of(answer.text)][-1] == "message"


async def test_a_defect_is_a_problem_too(
    server: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(type(server.runtime), "agents", None)
    answer = await server.client.get("/agents")
    assert (answer.status_code, answer.json()["code"]) == (500, "CX3019")
    assert "TypeError" in caplog.text
    assert f"request {answer.headers['x-request-id']} failed: GET /agents" in caplog.text
    assert "TypeError" not in answer.text


def test_every_code_of_the_api_is_explained_and_every_explained_one_is_given() -> None:
    sources = (path.read_text("utf-8") for path in Path(rest.__path__[0]).glob("*.py"))
    given = {code for source in sources for code in re.findall(r"CX[345]0\d\d", source)}
    assert given == {code for code in EXPLANATIONS if re.fullmatch(r"CX[345]0\d\d", code)}
