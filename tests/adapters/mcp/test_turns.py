"""An agent calls tools of a registered server within its turns, and no others."""

import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from caxton_adapters.embedded import embedded, openai
from tests.acceptance.criteria import criterion
from tests.acceptance.installation import installed, said
from tests.mcp_server import SCRIPT, small_server
from tests.mcp_server.serving import ended, noted, serving
from tests.model_server import ModelServer, model_server

CLERK = """
name = "clerk"
system_prompt = "You file."
tools = ["small.*"]
[permissions]
allow = ["small.echo:text=public*", "small.fail"]
[llm]
model = "gpt-4o-mini"
"""


@pytest.fixture(scope="module")
def service() -> Iterator[ModelServer]:
    with model_server() as running:
        yield running


@criterion("STORY-020.3", "STORY-020.4")
@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ('call small__echo {"text": "public words"}', "public words"),
        ('call small__echo {"text": "private words"}', "not permitted"),
        ("call small__fail {}", "it went wrong"),
    ],
)
async def test_a_turn_calls_what_its_agent_was_granted(
    tmp_path: Path, service: ModelServer, asked: str, told: str
) -> None:
    async with serving(tmp_path / "lock", {"small": small_server()}) as servers:
        await servers.reach(["small"])
        provider = openai(base_url=service.url, api_key="any")
        async with embedded(provider, tools=servers) as caxton:
            await caxton.deploy(CLERK)
            answer = await caxton.send("clerk", asked)
    assert told in answer.text


async def test_a_server_has_the_tools_of_its_settings_and_they_end_with_it(
    tmp_path: Path, service: ModelServer
) -> None:
    notes = tmp_path / "notes"
    settings = f"""
    [providers.openai]
    kind = "openai"
    base_url = "{service.url}"
    [mcp.servers.small]
    command = "{sys.executable}"
    args = ["-I", "-S", "{SCRIPT}", "note={notes}", "children=1", "deaf=1"]
    """
    with installed(tmp_path, settings, OPENAI_API_KEY="any") as shell:
        assert not notes.exists()
        assert "small.echo" in shell.run("tools", "list", "--server", "small").out
        shell.deploy(CLERK)
        answer = said(shell, "clerk", 'call small__echo {"text": "public words"}')
        assert "public words" in str(answer)
        pids = [int(pid) for pid in (await noted(notes, "pids")).split()[1:]]
        assert all(map(psutil.pid_exists, pids))
    await ended(*pids)
