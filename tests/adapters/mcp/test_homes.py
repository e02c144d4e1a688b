"""The directory of a program: where it lives, what is left of it, and that no link leads out."""

import json
import logging
import os
from pathlib import Path

import pytest
from returns.result import Success

from caxton_adapters.mcp.homes import Home
from caxton_adapters.mcp.servers import McpServers
from caxton_core.tools.tool import ToolFailed, ToolResult, ToolSucceeded
from tests.mcp_server import SCRIPT, small_server, small_table
from tests.mcp_server.serving import call, serving

LEVELS = 3000


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    return tmp_path / "caxton.lock"


@pytest.fixture
def homes(tmp_path: Path) -> Path:
    return tmp_path / "data" / "homes"


def why(result: ToolResult) -> str:
    assert isinstance(result, ToolFailed)
    return result.why


async def facts(servers: McpServers, name: str = "small") -> dict[str, object]:
    result = await call(servers, f"{name}.environment")
    assert isinstance(result, ToolSucceeded), result
    found: dict[str, object] = json.loads(result.text)
    return found


def places(found: dict[str, object]) -> tuple[object, object, object]:
    variables = found["variables"]
    assert isinstance(variables, dict)
    return found["directory"], variables["HOME"], variables["TMPDIR"]


def names(directory: Path) -> list[str]:
    return sorted(each.name for each in directory.iterdir())


def link(place: Path, *, to: Path) -> None:
    """Lay a link in the way of a program's directory."""
    to.mkdir(0o755)
    (to / "file").write_text("of somebody")
    place.parent.mkdir(parents=True)
    place.symlink_to(to)


async def test_each_program_lives_in_a_directory_of_its_own(lock: Path, homes: Path) -> None:
    written = {"small": small_server(), "other": small_server()}
    before = os.umask(0)
    try:
        async with serving(lock, written, homes=homes) as servers:
            for name in written:
                home = str(homes / name)
                assert places(await facts(servers, name)) == (home, home, f"{home}/tmp")
    finally:
        os.umask(before)
    for each in (homes, homes / "small", homes / "small" / "tmp"):
        assert each.stat().st_mode & 0o777 == 0o700


async def test_what_it_keeps_is_there_at_its_next_start_without_temporary_files(
    lock: Path, homes: Path
) -> None:
    written = {"small": small_server()}
    async with serving(lock, written, homes=homes) as servers:
        await facts(servers)
    (homes / "small" / "kept").write_text("a cache")
    (homes / "small" / "tmp" / "deep").mkdir()
    (homes / "small" / "tmp" / "deep" / "rest").write_text("of a killed program")
    async with serving(lock, written, homes=homes) as servers:
        await facts(servers)
    assert (homes / "small" / "kept").read_text() == "a cache"
    assert names(homes / "small" / "tmp") == []


async def test_the_operator_may_have_it_live_elsewhere(lock: Path, tmp_path: Path) -> None:
    own = {"HOME": "/home/me", "TMPDIR": "/var/tmp"}
    written = small_server(env=own, cwd=str(tmp_path))
    async with serving(lock, {"small": written}) as servers:
        assert places(await facts(servers)) == (str(tmp_path), "/home/me", "/var/tmp")


@pytest.mark.parametrize("way", ["small", "small/tmp"])
async def test_no_link_in_the_way_is_followed(
    lock: Path, homes: Path, tmp_path: Path, way: str
) -> None:
    link(homes / way, to=tmp_path / "elsewhere")
    async with serving(lock, {"small": small_server()}, homes=homes) as servers:
        told = why(await call(servers, "small.echo", text="hi"))
        assert f"{homes / 'small'} cannot be the program's directory" in told
    assert names(tmp_path / "elsewhere") == ["file"]
    assert (tmp_path / "elsewhere").stat().st_mode & 0o777 == 0o755


async def test_a_directory_goes_when_its_server_is_removed_and_stays_otherwise(
    lock: Path, homes: Path
) -> None:
    async with serving(lock, {"set": small_server()}, homes=homes) as servers:
        assert isinstance(await servers.add("small", small_table()), Success)
        await facts(servers)
        await facts(servers, "set")
        (homes / "small" / "kept").write_text("a cache")
        assert isinstance(await servers.add("small", small_table(), replace=True), Success)
        await facts(servers)
        assert (homes / "small" / "kept").exists()
        assert isinstance(await servers.remove("small"), Success)
    assert names(homes) == ["set"]


async def test_a_server_that_never_ran_is_removed(lock: Path, homes: Path) -> None:
    async with serving(lock, {}, homes=homes) as servers:
        await servers.add("small", small_table())
        assert isinstance(await servers.remove("small"), Success)


async def test_a_directory_that_cannot_be_deleted_is_told_in_the_log(
    lock: Path, homes: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR, "caxton.mcp")
    link(homes / "small", to=lock.parent / "elsewhere")
    async with serving(lock, {}, homes=homes) as servers:
        await servers.add("small", small_table())
        assert isinstance(await servers.remove("small"), Success)
    assert f"small: {homes / 'small'} cannot be deleted" in caplog.text
    assert names(lock.parent / "elsewhere") == ["file"]


def test_whatever_a_program_left_is_deleted_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").write_text("of somebody")
    home = Home(tmp_path / "homes" / "small")
    home.make()
    (home.path / "link").symlink_to(tmp_path / "kept")
    (home.path / "read-only" / "inner").mkdir(parents=True)
    (home.path / "read-only" / "inner" / "file").write_text("of a package")
    (home.path / "read-only" / "inner").chmod(0o500)
    (home.path / "read-only").chmod(0o500)
    nest(home.temporary, LEVELS)
    home.delete()
    assert names(tmp_path / "homes") == []
    assert (tmp_path / "kept" / "file").read_text() == "of somebody"


def nest(directory: Path, levels: int) -> None:
    """Make directories within directories, deeper than a path can say."""
    here = os.open(directory, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir("deeper", dir_fd=here)
        below = os.open("deeper", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)


@pytest.fixture
def beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where Caxton runs: a directory with a program, and with the small server's script."""
    place = tmp_path / "beside"
    (place / "bin").mkdir(parents=True)
    (place / "server.py").write_text(SCRIPT.read_text())
    (place / "bin" / "serve").symlink_to(str(small_table()["command"]))
    monkeypatch.chdir(place)
    return place


async def test_a_program_with_a_relative_path_is_sought_where_caxton_runs(
    lock: Path, beside: Path
) -> None:
    written = small_server(command="bin/serve")
    async with serving(lock, {"small": written}) as servers:
        assert (await facts(servers))["directory"] != str(beside)


@pytest.mark.parametrize("argument", ["server.py", "--script=server.py", "bin/serve"])
async def test_an_argument_that_meant_a_file_there_is_refused_with_a_way_out(
    lock: Path, beside: Path, argument: str
) -> None:
    written = small_server(command=str(beside / "bin" / "serve"), args=["-I", "-S", argument])
    async with serving(lock, {"small": written}) as servers:
        told = why(await call(servers, "small.echo", text="hi"))
    assert f"its argument {argument} would be sought in a directory of its own" in told
    assert "write its whole path, or where the program begins (`cwd`)" in told


async def test_a_variable_that_meant_a_file_there_is_named_without_its_value(
    lock: Path, beside: Path
) -> None:
    (beside / "store.json").touch()
    async with serving(lock, {"small": small_server(env={"STORE": "store.json"})}) as servers:
        told = why(await call(servers, "small.echo", text="hi"))
    assert "its variable STORE would be sought" in told
    assert "store.json" not in told


async def test_relative_paths_begin_in_the_directory_that_is_given(
    lock: Path, beside: Path
) -> None:
    written = small_server(command="bin/serve", args=["-I", "-S", "server.py"], cwd=".")
    async with serving(lock, {"small": written}) as servers:
        assert (await facts(servers))["directory"] == str(beside)
