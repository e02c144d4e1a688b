"""`caxton mcp test` where no server of Caxton runs: the command connects by itself."""

import json
from pathlib import Path

import pytest

from tests.acceptance.tool_servers import server_table
from tests.cli.command import Ended, Shell, unused_port


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A shell at whose address nobody answers."""
    return Shell(tmp_path, {"CAXTON_PORT": unused_port()})


def tried(shell: Shell, name: str, *options: str, code: int = 0) -> Ended:
    ended = shell.run("mcp", "test", name, *options)
    assert ended.code == code, ended.err
    return ended


def test_a_server_of_the_settings_is_tried_and_nothing_of_it_is_approved(shell: Shell) -> None:
    shell.write("caxton.toml", server_table("small"))
    told = tried(shell, "small")
    assert "state      connected" in told.out
    assert "no server runs, so it was tried from here" in told.err
    found = json.loads(tried(shell, "small", "--json").out)
    assert (found["name"], found["state"], found["tools"] > 5) == ("small", "connected", True)
    data = shell.directory / "data"
    assert (data / "tool-servers" / "small" / "tmp").is_dir()
    assert not (data / "caxton.lock").exists()


def test_what_fails_is_told_as_a_server_would(shell: Shell) -> None:
    shell.write("caxton.toml", server_table("small", "exit=start"))
    failed = tried(shell, "small", code=1)
    assert "[CX4057]" in failed.err
    assert "exit code 3" in failed.err


def test_what_only_a_server_knows_needs_one(shell: Shell) -> None:
    assert "caxton server start" in tried(shell, "small", code=3).err
    shell.write("caxton.toml", server_table("small"))
    address = ("--url", "http://127.0.0.1:1")
    assert "caxton server start" in tried(shell, "small", *address, code=3).err


def test_the_directory_of_a_server_that_runs_is_left_to_it(shell: Shell) -> None:
    shell.write("caxton.toml", server_table("small"))
    assert shell.run("server", "start", "--port", "0").code == 0
    try:
        assert "tried from here" not in tried(shell, "small").err
    finally:
        assert shell.run("server", "stop", "--force").code == 0
