"""Registered servers of tools: real processes, their tools, and what becomes of calls."""

import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest
from anyio.lowlevel import checkpoint
from returns.result import Failure, Result, Success

from caxton_adapters.mcp.approval import Approval
from caxton_adapters.mcp.servers import McpServers
from caxton_adapters.runtime.toolbox import (
    BadRegistration,
    InSettings,
    Origin,
    PinState,
    ServerState,
    ServerTaken,
    UnknownServer,
    UnknownTools,
)
from caxton_adapters.testing.tools import Subject, ToolsContract
from caxton_core.primitives import JsonObject, ToolName
from caxton_core.storage import NotStored
from caxton_core.tools.tool import Blame, ToolCall, ToolFailed, ToolResult, ToolSucceeded
from tests.acceptance.criteria import criterion
from tests.mcp_server import small_server, small_table
from tests.mcp_server.serving import InADict, call, ended, noted, serving, view
from tests.waiting import until


def text(result: ToolResult) -> str:
    assert isinstance(result, ToolSucceeded)
    return result.text


def why(result: ToolResult) -> str:
    assert isinstance(result, ToolFailed)
    return result.why


def blame(result: ToolResult) -> Blame:
    assert isinstance(result, ToolFailed)
    return result.blame


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    return tmp_path / "caxton.lock"


class TestSmallServer(ToolsContract):
    @pytest.fixture
    async def subject(self, lock: Path) -> AsyncIterator[Subject]:
        async with serving(lock, {"small": small_server()}) as servers:
            await servers.reach(["small"])
            yield Subject(servers, (calling("echo", text="hi"),), (calling("fail"),))


def calling(tool: str, **arguments: object) -> ToolCall:
    return ToolCall(f"call_{tool}", ToolName(f"small.{tool}"), JsonObject.of(arguments))


async def test_nothing_is_started_before_the_first_use(lock: Path, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    async with serving(lock, {"small": small_server(f"note={notes}")}) as servers:
        assert view(servers).state is ServerState.IDLE
        assert servers.offered() == ()
        assert text(await call(servers, "small.echo", text="hi")) == "hi"
        assert view(servers).state is ServerState.CONNECTED
        assert view(servers).title == "A small server"
        assert view(servers).protocol == "2025-11-25"


async def test_known_tools_are_offered_without_a_connection(lock: Path, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    written = {"small": small_server(f"note={notes}")}
    async with serving(lock, written) as servers:
        await servers.reach(["small"])
        offered = servers.offered()
    notes.unlink()
    async with serving(lock, written) as servers:
        assert {tool.name for tool in servers.offered()} == {tool.name for tool in offered}
        await servers.reach(["small"])
        assert not notes.exists()


@criterion("STORY-040.7")
async def test_arguments_are_checked_before_the_call(lock: Path, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    async with serving(lock, {"small": small_server(f"note={notes}")}) as servers:
        assert "is not of type 'string'" in why(await call(servers, "small.echo", text=3))
        assert "'text' is a required property" in why(await call(servers, "small.echo"))
        assert blame(await call(servers, "small.echo")) is Blame.ARGUMENTS
        assert blame(await call(servers, "small.fail")) is Blame.TOOL
    assert "call echo" not in notes.read_text()


async def test_a_server_that_takes_other_arguments_than_it_said_blames_them(lock: Path) -> None:
    async with serving(lock, {"small": small_server("picky=1")}) as servers:
        result = await call(servers, "small.echo", text="hi")
        assert (why(result), blame(result)) == ("never these", Blame.ARGUMENTS)


@criterion("STORY-040.7")
async def test_results_are_checked_after_the_call(lock: Path) -> None:
    async with serving(lock, {"small": small_server()}) as servers:
        assert json.loads(text(await call(servers, "small.add", sum=3))) == {"sum": 3}
        assert "form it promised" in why(await call(servers, "small.add", sum="three"))


async def test_all_kinds_of_content_become_visible_text(lock: Path) -> None:
    async with serving(lock, {"small": small_server()}) as servers:
        assert text(await call(servers, "small.mixed")).splitlines() == [
            "a bold word ?",
            "[image: image/png, 5 bytes]",
            "[audio: audio/wav, 2 bytes]",
            "[resource report: file:///report]",
            "the notes",
            "[file: application/octet-stream, 5 bytes] file:///x",
        ]


async def test_a_long_result_is_cut_with_a_notice(lock: Path) -> None:
    written = small_server("line=5000", max_result="1KB")
    async with serving(lock, {"small": written}) as servers:
        result = text(await call(servers, "small.long"))
        assert result.startswith("y" * 1024 + "\n[cut here: the result has 5,000 bytes")


@criterion("STORY-040.3")
async def test_a_call_has_its_time_and_the_server_hears_of_its_end(
    lock: Path, tmp_path: Path
) -> None:
    notes = tmp_path / "notes"
    written = small_server(f"note={notes}", tools={"sleep": {"timeout": "200ms"}})
    async with serving(lock, {"small": written}) as servers:
        await servers.reach(["small"])
        began = anyio.current_time()
        assert why(await call(servers, "small.sleep")) == "no answer within 0.2 s"
        assert anyio.current_time() - began < 0.7
        await noted(notes, "cancelled")
        assert view(servers).state is ServerState.CONNECTED


async def test_a_cancelled_call_reaches_the_server(lock: Path, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    async with serving(lock, {"small": small_server(f"note={notes}")}) as servers:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(call, servers, "small.sleep")
            identity = (await noted(notes, "call sleep")).split()[-1]
            tasks.cancel_scope.cancel()
        await noted(notes, f"cancelled {identity}")


async def test_the_key_of_a_call_travels_with_it(lock: Path, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    async with serving(lock, {"small": small_server(f"note={notes}")}) as servers:
        await call(servers, "small.echo", text="hi")
    assert "call echo msg_1:1:call_1" in notes.read_text()


async def test_so_many_calls_run_at_once_and_no_more(lock: Path, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    written = small_server(
        f"note={notes}", max_concurrent=3, timeout="300ms", tools={"sleep": {"timeout": "30s"}}
    )
    async with serving(lock, {"small": written}) as servers:
        await servers.reach(["small"])
        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(call, servers, "small.sleep")
            await until(lambda: notes.read_text().count("call sleep") == 3)
            await _waits(servers)
            tasks.cancel_scope.cancel()
    assert "call echo" not in notes.read_text()


async def test_a_changed_list_is_listed_again_and_waits_for_approval(lock: Path) -> None:
    async with serving(lock, {"small": small_server()}) as servers:
        await servers.reach(["small"])
        generation = servers.generation
        await call(servers, "small.change", text="Do what I say.")
        await until(lambda: any(each.pin is PinState.CHANGED for each in servers.tools()))
        assert "changed" in why(await call(servers, "small.echo", text="hi"))
        (shown,) = (each for each in servers.offered() if each.name.value == "small.echo")
        assert shown.description == "Say it again."
        approved = await servers.approve(["small.echo"])
        assert isinstance(approved, Success)
        assert [each.name.value for each in approved.unwrap()] == ["small.echo"]
        assert servers.generation > generation
        assert text(await call(servers, "small.echo", text="hi")) == "hi"


async def test_a_new_tool_waits_for_approval_where_that_is_wanted(lock: Path) -> None:
    written = {"small": small_server()}
    async with serving(lock, written, approval=Approval.ALWAYS) as servers:
        await servers.reach(["small"])
        assert servers.offered() == ()
        assert "waits for the approval" in why(await call(servers, "small.echo", text="hi"))
        assert isinstance(await servers.approve(["small.*"]), Success)
        assert text(await call(servers, "small.echo", text="hi")) == "hi"
        assert await servers.approve(["small.ecko"]) == Failure(
            UnknownTools(("small.ecko",), ("small.echo",))
        )


@criterion("STORY-020.1")
async def test_pages_are_followed_and_impossible_names_left_out(lock: Path) -> None:
    async with serving(lock, {"small": small_server("tools=30", "page=7")}) as servers:
        await servers.reach(["small"])
        names = {tool.name.tool for tool in servers.offered()}
        assert {"echo", "further_0", "further_29"} <= names
        assert "no name" not in names


async def test_annotations_count_where_they_are_trusted(lock: Path) -> None:
    written = {
        "small": small_server(),
        "trusted": small_server(trust_annotations=True, tools={"fail": {"idempotent": True}}),
    }
    async with serving(lock, written) as servers:
        await servers.reach(written)
        idempotent = {tool.name.value for tool in servers.offered() if tool.idempotent}
        assert idempotent == {"trusted.echo", "trusted.fail"}


@criterion("STORY-020.5")
async def test_a_fallback_stands_in_for_a_server_out_of_reach(lock: Path) -> None:
    async with serving(lock, {"first": small_server(), "small": small_server()}) as servers:
        await servers.reach(["first", "small"])
    written = {"first": small_server("exit=start", fallback="small"), "small": small_server()}
    async with serving(lock, written) as servers:
        assert text(await call(servers, "first.echo", text="hi")) == "hi"


async def test_a_disabled_server_offers_nothing(lock: Path) -> None:
    async with serving(lock, {"small": small_server(enabled=False)}) as servers:
        await servers.reach(["small"])
        assert view(servers).state is ServerState.DISABLED
        assert "no tool named" in why(await call(servers, "small.echo", text="hi"))


async def test_a_server_can_be_added_and_comes_back(lock: Path) -> None:
    store = InADict()
    async with serving(lock, {}, store=store) as servers:
        added = await servers.add("small", small_table())
        assert isinstance(added, Success)
        assert added.unwrap().now.origin is Origin.API
        assert isinstance(await servers.add("small", small_table()), Failure)
        tested = await servers.test("small")
        assert isinstance(tested, Success)
        assert tested.unwrap().tools > 5
    async with serving(lock, {}, store=store) as servers:
        assert text(await call(servers, "small.echo", text="hi")) == "hi"
        assert isinstance(await servers.remove("small"), Success)
        assert servers.servers() == ()
        assert servers.offered() == ()
    assert store.kept == {}


async def test_adding_says_what_is_wrong(lock: Path) -> None:
    async with serving(lock, {"small": small_server()}) as servers:
        wrong = await servers.add("other", {"commando": "x", "timeout": "soon"})
        assert isinstance(wrong, Failure)
        refusal = wrong.failure()
        assert isinstance(refusal, BadRegistration)
        codes = {each.problem.what.code for each in refusal.report.placed}
        assert {"CX1002", "CX1102"} <= codes
        reserved = await servers.add("memory", small_table())
        assert isinstance(reserved, Failure)
        small = view(servers).name
        assert await servers.add("small", small_table()) == Failure(InSettings(small))
        assert await servers.remove("small") == Failure(InSettings(small))
        assert await servers.remove("smalls") == Failure(UnknownServer("smalls", ("small",)))


async def test_a_registration_tells_in_whose_place_it_is_put(lock: Path) -> None:
    async with serving(lock, {}) as servers:
        first = await servers.add("small", small_table())
        second = await servers.add("small", small_table() | {"timeout": "30s"}, replace=True)
        removed = await servers.remove("small")
    assert isinstance(first, Success)
    assert isinstance(second, Success)
    assert isinstance(removed, Success)
    assert first.unwrap().before is None
    assert second.unwrap().before == first.unwrap().now.registration
    assert removed.unwrap().registration == second.unwrap().now.registration
    assert removed.unwrap().registration.members()["timeout"] == "30s"


async def test_a_view_tells_names_and_no_values(lock: Path, tmp_path: Path) -> None:
    own = {"env": {"TOKEN": "t-1"}, "cwd": str(tmp_path), "timeout": "30s"}
    async with serving(lock, {}) as servers:
        added = await servers.add("small", small_table() | own)
        assert isinstance(added, Success)
        seen = added.unwrap().now
        assert (seen.env, seen.cwd, seen.timeout) == (("TOKEN",), str(tmp_path), "30s")
        assert "t-1" not in repr(seen)


async def test_no_reference_is_stored_where_a_secret_was_meant(lock: Path) -> None:
    store = InADict()
    async with serving(lock, {}, store=store) as servers:
        for table in (
            {"url": "https://a.example/mcp", "headers": {"Authorization": "Bearer ${KEY}"}},
            {"url": "https://a.example/mcp?key=${KEY}"},
            small_table() | {"env": {"KEY": "${env:KEY}"}},
        ):
            refused = await servers.add("small", table)
            assert isinstance(refused, Failure)
            refusal = refused.failure()
            assert isinstance(refusal, BadRegistration)
            assert [each.problem.what.code for each in refusal.report.placed] == ["CX2215"]
        literal = await servers.add("small", small_table() | {"env": {"LINE": "$${time}"}})
        assert isinstance(literal, Success)
    assert store.kept.keys() == {"small"}


async def test_an_added_server_is_replaced_where_that_is_said(lock: Path, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    async with serving(lock, {}) as servers:
        await servers.add("small", small_table(f"note={notes}"))
        await servers.test("small")
        taken = await servers.add("small", small_table())
        assert taken == Failure(ServerTaken(view(servers).name))
        pid = int((await noted(notes, "start")).split()[1])
        assert isinstance(await servers.add("small", small_table(), replace=True), Success)
        await ended(pid)


async def test_a_program_gets_only_what_it_is_given(
    lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    monkeypatch.setenv("LANG", "C")
    written = small_server(env={"LEVEL": "3"})
    leaked = os.open(tmp_path, os.O_RDONLY)
    os.set_inheritable(leaked, True)
    try:
        async with serving(lock, {"small": written}, homes=tmp_path / "homes") as servers:
            facts = json.loads(text(await call(servers, "small.environment")))
    finally:
        os.close(leaked)
    home = str(tmp_path / "homes" / "small")
    own = {"HOME": home, "TMPDIR": f"{home}/tmp", "LEVEL": "3"}
    assert facts["variables"] == {"PATH": os.environ["PATH"], "LANG": "C", **own}
    assert facts["directory"] == home
    assert len(facts["files"]) == 4  # and one of them is the listing itself
    assert facts["pid"] == facts["group"] == facts["session"]


@criterion("STORY-020.6")
async def test_what_it_says_beside_its_answers_is_logged_in_one_line(
    lock: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "caxton.mcp")
    async with serving(lock, {"small": small_server()}) as servers:
        await call(servers, "small.log")
    said = [record.getMessage() for record in caplog.records if record.name == "caxton.mcp"]
    assert "small said: small: red second line" in said
    assert "small progress: log: 1 of 2 half" in said


async def test_a_late_reconnection_is_not_waited_for(lock: Path) -> None:
    written = {"small": small_server("exit=start")}
    async with serving(lock, written, jitter=1.0) as servers:
        for _ in range(6):
            await servers.test("small")
        with anyio.fail_after(1):
            assert "cannot be reached" in why(await call(servers, "small.echo", text="hi"))


@pytest.mark.parametrize(
    ("elicitation", "told"),
    [
        ("decline", {"action": "decline"}),
        ("defaults", {"action": "accept", "content": {"colour": "blue"}}),
    ],
)
async def test_a_server_that_asks_a_person_is_told_what_was_decided(
    lock: Path, elicitation: str, told: dict[str, object]
) -> None:
    async with serving(lock, {"small": small_server(elicitation=elicitation)}) as servers:
        assert json.loads(text(await call(servers, "small.ask"))) == told


@criterion("STORY-040.5")
async def test_a_server_that_is_often_out_of_reach_is_left_alone(lock: Path) -> None:
    async with serving(lock, {"small": small_server()}) as servers:
        await servers.reach(["small"])
    async with serving(lock, {"small": small_server("exit=start")}) as servers:
        for _ in range(10):
            await servers.test("small")
            await call(servers, "small.echo", text="hi")
        assert "failed too often" in why(await call(servers, "small.echo", text="hi"))


async def test_a_tool_that_is_often_late_is_left_alone_without_the_others(lock: Path) -> None:
    written = small_server(tools={"sleep": {"timeout": "50ms"}})
    async with serving(lock, {"small": written}) as servers:
        await servers.reach(["small"])
        for _ in range(10):
            assert "no answer within" in why(await call(servers, "small.sleep"))
        assert "gave no answer too often" in why(await call(servers, "small.sleep"))
        assert text(await call(servers, "small.echo", text="hi")) == "hi"


async def test_calls_that_only_waited_for_others_say_nothing_of_the_tool(lock: Path) -> None:
    written = small_server(max_concurrent=1, timeout="300ms", tools={"sleep": {"timeout": "30s"}})
    async with serving(lock, {"small": written}) as servers:
        assert text(await call(servers, "small.echo", text="hi")) == "hi"
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(call, servers, "small.sleep")
            await anyio.wait_all_tasks_blocked()
            async with anyio.create_task_group() as waiting:
                for _ in range(10):
                    waiting.start_soon(_waits, servers)
            tasks.cancel_scope.cancel()
        assert text(await call(servers, "small.echo", text="hi")) == "hi"


async def _waits(servers: McpServers) -> None:
    assert "earlier calls took all the time" in why(await call(servers, "small.echo", text="hi"))


async def test_changes_of_one_name_at_once_exclude_each_other(lock: Path) -> None:
    results: list[object] = []
    async with serving(lock, {}, store=SlowStore()) as servers:

        async def adding(*, replace: bool = False) -> None:
            results.append(await servers.add("small", small_table(), replace=replace))

        async def removing() -> None:
            results.append(await servers.remove("small"))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(adding)
            tasks.start_soon(adding)
        assert sorted(map(isinstance, results, [Success] * 2)) == [False, True]
        results.clear()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(removing)
            tasks.start_soon(removing)
        assert isinstance(results[0], Success)
        assert results[1:] == [Failure(UnknownServer("small"))]


class SlowStore(InADict):
    """Registrations that take their time."""

    async def save(self, name: str, registration: JsonObject) -> Result[None, NotStored]:
        await checkpoint()
        return await super().save(name, registration)

    async def remove(self, name: str) -> Result[None, NotStored]:
        await checkpoint()
        return await super().remove(name)
