"""`caxton mcp login`: the command, the browser, and the server that uses the login afterwards."""

import json
import re
import subprocess

import httpx2
from anyio import to_thread

from tests.cli.command import Shell
from tests.remote_tools import Protected, remote_tools

SETTINGS = """
[mcp.servers.files]
url = "{url}"
oauth = {{ scopes = ["tools"] }}

[mcp.servers.local]
command = "true"
"""


async def agree(command: "subprocess.Popen[str]") -> None:
    """What a person does with the page that the command names."""
    assert command.stdout is not None
    printed = ""
    while (found := re.search(r"^ +(http\S+)\n", printed, re.MULTILINE)) is None:
        line = await to_thread.run_sync(command.stdout.readline)
        assert line, printed
        printed += line
    async with httpx2.AsyncClient(follow_redirects=True) as browser:
        await browser.get(found[1])


async def test_a_person_logs_in_and_a_server_that_runs_uses_the_login(shell: Shell) -> None:
    guard = Protected()
    async with remote_tools(around=guard.around) as server:
        shell.write("caxton.toml", SETTINGS.format(url=server.url))
        started = await to_thread.run_sync(shell.run, "server", "start", "--port", "0")
        assert started.code == 0, started.err
        try:
            before = await to_thread.run_sync(shell.run, "mcp", "test", "files")
            assert "caxton mcp login files" in before.err
            command = shell.spawn("mcp", "login", "files", "--no-browser")
            await agree(command)
            _, said = await to_thread.run_sync(command.communicate)
            assert (command.returncode, "offers 3 tools" in said) == (0, True), said
            after = await to_thread.run_sync(shell.run, "mcp", "test", "files", "--json")
            assert after.code == 0, after.err
            assert json.loads(after.out)["state"] == "connected"
        finally:
            stopped = await to_thread.run_sync(shell.run, "server", "stop", "--force")
        assert stopped.code == 0
    log = next(shell.directory.rglob("*.log")).read_text()
    assert "access-1" not in log


def test_there_is_no_login_to_a_command(shell: Shell) -> None:
    shell.write("caxton.toml", SETTINGS.format(url="https://tools.example.org/mcp"))
    done = shell.run("mcp", "login", "local")
    assert (done.code, "has no login" in done.err) == (5, True)


def test_there_is_no_login_to_a_server_that_is_not_registered(shell: Shell) -> None:
    done = shell.run("mcp", "login", "files")
    assert done.code == 1
    assert "[mcp.servers.files]" in done.err


def test_a_server_that_is_not_there_is_told(shell: Shell) -> None:
    shell.write("caxton.toml", SETTINGS.format(url="http://127.0.0.1:9/mcp"))
    done = shell.run("mcp", "login", "files", "--no-browser")
    assert done.code == 5
    assert "no login to files: " in done.err
