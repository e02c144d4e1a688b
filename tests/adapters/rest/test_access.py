"""Every route asks for its scope: the table against the description, and tokens against routes."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from functools import cache

import pytest
from returns.result import Failure

from caxton_adapters.auth.scopes import EVERYTHING, Scope, allows
from caxton_adapters.auth.store import InMemoryTokens
from caxton_adapters.auth.token import TokenName
from caxton_adapters.auth.tokens import Tokens
from caxton_adapters.rest import access
from caxton_adapters.rest.access import RULES, UNDECLARED, rule_for
from caxton_adapters.rest.settings import RestSettings
from caxton_adapters.secrets import Secret
from tests.adapters.rest.conftest import Served, serving
from tests.adapters.rest.routes import PARAMETER, ROUTES

OPEN = ("/", "/health", "/schema")
OWN = "the-operators-own"
STRANGE = (
    "",
    "agents",
    "//agents",
    "/agents/",
    "/agents//message",
    "/agents/x/message/",
    "/agents/x/y/message",
    "/memory/",
    "/memory//x",
    "/tokens/",
    "/tokens/x/y",
    "/AGENTS",
    "/agents/x/start/",
    "/messages//retry",
    "/nothing",
    "/reload",
    "/healthy",
    "/schemas",
    "/health/x/y",
)


def test_there_are_routes() -> None:
    assert len(ROUTES) > 30
    assert ("POST", "/agents/nobody/message") in ROUTES


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_every_route_declares_its_scope(method: str, path: str) -> None:
    assert rule_for(method, path) is not UNDECLARED


async def test_the_hot_routes_declare_theirs(server: Served) -> None:
    hot = server.api._hot_routes()
    around = {prefix + "x" + suffix: methods for prefix, suffix, methods in hot._around}
    for path, methods in {**hot._exact, **around}.items():
        for method in methods:
            assert rule_for(method, path) is not UNDECLARED, (method, path)


async def test_the_description_has_no_route_beside_them(server: Served) -> None:
    document = (await server.client.get("/schema/openapi.json")).json()
    hidden = {("POST", "/tools/nobody")}  # a tool's name may hold slashes
    described = {
        (method.upper(), PARAMETER.sub("nobody", path))
        for path, item in document["paths"].items()
        for method in item
    }
    assert described == set(ROUTES) - hidden


def test_nothing_is_open_but_probes_and_the_page_of_the_api() -> None:
    open_ = {rule.path for rule in RULES if not rule.scopes}
    assert {f"/{path.split('/')[1]}" for path in open_} == set(OPEN)
    assert {rule.methods for rule in RULES if not rule.scopes} == {"GET"}


def test_nobody_changes_anything_with_the_scope_to_read() -> None:
    pure = {"/validate", "/policy/check", "/agents/{}/why"}
    assert {r.path for r in RULES if r.methods != "GET" and Scope.READ in r.scopes} == pure


def test_whoever_may_only_read_has_others_work_for_him_so_often_and_no_oftener() -> None:
    work = [rule for rule in RULES if rule.methods == "POST" and Scope.READ in rule.scopes]
    assert work
    assert all(rule.costly for rule in work)


@pytest.mark.parametrize("path", STRANGE)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "TRACE", "PATCH"])
def test_a_path_that_is_spelled_otherwise_is_the_administrators(method: str, path: str) -> None:
    assert rule_for(method, path) is UNDECLARED


@pytest.mark.parametrize("method", ["PATCH", "TRACE", "CONNECT", "get", ""])
def test_an_unknown_method_is_the_administrators(method: str) -> None:
    assert rule_for(method, "/agents") is UNDECLARED
    assert rule_for(method, "/health") is UNDECLARED


def test_a_head_asks_for_what_its_get_asks_for() -> None:
    assert rule_for("HEAD", "/agents") is rule_for("GET", "/agents")


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("POST", "/approvals/x/approve", Scope.APPROVE),
        ("GET", "/approvals", Scope.APPROVE),
        ("POST", "/mcp/servers", Scope.MCP_ADMIN),
        ("DELETE", "/mcp/servers/files", Scope.MCP_ADMIN),
        ("POST", "/tools/files.read/call", Scope.MCP_ADMIN),
        ("GET", "/tools/files.read", Scope.READ),
        ("PUT", "/policy", Scope.ADMIN),
        ("POST", "/reload", Scope.ADMIN),
    ],
)
def test_what_acts_for_people_and_tools_has_scopes_of_its_own(
    method: str, path: str, scope: Scope
) -> None:
    rule = rule_for(method, path)
    assert [each for each in Scope if allows(frozenset({each}), rule.scopes)] == sorted(
        rule.scopes | {Scope.ADMIN}, key=list(Scope).index
    )
    assert scope in rule.scopes


def test_the_first_fitting_rule_is_never_wider_than_a_later_one() -> None:
    """A rule that stands before a wider form may only take away from it, or say something else."""
    forms = [(rule, rule.path.replace("{}", "a").replace("**", "a/b")) for rule in RULES]
    for rule, path in forms:
        for method in rule.methods.split():
            assert rule_for(method, path) is rule, (method, path)


Shown = Mapping[Scope, str]


async def one_for_each() -> tuple[Tokens, Shown]:
    """Tokens of one scope each."""
    tokens = Tokens(Secret(OWN), InMemoryTokens(), lambda: datetime.now(UTC))
    shown = {}
    for scope in Scope:
        name = TokenName(scope.value.replace(":", "-"))
        made = await tokens.create(name, frozenset({scope}), None)
        assert not isinstance(made, Failure)
        shown[scope] = made.unwrap()[0].reveal()
    return tokens, shown


@pytest.fixture
async def guarded() -> AsyncIterator[tuple[Served, Shown]]:
    tokens, shown = await one_for_each()
    settings = RestSettings(token=Secret(OWN))
    async with serving(settings=settings, tokens=tokens) as server:
        yield server, shown


async def answered(server: Served, method: str, path: str, token: str) -> tuple[int, str]:
    """The status and, of a refusal, the code."""
    headers = {"authorization": f"Bearer {token}"} if token else {}
    async with server.client.stream(method, path, headers=headers) as answer:
        if answer.status_code < 400:
            return answer.status_code, ""
        await answer.aread()
        return answer.status_code, answer.json()["code"]


async def test_each_token_opens_the_routes_of_its_scope_and_no_others(
    guarded: tuple[Served, Shown],
) -> None:
    server, shown = guarded
    for method, path in ROUTES:
        needed = rule_for(method, path).scopes
        anonymous = await answered(server, method, path, "")
        assert (anonymous == (401, "CX3007")) == bool(needed), (method, path, anonymous)
        for scope, token in shown.items():
            outcome = await answered(server, method, path, token)
            refused = bool(needed) and not allows(frozenset({scope}), needed)
            assert (outcome == (403, "CX3021")) == refused, (method, path, scope, outcome)
            assert outcome[0] not in {401, 429}, (method, path, scope, outcome)


async def test_a_path_that_nobody_declared_is_hidden_from_all_but_the_administrator(
    guarded: tuple[Served, Shown],
) -> None:
    server, shown = guarded
    for scope, token in shown.items():
        outcome = await answered(server, "GET", "/nothing", token)
        assert outcome == ((404, "CX3003") if scope is Scope.ADMIN else (403, "CX3021"))
    assert await answered(server, "GET", "/nothing", OWN) == (404, "CX3003")


async def test_what_a_stranger_is_told_does_not_depend_on_what_is_there(
    guarded: tuple[Served, Shown],
) -> None:
    server, shown = guarded
    wrong = shown[Scope.ADMIN][:-1] + "_"
    of_none, of_wrong = set[bytes](), set[bytes]()
    for token, bodies in (("", of_none), ("x", of_wrong), (wrong, of_wrong)):
        for path in ("/agents/greeter", "/agents/nobody", "/nothing"):
            told = {"authorization": f"Bearer {token}".strip(), "x-request-id": "same"}
            answer = await server.client.get(path, headers=told)
            assert answer.status_code == 401
            bodies.add(answer.content)
    assert (len(of_none), len(of_wrong)) == (1, 1)


async def test_a_token_that_was_revoked_opens_nothing_on_an_open_connection(
    guarded: tuple[Served, Shown],
) -> None:
    server, shown = guarded
    assert (await answered(server, "GET", "/agents", shown[Scope.READ]))[0] == 200
    assert (await answered(server, "DELETE", "/tokens/read", shown[Scope.ADMIN]))[0] == 204
    assert await answered(server, "GET", "/agents", shown[Scope.READ]) == (401, "CX3007")


async def test_a_health_token_less_than_read_sees_a_word(guarded: tuple[Served, Shown]) -> None:
    server, shown = guarded
    for scope, token in shown.items():
        answer = await server.client.get("/health", headers={"authorization": f"Bearer {token}"})
        sees_all = scope in {Scope.READ, Scope.ADMIN}
        assert ("version" in answer.json()) == sees_all, scope


@cache
def table() -> set[str]:
    return {scope.value for rule in access.RULES for scope in rule.scopes}


def test_every_scope_opens_something() -> None:
    assert table() == {scope.value for scope in EVERYTHING}
