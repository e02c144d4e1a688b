"""What the kernel bounds in a program: it has exactly these limits, and dies of them alone."""

import json
import logging
import resource
from pathlib import Path

import pytest

from caxton_core.tools.tool import ToolFailed, ToolResult, ToolSucceeded
from tests.mcp_server import small_server
from tests.mcp_server.serving import call, serving, view
from tests.waiting import until

MIB = 1024 * 1024


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    return tmp_path / "caxton.lock"


def says(result: ToolResult) -> str:
    assert isinstance(result, ToolSucceeded), result
    return result.text


def ours() -> dict[str, list[int]]:
    names = (each for each in dir(resource) if each.startswith("RLIMIT_"))
    return {each: list(resource.getrlimit(getattr(resource, each))) for each in names}


@pytest.mark.parametrize(
    ("written", "memory", "files", "size"),
    [
        ({}, None, 4096, 8 * 1024 * MIB),
        ({"memory": "512MB", "open_files": 100, "file_size": "1MB"}, 512 * MIB, 100, MIB),
    ],
)
async def test_a_program_has_exactly_these_limits(
    lock: Path, written: dict[str, object], memory: int | None, files: int, size: int
) -> None:
    async with serving(lock, {"small": small_server(limits=written)}) as servers:
        found = json.loads(says(await call(servers, "small.environment")))["limits"]
    wanted = {"CORE": 0, "NOFILE": files, "OFILE": files, "FSIZE": size}
    wanted |= {} if memory is None else {"DATA": memory}
    assert found == {**ours(), **{f"RLIMIT_{key}": [most, most] for key, most in wanted.items()}}


async def test_no_limit_is_above_that_of_caxton_itself(lock: Path) -> None:
    _, highest = resource.getrlimit(resource.RLIMIT_NOFILE)
    written = small_server(limits={"open_files": 1_000_000})
    async with serving(lock, {"small": written}) as servers:
        found = json.loads(says(await call(servers, "small.environment")))["limits"]
    assert found["RLIMIT_NOFILE"] == [min(highest, 1_000_000)] * 2


@pytest.mark.parametrize(
    ("tool", "arguments", "told"),
    [
        ("grow", {"bytes": 500 * MIB}, "its `limits.memory` is 100MB"),
        ("open_files", {"number": 60}, "its `limits.open_files` is 50"),
        ("write_file", {"bytes": 2 * MIB}, "its `limits.file_size` is 1MB"),
    ],
)
async def test_a_program_that_wants_more_ends_alone_and_is_started_again(
    lock: Path,
    caplog: pytest.LogCaptureFixture,
    tool: str,
    arguments: dict[str, object],
    told: str,
) -> None:
    caplog.set_level(logging.INFO, "caxton.mcp")
    limits = {"memory": "100MB", "open_files": 50, "file_size": "1MB"}
    written = {"small": small_server(limits=limits), "other": small_server()}
    async with serving(lock, written) as servers:
        await servers.reach(written)
        result = await call(servers, f"small.{tool}", **arguments)
        assert isinstance(result, ToolFailed)
        assert "was lost during the call" in result.why
        await until(lambda: view(servers).connects == 2)
        assert "small: no connection: it closed its output" in caplog.text
        assert caplog.text.count(told) == caplog.text.count("; its `limits.") == 1
        assert says(await call(servers, "small.echo", text="hi")) == "hi"
        assert view(servers, "other").connects == 1


async def test_what_stays_within_its_limits_lives(lock: Path) -> None:
    limits = {"memory": "100MB", "open_files": 50, "file_size": "2MB"}
    async with serving(lock, {"small": small_server(limits=limits)}) as servers:
        assert says(await call(servers, "small.grow", bytes=20 * MIB)) == str(20 * MIB)
        assert says(await call(servers, "small.open_files", number=30)) == "30"
        assert says(await call(servers, "small.write_file", bytes=2 * MIB)) == str(2 * MIB)
        assert view(servers).connects == 1
