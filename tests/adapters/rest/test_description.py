"""The API is as its description says, and the page that shows it needs nobody else."""

import base64
import hashlib
import re
from typing import Any

import anyio
import pytest
import schemathesis
from anyio import to_thread
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import positive_data_acceptance

from caxton_adapters.auth.scopes import EVERYTHING
from caxton_adapters.rest.access import rule_for
from caxton_core.primitives import JsonObject, ToolName
from caxton_core.tools.tool import Tool
from tests.acceptance.criteria import criterion
from tests.adapters.rest.conftest import Served, serving
from tests.adapters.rest.routes import PARAMETER
from tests.fakes import ToolServersInADict

EXAMPLES = 6
OPERATIONS = 39
# Whether a text is an agent file, or a key came before, is more than a schema can say.
EXCLUDED = (positive_data_acceptance,)
BROWSED = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@schemathesis.serializer("application/toml", "application/jsonl")
def as_text(_: object, value: object) -> bytes:
    return str(value).encode("utf-8", "replace")


def hold_to_description(url: str) -> int:
    """Send generated requests to every operation; how many requests there were."""
    sent: list[object] = []
    schema = schemathesis.openapi.from_url(f"{url}/schema/openapi.json")
    operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    for operation in operations:
        if operation.path == "/events":
            continue  # does not end by itself

        @BROWSED
        @given(case=operation.as_strategy())
        def ask(case: schemathesis.Case[Any]) -> None:
            case.call_and_validate(excluded_checks=[*EXCLUDED], timeout=20)
            sent.append(case)

        ask()
    return len(sent)


@criterion("STORY-008.D3", "STORY-008.6")
async def test_the_server_does_what_its_description_says() -> None:
    files = ToolServersInADict({"files": [Tool(ToolName("files.read"), "", JsonObject())]})
    await files.add("files", {"command": "mcp-server-files"})
    async with serving(toolbox=files) as server:
        await server.api.management()
        with anyio.fail_after(100):
            requests = await to_thread.run_sync(hold_to_description, server.url)
    assert requests > OPERATIONS


@criterion("STORY-008.D3")
async def test_every_route_is_described(server: Served) -> None:
    document = (await server.client.get("/schema/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    described = {(method, path) for path, item in document["paths"].items() for method in item}
    assert {
        ("get", "/agents"),
        ("post", "/agents"),
        ("get", "/agents/{ref}"),
        ("put", "/agents/{ref}"),
        ("delete", "/agents/{ref}"),
        ("post", "/agents/{ref}/message"),
        ("post", "/capabilities/{name}/message"),
        ("get", "/messages/{message}"),
        ("delete", "/messages/{message}"),
        ("get", "/health"),
        ("get", "/health/live"),
        ("get", "/health/ready"),
        ("get", "/events"),
    } <= described


async def operations(server: Served) -> list[tuple[str, str, dict[str, Any]]]:
    document = (await server.client.get("/schema/openapi.json")).json()
    return [
        (method.upper(), path, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
    ]


async def test_every_operation_has_a_short_summary_for_people(server: Served) -> None:
    described = await operations(server)
    summaries = [operation["summary"] for _, _, operation in described]
    assert len(set(summaries)) == len(summaries) > OPERATIONS
    for _, _, operation in described:
        summary, name = operation["summary"], operation["operationId"]
        assert re.fullmatch(r"[A-Z][^.;:]{5,59}[^.;:,\s]", summary), summary
        assert operation["description"].startswith(summary)
        assert summary != re.sub("(?<!^)(?=[A-Z])", " ", name).title()


async def test_every_operation_names_the_scope_that_it_needs(server: Served) -> None:
    for method, path, operation in await operations(server):
        scopes = rule_for(method, PARAMETER.sub("nobody", path)).scopes
        needs = operation["description"].rpartition("\n\n")[2]
        named = set(re.findall("`([a-z:]+)`", needs))
        if scopes in (frozenset(), EVERYTHING):
            assert needs == ("Needs a token of any scope." if scopes else "Open to everybody.")
            assert operation.get("security") == (None if scopes else [])
        else:
            assert named == {scope.value for scope in scopes}
            held = {scope for each in operation["security"] for scope in each.get("token", ())}
            assert held == named


async def test_every_answer_and_body_is_described_by_a_schema_that_exists(server: Served) -> None:
    text = (await server.client.get("/schema/openapi.json")).text
    schemas = (await server.client.get("/schema/openapi.json")).json()["components"]["schemas"]
    named = set(re.findall(r'"#/components/schemas/(\w+)"', text))
    assert named <= set(schemas)
    assert {"MessageRequest", "MessageAnswer", "ProblemDetails", "AgentDetails"} <= named


@pytest.mark.parametrize("path", ["/schema", "/schema/"])
async def test_the_page_needs_nobody_else(server: Served, path: str) -> None:
    page = await server.client.get(path)
    assert page.headers["content-type"].startswith("text/html")
    assert not re.findall(r"(?:https?:)?//[a-z]", page.text)
    assert "/schema/openapi.json" in page.text


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_the_door_leads_to_the_page(server: Served, method: str) -> None:
    door = await server.client.request(method, "/")
    assert (door.status_code, door.headers["location"]) == (307, "/schema")
    led = await server.client.request(method, "/", follow_redirects=True)
    assert led.headers["content-type"].startswith("text/html")


async def test_the_page_runs_its_own_script_only(server: Served) -> None:
    page = await server.client.get("/schema")
    script = page.text.partition("<script>")[2].partition("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = page.headers["content-security-policy"]
    assert f"script-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert "innerHTML" not in page.text
