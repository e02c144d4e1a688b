"""A server that stands in for another one: for which calls, and with whose permission."""

import logging
from pathlib import Path

import pytest
from returns.result import Failure, Success

from caxton_adapters.mcp.registration import Registration
from caxton_adapters.mcp.standing_in import followed_at_both, leads_elsewhere
from caxton_adapters.runtime.rulebook import Rulebook, ServerRules
from caxton_adapters.runtime.toolbox import StandsIn
from caxton_core.agent.sections import Permissions
from caxton_core.primitives import JsonObject, PermissionRule, ServerName, ToolName
from caxton_core.tools.tool import ToolFailed, ToolSucceeded
from tests.mcp_server import small_server, small_table
from tests.mcp_server.serving import InADict, call, serving


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    return tmp_path / "caxton.lock"


@pytest.fixture
async def written(lock: Path) -> dict[str, Registration]:
    """A server that cannot be reached, and one that stands in; their tools are approved."""
    async with serving(lock, {"first": small_server(), "small": small_server()}) as servers:
        await servers.reach(["first", "small"])
    return {"first": small_server("exit=start", fallback="small"), "small": small_server()}


def book(allow: str = "", ask: str = "", deny: str = "") -> Rulebook:
    allowed, asked, denied = (
        tuple(map(PermissionRule, rules.split())) for rules in (allow, ask, deny)
    )
    rulebook = Rulebook()
    rulebook.adopt(server=ServerRules(Permissions(allow=allowed, ask=asked, deny=denied)))
    return rulebook


@pytest.mark.parametrize(
    ("rules", "stands_in"),
    [
        (book(), True),
        (book(allow="first.*"), False),
        (book(allow="first.* small.*"), True),
        (book(ask="small.*"), False),
        (book(deny="small.*"), False),
        (book(deny="small.echo:text=/etc/**"), False),
        (book(allow="first.* small.echo:text=/srv/**"), True),
    ],
)
async def test_it_is_called_only_if_its_own_tool_is_allowed_without_asking(
    lock: Path, written: dict[str, Registration], rules: Rulebook, *, stands_in: bool
) -> None:
    async with serving(lock, written, may_stand_in=rules.allows) as servers:
        path = "/srv/x" if "/srv/" in repr(rules) else "/etc/x"
        result = await call(servers, "first.echo", text=path)
        assert isinstance(result, ToolSucceeded) == stands_in
        assert stands_in or "small.echo may not stand in" in repr(result)


async def test_the_rules_see_where_its_own_paths_lead(
    lock: Path, written: dict[str, Registration], tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to("/etc")
    rules = book(deny="small.echo:text=/etc/**")
    async with serving(lock, written, may_stand_in=rules.allows) as servers:
        result = await call(servers, "first.echo", text=f"{tmp_path}/link/passwd")
        assert isinstance(result, ToolFailed)


async def test_the_log_and_the_result_name_the_tool_that_was_called(
    lock: Path, written: dict[str, Registration], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "caxton.mcp")
    async with serving(lock, written) as servers:
        await call(servers, "first.echo", text="hi")
        assert "first.echo: small.echo is called instead" in caplog.text
        assert isinstance(await call(servers, "first.nothing"), ToolFailed)


async def test_a_relative_path_counts_where_both_would_open_the_same_file(
    lock: Path, tmp_path: Path
) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    written = {
        "first": small_server(fallback="spare", cwd=str(here)),
        "second": small_server(fallback="same", cwd=str(here)),
        "spare": small_server(cwd=str(there)),
        "same": small_server(cwd=str(here)),
    }
    async with serving(lock, written) as servers:
        assert servers.real(ToolName("first.echo"), ["x", "/x"]) == {"/x": "/x"}
        assert servers.real(ToolName("second.echo"), ["x"]) == {"x": f"{here}/x"}
        assert servers.real(ToolName("spare.echo"), ["x"]) == {"x": f"{there}/x"}


async def test_an_absolute_path_that_leads_elsewhere_is_not_given_to_a_server_elsewhere(
    tmp_path: Path,
) -> None:
    (tmp_path / "link").symlink_to("/etc")
    here, there = "/srv", None
    link = f"{tmp_path}/link"
    assert leads_elsewhere(there, here, JsonObject.of({"files": [{"path": link}]}))
    assert leads_elsewhere(here, there, JsonObject.of({"path": link}))
    assert not leads_elsewhere(here, here, JsonObject.of({"path": link}))
    assert not leads_elsewhere(there, here, JsonObject.of({"text": "Berlin", "n": 3}))
    assert followed_at_both(here, there, ["x", link]) == {link: "/etc"}


async def test_it_is_not_removed_while_it_stands_in(lock: Path) -> None:
    async with serving(lock, {}, store=InADict()) as servers:
        assert isinstance(await servers.add("spare", small_table()), Success)
        assert isinstance(await servers.add("small", small_table(fallback="spare")), Success)
        assert await servers.remove("spare") == Failure(StandsIn(ServerName("spare"), ("small",)))
        assert isinstance(await servers.remove("small"), Success)
        assert isinstance(await servers.remove("spare"), Success)


async def test_a_registration_outlives_the_server_that_stood_in_for_it(
    lock: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = InADict({"small": JsonObject.of(small_table(fallback="spare"))})
    async with serving(lock, {}, store=store) as servers:
        assert [each.name.value for each in servers.servers()] == ["small"]
        assert "no server is called spare, so none stands in for it" in caplog.text
        assert isinstance(await call(servers, "small.echo", text="hi"), ToolSucceeded)
