"""What agents remember, over HTTP."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import quote

import anyio
import anyio.lowlevel
import httpx2
import pytest

from caxton_adapters.rest.memory import Memories, _all_lines
from caxton_core.memory.entry import Everybody
from caxton_core.memory.written import read_line
from tests.adapters.rest.conftest import Served, serving


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    async with serving() as served:
        yield served.client


MINE: dict[str, Any] = {"agent": "greeter"}


async def put(client: httpx2.AsyncClient, key: str, **members: object) -> dict[str, Any]:
    answer = await client.put(f"/memory/{key}", params=MINE, json=members)
    assert answer.status_code == 200, answer.text
    stored: dict[str, Any] = answer.json()
    return stored


async def keys(client: httpx2.AsyncClient, **params: Any) -> list[str]:
    answer = await client.get("/memory", params={**MINE, **params})
    assert answer.status_code == 200, answer.text
    return [entry["key"] for entry in answer.json()["entries"]]


async def test_what_is_put_is_shown(client: httpx2.AsyncClient) -> None:
    stored = await put(client, "drink", text="green tea", value={"cups": 2}, tags=["food"])
    shown = await client.get("/memory/drink", params=MINE)
    assert shown.json() == stored
    assert (stored["text"], stored["value"], stored["kind"]) == ("green tea", {"cups": 2}, "note")
    assert stored["created_at"] == stored["updated_at"]


@pytest.mark.parametrize("key", ["a/b", "grüße", "a b", "50%", "x?y", "a//b"])
async def test_a_key_may_hold_what_a_url_has_to_escape(
    client: httpx2.AsyncClient, key: str
) -> None:
    path = quote(key, safe="")
    stored = await put(client, path, text="hello")
    assert stored["key"] == key
    assert (await client.get(f"/memory/{path}", params=MINE)).json()["key"] == key
    assert (await client.delete(f"/memory/{path}", params=MINE)).status_code == 204
    assert (await client.get(f"/memory/{path}", params=MINE)).status_code == 404


async def test_entries_are_found_by_words_kind_tag_and_time(client: httpx2.AsyncClient) -> None:
    await put(client, "drink", text="green tea", kind="fact", tags=["food", "hot"])
    await put(client, "cup", text="a blue cup", tags=["food"])
    assert await keys(client) == ["cup", "drink"]
    assert await keys(client, q="TEA") == ["drink"]
    assert await keys(client, kind="fact") == ["drink"]
    assert await keys(client, tag=["food", "hot"]) == ["drink"]
    assert await keys(client, until="2020-01-01") == []
    assert await keys(client, since="2020-01-01T00:00:00Z", limit=1) == ["cup"]


async def test_pages_lead_through_all_entries(client: httpx2.AsyncClient) -> None:
    for number in range(5):
        await put(client, f"key-{number}", text="tea")
    for words in ({}, {"q": "tea"}):
        page = (await client.get("/memory", params={**MINE, **words, "limit": 2})).json()
        seen = [entry["key"] for entry in page["entries"]]
        while page["next"]:
            params = {**MINE, **words, "limit": 2, "cursor": page["next"]}
            page = (await client.get("/memory", params=params)).json()
            seen += [entry["key"] for entry in page["entries"]]
        assert sorted(seen) == [f"key-{number}" for number in range(5)]


async def test_a_change_of_what_another_has_changed_is_refused(
    client: httpx2.AsyncClient,
) -> None:
    first = await put(client, "drink", text="green tea")
    await put(client, "drink", text="black tea", if_updated_at=first["updated_at"])
    late = await client.put(
        "/memory/drink",
        params=MINE,
        json={"text": "coffee", "if_updated_at": first["updated_at"]},
    )
    assert (late.status_code, late.json()["code"]) == (409, "CX4041")
    assert (await client.get("/memory/drink", params=MINE)).json()["text"] == "black tea"


async def test_every_problem_of_an_entry_is_told_with_its_place(
    client: httpx2.AsyncClient,
) -> None:
    bad = {"text": 1, "kind": "No Kind", "tags": ["a", "a"], "valid_to": "soon", "colour": "red"}
    answer = await client.put("/memory/drink", params=MINE, json=bad)
    assert (answer.status_code, answer.json()["code"]) == (422, "CX3002")
    told = {item["at"]: item["code"] for item in answer.json()["errors"]}
    assert told.keys() == {"text", "kind", "tags.1", "valid_to", "colour"}


@pytest.mark.parametrize(
    "params",
    [{}, {"scope": "agent"}, {"conversation": "c"}, {"scope": "global", "agent": "greeter"}],
)
async def test_whose_entries_are_meant_has_to_be_said(
    client: httpx2.AsyncClient, params: dict[str, str]
) -> None:
    answer = await client.get("/memory", params=params)
    assert (answer.status_code, answer.json()["code"]) == (422, "CX4044")


async def test_owners_see_their_own_entries_only(client: httpx2.AsyncClient) -> None:
    owners = (MINE, {**MINE, "conversation": "c"}, {"scope": "global"})
    for number, owner in enumerate(owners):
        await client.put("/memory/drink", params=owner, json={"text": f"tea {number}"})
    for number, owner in enumerate(owners):
        shown = await client.get("/memory/drink", params=owner)
        assert shown.json()["text"] == f"tea {number}"
    assert (await client.get("/memory", params={"agent": "nobody"})).status_code == 404


@pytest.mark.parametrize(
    ("params", "at"),
    [
        ({"kind": "No Kind"}, "kind"),
        ({"since": "soon"}, "since"),
        ({"cursor": "ab"}, "cursor"),
        ({"tag": ["a b"]}, "tag.0"),
    ],
)
async def test_a_wrong_parameter_is_told(
    client: httpx2.AsyncClient, params: dict[str, Any], at: str
) -> None:
    answer = await client.get("/memory", params={**MINE, **params})
    assert (answer.status_code, answer.json()["code"]) == (400, "CX3011")
    assert [item["at"] for item in answer.json()["errors"]] == [at]


async def test_a_meaning_is_not_looked_for(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/memory", params={**MINE, "q": "tea", "how": "semantic"})
    assert (answer.status_code, answer.json()["code"]) == (422, "CX4042")


async def test_what_fits_is_forgotten_and_everything_only_on_demand(
    client: httpx2.AsyncClient,
) -> None:
    for number in range(3):
        await put(client, f"key-{number}", tags=["odd" if number % 2 else "even"])
    refused = await client.delete("/memory", params=MINE)
    assert (refused.status_code, refused.json()["code"]) == (422, "CX4045")
    some = await client.delete("/memory", params={**MINE, "tag": "even"})
    assert some.json() == {"forgotten": 2}
    rest = await client.delete("/memory", params={**MINE, "all": True})
    assert rest.json() == {"forgotten": 1}


async def test_what_is_exported_can_be_imported_elsewhere(client: httpx2.AsyncClient) -> None:
    lines = [
        {"key": "drink", "text": "tea", "created_at": "2026-01-02T03:04:05Z", "tags": ["food"]},
        {"key": "cup", "value": [1, 2], "relations": [{"type": "holds", "to": "drink"}]},
    ]
    body = "\n".join(map(json.dumps, lines))
    loaded = await client.post("/memory/import", params=MINE, content=body)
    assert loaded.json() == {"read": 2, "stored": 2, "relations_left_out": 0, "errors": []}
    exported = await client.get("/memory/export", params=MINE)
    assert exported.headers["content-type"] == "application/jsonl"
    await client.post("/memory/import", params={"scope": "global"}, content=exported.content)
    again = await client.get("/memory/export", params={"scope": "global"})
    assert again.content == exported.content
    assert len(again.content.splitlines()) == 2


async def test_a_bad_line_is_told_and_keeps_the_others_out(client: httpx2.AsyncClient) -> None:
    body = '{"key": "a"}\n\n{"key": "b", "kind": "B C"}\nnonsense\n{"text": "no key"}\n'
    refused = await client.post("/memory/import", params=MINE, content=body)
    assert (refused.status_code, refused.json()["code"]) == (422, "CX4043")
    assert [item["line"] for item in refused.json()["errors"]] == [3, 4, 5]
    assert await keys(client) == []
    partly = await client.post("/memory/import", params={**MINE, "partly": True}, content=body)
    assert (partly.json()["stored"], len(partly.json()["errors"])) == (1, 3)
    assert await keys(client) == ["a"]


async def test_a_check_stores_nothing(client: httpx2.AsyncClient) -> None:
    params = {**MINE, "check": True}
    checked = await client.post("/memory/import", params=params, content='{"key": "a"}\n{}')
    assert (checked.json()["read"], checked.json()["stored"]) == (2, 0)
    assert [item["line"] for item in checked.json()["errors"]] == [2]
    assert await keys(client) == []


async def test_an_entry_that_is_not_there_is_told(client: httpx2.AsyncClient) -> None:
    for method in ("GET", "DELETE"):
        answer = await client.request(method, "/memory/nothing", params=MINE)
        assert (answer.status_code, answer.json()["code"]) == (404, "CX4040")


async def test_a_server_without_a_memory_says_so(server: Served) -> None:
    server.api._memories = Memories(server.runtime, server.runtime.world.clock, None)
    answer = await server.client.get("/memory", params=MINE)
    assert (answer.status_code, answer.json()["code"]) == (404, "CX4046")


async def test_a_body_full_of_broken_lines_keeps_nobody_waiting() -> None:
    turns = 0
    read_as = partial(read_line, owner=Everybody(), now=datetime.now(UTC))
    async with anyio.create_task_group() as tasks:

        async def read() -> None:
            lines = await _all_lines(b"{}\n" * 300_000, read_as)
            assert len(lines) == 1001
            tasks.cancel_scope.cancel()

        tasks.start_soon(read)
        while True:
            await anyio.lowlevel.checkpoint()
            turns += 1
    assert turns >= 50


@pytest.mark.parametrize("how", [{}, {"partly": True}])
async def test_what_is_no_export_is_not_read_to_its_end(
    client: httpx2.AsyncClient, how: dict[str, bool]
) -> None:
    body = json.dumps({"key": "a", "text": "b"}) + "\n[]" * 2000
    refused = await client.post("/memory/import", params={**MINE, **how}, content=body)
    assert (refused.status_code, refused.json()["code"]) == (422, "CX4043")
    assert (await client.get("/memory/a", params=MINE)).status_code == 404
