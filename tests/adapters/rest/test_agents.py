"""Agents over HTTP: deployed, listed in pages, replaced, stopped, removed."""

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from caxton_adapters.rest.paging import page_of
from caxton_adapters.rest.settings import RestSettings
from tests.acceptance.criteria import criterion
from tests.adapters.rest.conftest import GREETER, QUICK, SLOW, Served, serving
from tests.waiting import PATIENCE

TOML = {"content-type": "application/toml"}
BROKEN = """\
name = "Bad Name"
system_prompt = "x"
colour = "red"

[llm]
temperature = 7
"""


def file_of(name: str) -> str:
    return f'name = "{name}"\nsystem_prompt = "You greet."\n'


@pytest.mark.parametrize(
    "kind", ["application/toml", "text/plain", "application/x-www-form-urlencoded", None]
)
async def test_an_agent_is_deployed_from_its_file(server: Served, kind: str | None) -> None:
    headers = {} if kind is None else {"content-type": kind}
    answer = await server.client.post("/agents", content=file_of("other"), headers=headers)
    assert answer.status_code == 201
    assert answer.json()["state"] == "running"
    located = await server.client.get(answer.headers["location"])
    assert located.json()["config"] == file_of("other")


async def test_an_agent_is_deployed_from_json(server: Served) -> None:
    answer = await server.client.post("/agents", json={"config": file_of("other")})
    assert answer.json()["name"] == "other"


async def test_warnings_come_with_the_agent(server: Served) -> None:
    answer = await server.client.post("/agents", content=file_of("other"), headers=TOML)
    assert answer.json()["warnings"][0]["code"] == "CX1301"


async def test_all_problems_of_a_file_come_with_their_places(server: Served) -> None:
    answer = await server.client.post("/agents", content=BROKEN, headers=TOML)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    errors = {each["at"]: each for each in answer.json()["errors"]}
    assert set(errors) == {"name", "colour", "llm.temperature"}
    assert (errors["llm.temperature"]["line"], errors["llm.temperature"]["column"]) == (6, 15)
    assert errors["name"]["suggestion"] == "bad-name"
    assert all(each["docs"] == f"/problems/{each['code']}" for each in errors.values())


async def test_a_name_is_given_once(server: Served) -> None:
    answer = await server.client.post("/agents", content=GREETER, headers=TOML)
    assert (answer.status_code, answer.json()["code"]) == (409, "CX4002")


@pytest.mark.parametrize("kind", ["image/png", "multipart/form-data; boundary=x"])
async def test_other_types_are_no_agent_files(server: Served, kind: str) -> None:
    answer = await server.client.post("/agents", content="x", headers={"content-type": kind})
    assert (answer.status_code, answer.json()["code"]) == (415, "CX3006")


async def test_a_file_that_is_not_utf8_is_refused(server: Served) -> None:
    answer = await server.client.post("/agents", content=b'name = "\xff"', headers=TOML)
    assert (answer.status_code, answer.json()["code"]) == (400, "CX3001")


async def test_a_replaced_agent_keeps_its_identity(server: Served) -> None:
    before = (await server.client.get("/agents/greeter")).json()
    file = GREETER + 'description = "Greets."\n'
    answer = await server.client.put("/agents/greeter", content=file, headers=TOML)
    assert answer.status_code == 200
    assert answer.json()["id"] == before["id"]
    assert answer.json()["description"] == "Greets."


async def test_a_replaced_agent_keeps_its_name(server: Served) -> None:
    answer = await server.client.put("/agents/greeter", content=file_of("b"), headers=TOML)
    assert (answer.status_code, answer.json()["code"]) == (422, "CX4003")


async def test_an_agent_is_stopped_started_and_restarted(server: Served) -> None:
    states = [
        (await server.client.post(f"/agents/greeter/{step}")).json()["state"]
        for step in ("stop", "start", "restart")
    ]
    assert states == ["stopped", "running", "running"]


async def test_a_removed_agent_is_gone(server: Served) -> None:
    assert (await server.client.delete("/agents/greeter")).status_code == 204
    assert (await server.client.get("/agents/greeter")).status_code == 404
    assert (await server.client.delete("/agents/greeter")).status_code == 404


async def test_an_agent_at_work_is_removed_by_force_only() -> None:
    async with serving(SLOW) as server:
        asked = {"prefer": "respond-async"}
        await server.client.post("/agents/greeter/message", json={"text": "x"}, headers=asked)
        kept = await server.client.delete("/agents/greeter")
        with anyio.fail_after(PATIENCE):
            forced = await server.client.delete("/agents/greeter?force=true")
    assert (kept.status_code, kept.json()["code"]) == (409, "CX4007")
    assert forced.status_code == 204


@pytest.mark.parametrize(("step", "state"), [("stop", "stopped"), ("restart", "running")])
async def test_by_force_an_agent_at_work_cuts_its_messages_off(step: str, state: str) -> None:
    headers = {"prefer": "respond-async"}
    async with serving(SLOW) as server:
        accepted = await server.client.post(
            "/agents/greeter/message", json={"text": "Hello"}, headers=headers
        )
        with anyio.fail_after(PATIENCE):
            changed = await server.client.post(f"/agents/greeter/{step}?force=true")
        assert (changed.status_code, changed.json()["state"]) == (200, state)
        message = (await server.client.get(accepted.headers["location"])).json()
    assert (message["status"], message["problem"]["code"]) == ("failed", "CX4026")


async def test_a_list_comes_in_pages(server: Served) -> None:
    for name in ("b", "c", "d", "e"):
        await server.client.post("/agents", content=file_of(name), headers=TOML)
    found: list[str] = []
    cursor = ""
    while True:
        page = (await server.client.get(f"/agents?limit=2&cursor={cursor}")).json()
        found += [agent["name"] for agent in page["agents"]]
        assert len(page["agents"]) <= 2
        if page["next"] is None:
            break
        cursor = page["next"]
    assert found == ["greeter", "b", "c", "d", "e"]


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "cursor=!"])
async def test_a_wrong_parameter_is_named(server: Served, query: str) -> None:
    answer = await server.client.get(f"/agents?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "CX3011")
    assert answer.json()["errors"][0]["at"] == query.partition("=")[0]


@given(st.sets(st.text()), st.integers(1, 5))
def test_pages_hold_every_item_once_and_in_order(items: set[str], limit: int) -> None:
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = page_of(sorted(items), lambda item: f"at {item}", limit, cursor)
        found += page.items
        cursor = page.next
    assert found == sorted(items)


@given(st.sets(st.integers(0, 99).map("{:02}".format), min_size=3))
def test_a_cursor_outlives_its_item(items: set[str]) -> None:
    ordered = sorted(items)
    first = page_of(ordered, str, 1, None)
    left = page_of(ordered[1:], str, 99, first.next)
    assert left.items == tuple(ordered[1:])


@criterion("STORY-013.10")
async def test_a_file_is_validated_without_being_deployed(server: Served) -> None:
    answer = (await server.client.post("/validate", content=BROKEN)).json()
    assert answer["valid"] is False
    assert {each["code"] for each in answer["errors"]} >= {"CX1002", "CX1102", "CX1103"}
    good = (await server.client.post("/validate", json={"config": file_of("b")})).json()
    assert (good["valid"], good["errors"]) == (True, [])
    assert [each["code"] for each in good["warnings"]] == ["CX1301"]
    assert (await server.client.get("/agents/b")).status_code == 404


async def test_a_budget_of_a_day_is_shown_and_refuses_with_the_time_to_come_back() -> None:
    written = "[llm]\nmax_tokens = 20\n[budget]\ntokens_per_day = 60\ncost_per_day = 2.5\n"
    async with serving(QUICK, RestSettings(), GREETER + written) as server:
        answers = [
            await server.client.post("/agents/greeter/message", json={"text": "Hello"})
            for _ in range(9)
        ]
        shown = (await server.client.get("/agents/greeter")).json()["budget"]
    assert (answers[0].status_code, answers[-1].status_code) == (200, 429)
    assert answers[-1].json()["code"] == "CX4009"
    assert "budget.tokens_per_day" in answers[-1].json()["detail"]
    assert int(answers[-1].headers["retry-after"]) > 80_000
    tokens = shown["tokens_per_day"]
    assert 0 < tokens["spent"] == 60 - tokens["left"] <= 60
    assert shown["cost_per_day"]["limit"] == 2.5


async def test_an_agent_without_a_budget_of_a_day_shows_none(server: Served) -> None:
    assert "budget" not in (await server.client.get("/agents/greeter")).json()
