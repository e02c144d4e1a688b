"""Servers that people really use, over both wires of the protocol."""

import json
import sys
from pathlib import Path

import pytest
from returns.result import Success

from caxton_adapters.mcp.registration import Registration
from caxton_core.reading.tables import read
from caxton_core.tools.tool import ToolFailed, ToolResult, ToolSucceeded
from tests.acceptance.criteria import criterion
from tests.mcp_server import SCRIPT
from tests.mcp_server.serving import call, serving, view
from tests.node import installing
from tests.waiting import until

MODERN = "2026-07-28"
OLDER = "2025-11-25"


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    return tmp_path / "caxton.lock"


@pytest.fixture(scope="session")
def node_modules() -> Path:
    return installing.installed() / "@modelcontextprotocol"


def registered(command: str, *args: str, **keys: object) -> Registration:
    table = {"command": command, "args": list(args), "connect_timeout": "60s", **keys}
    written = read(Registration, table)
    assert isinstance(written, Success)
    return written.unwrap()


def python(module: str, *args: str, **keys: object) -> Registration:
    return registered(sys.executable, "-m", module, *args, **keys)


def modern(**keys: object) -> Registration:
    return registered(sys.executable, str(SCRIPT.with_name("modern.py")), **keys)


def says(result: ToolResult) -> str:
    assert isinstance(result, ToolSucceeded), result
    return result.text


def why(result: ToolResult) -> str:
    assert isinstance(result, ToolFailed), result
    return result.why


@criterion("STORY-020.2")
async def test_the_server_of_times_is_called_over_the_newest_wire(lock: Path) -> None:
    async with serving(lock, {"time": python("mcp_server_time")}) as servers:
        told = says(await call(servers, "time.get_current_time", timezone="Europe/Berlin"))
        assert json.loads(told)["timezone"] == "Europe/Berlin"
        assert view(servers, "time").protocol == MODERN
        assert "Nowhere" in why(
            await call(servers, "time.get_current_time", timezone="Nowhere/Nowhere")
        )


async def test_the_server_of_repositories_is_called(lock: Path) -> None:
    async with serving(lock, {"git": python("mcp_server_git")}) as servers:
        nowhere = str(lock.parent)
        assert why(await call(servers, "git.git_status", repo_path=nowhere))
        assert "'repo_path' is a required property" in why(await call(servers, "git.git_status"))


async def test_the_server_of_pages_refuses_this_machine(lock: Path) -> None:
    async with serving(lock, {"fetch": python("mcp_server_fetch")}) as servers:
        result = why(await call(servers, "fetch.fetch", url="http://127.0.0.1:9/"))
        assert "127.0.0.1" in result


@criterion("STORY-020.2", "STORY-020.D1")
async def test_the_server_of_files_reads_what_it_may(
    lock: Path, tmp_path: Path, node_modules: Path
) -> None:
    place = tmp_path / "docs"
    place.mkdir()
    (place / "may.txt").write_text("all well")
    (tmp_path / "secret.txt").write_text("hidden")
    script = node_modules / "server-filesystem" / "dist" / "index.js"
    written = {"files": registered(str(installing.node()), str(script), str(place))}
    async with serving(lock, written) as servers:
        assert (
            says(await call(servers, "files.read_text_file", path=str(place / "may.txt")))
            == "all well"
        )
        outside = str(tmp_path / "secret.txt")
        assert "denied" in why(await call(servers, "files.read_text_file", path=outside)).lower()
        assert view(servers, "files").protocol == OLDER


@criterion("STORY-020.2")
async def test_the_server_of_everything_is_called(lock: Path, node_modules: Path) -> None:
    script = node_modules / "server-everything" / "dist" / "index.js"
    written = {"all": registered(str(installing.node()), str(script), "stdio")}
    async with serving(lock, written) as servers:
        assert "hello" in says(await call(servers, "all.echo", message="hello"))
        assert "[image: image/png" in says(await call(servers, "all.get-tiny-image"))
        assert "5" in says(await call(servers, "all.get-sum", a=2, b=3))


async def test_a_change_of_the_list_is_heard_over_the_newest_wire(lock: Path) -> None:
    async with serving(lock, {"small": modern()}) as servers:
        await servers.reach(["small"])
        assert view(servers).protocol == MODERN
        generation = servers.generation
        assert says(await call(servers, "small.grow")) == "grown"
        await until(lambda: servers.generation > generation)
        assert says(await call(servers, "small.echo_again", text="hi")) == "hi"


async def test_messages_of_the_newest_wire_are_logged(
    lock: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(lock, {"small": modern()}) as servers:
        assert says(await call(servers, "small.say")) == "said"
        await until(lambda: "a red word" in caplog.text)
