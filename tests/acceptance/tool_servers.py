"""Installations with servers of tools, and what such a server notes of what it is asked."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from tests.acceptance.installation import Installation
from tests.cli.command import unused_port
from tests.cli.processes import until_it_answers

ROOT: Final = Path(__file__).parents[2]
SERVER: Final = Path(__file__).parents[1] / "mcp_server" / "server.py"
PROVIDER: Final = '[providers.play]\nkind = "scripted"\nscenario = "scenario.toml"\n'


def command(*options: str) -> tuple[str, ...]:
    """How a small server is run; every option is one of its words."""
    return (sys.executable, "-I", "-S", str(SERVER), *options)


def server_table(name: str, *options: str) -> str:
    """The registration of a small server."""
    program, *args = command(*options)
    return f'\n[mcp.servers.{name}]\ncommand = "{program}"\nargs = {json.dumps(args)}\n'


@contextmanager
def over_http() -> Iterator[str]:
    """The address of a server of tools that answers over HTTP."""
    port = unused_port()
    run = f"from tests.mcp_server.modern import server; server.run('streamable-http', port={port})"
    process = subprocess.Popen(
        [sys.executable, "-c", run], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        until_it_answers(int(port), process)
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        process.kill()
        process.wait()


def notes(path: Path) -> list[str]:
    """What happened at the server, in its own words."""
    return path.read_text("utf-8").splitlines() if path.exists() else []


def tool_names(server: Installation, *options: str) -> list[str]:
    """The tools as the command line lists them."""
    listed = server.run("tools", "list", "--json", *options)
    assert listed.code == 0, listed.err
    return [tool["name"] for tool in json.loads(listed.out)["tools"]]


def called(server: Installation, tool: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """What comes of a call by hand: the result, or the problem."""
    return server.asked("POST", f"/tools/{tool}/call", {"arguments": arguments}).document
