"""What a person waits for at the prompt loads next to nothing."""

from pathlib import Path

import pytest

from tests.architecture.interpreter import installed, loaded_after

# Costs of a cold start that a status check need not pay: each of them is 5 to 60 ms.
SLOW = {
    "argparse",
    "asyncio",
    "dataclasses",
    "email",
    "http",
    "inspect",
    "logging",
    "pathlib",
    "ssl",
}
RUN = """
import os, sys
os.environ["HOME"] = {home!r}
sys.argv = ["caxton", *{arguments!r}]
from caxton_cli.__main__ import main
main()
"""


@pytest.mark.parametrize(
    "arguments", [["version"], ["server", "status"], ["server", "status", "--json"]]
)
def test_a_status_check_needs_the_standard_library_alone(
    arguments: list[str], tmp_path: object
) -> None:
    loaded = loaded_after(RUN.format(home=str(tmp_path), arguments=arguments))
    assert loaded & installed(but={"caxton"}) == set()
    assert SLOW.isdisjoint(loaded)


def test_the_command_table_loads_no_adapter_and_no_command() -> None:
    loaded = loaded_after(RUN.format(home="/nowhere", arguments=["--help"]))
    assert {"caxton_adapters", "anyio", "litestar", "openai"}.isdisjoint(loaded)


TOOL_SERVERS = """
import anyio
from pathlib import Path
from caxton_adapters.server import *
from caxton_core.primitives import ServerName
from caxton_adapters.mcp.registration import Command, Registration
from tests.mcp_server.serving import InADict

async def main():
    names = [ServerName(f"server{{number}}") for number in range(5)]
    written = {{name: Registration(command=Command("true")) for name in names}}
    clock = SystemClock()
    pins = open_lock(Path({lock!r}), clock, print).unwrap()
    means = ToolMeans(clock, Path("/nowhere"))
    async with tool_servers(
        written, means=means, pins=pins, store=InADict(), may_stand_in=Rulebook().allows
    ) as servers:
        assert len(servers.servers()) == 5
        await anyio.lowlevel.checkpoint()

anyio.run(main)
"""


def test_tool_servers_that_nobody_used_yet_load_nothing_of_their_library(tmp_path: Path) -> None:
    loaded = loaded_after(TOOL_SERVERS.format(lock=str(tmp_path / "caxton.lock")))
    assert {"mcp", "mcp_types", "jsonschema", "pydantic", "httpx2"}.isdisjoint(loaded)
