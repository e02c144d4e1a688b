"""A key is seen by the service that it is for, and by nobody else, whatever goes wrong."""

import json
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import anyio.to_thread
import msgspec
import psutil
import pytest

from tests.acceptance.criteria import criterion
from tests.acceptance.installation import Installation, installed
from tests.model_server import ModelServer, model_server
from tests.raw_server import RawServer, raw_server, response

CANARY = "sk-proj-canary7f3a9d2b8e1c4f6a"
FAULTS = {
    "locked": "key=another",
    "failing": "status=500",
    "busy": "status=429",
    "dropped": "fault=drop",
    "cut": "fault=cut",
    "garbled": "fault=garbage",
    "foreign": "fault=not-http",
    "hanging": "fault=hang",
}
ELSEWHERE = {
    "refusing": "http://127.0.0.1:9/v1",
    "nowhere": "http://nowhere.invalid/v1",
    "unsafe": "https://127.0.0.1:9/v1",
}


@pytest.fixture(scope="module")
def service() -> Iterator[ModelServer]:
    with model_server() as running:
        yield running


@pytest.fixture
async def tactless() -> AsyncIterator[RawServer]:
    """A service that repeats the key in its refusals, as some do."""
    refusal = {"error": {"message": f"Incorrect API key provided: {CANARY}", "code": "invalid"}}
    async with raw_server((response(msgspec.json.encode(refusal), status="401 No"),)) as server:
        yield server


def settings(service: ModelServer, tactless: str) -> str:
    addresses = {name: service.at(options) for name, options in FAULTS.items()}
    addresses |= {**ELSEWHERE, "tactless": f"{tactless}/v1"}
    tables = (
        f'[providers.{name}]\nkind = "openai-compatible"\nbase_url = "{address}"\nmodel = "echo"\n'
        f'api_key = "${{CANARY}}"\nretries = 0\n[providers.{name}.timeouts]\nfirst_byte = "1s"\n'
        for name, address in addresses.items()
    )
    return "".join(tables) + '[logging]\nlevel = "debug"\n'


def agent(provider: str) -> str:
    return f'name = "{provider}"\nsystem_prompt = "You fail."\nllm_provider = "{provider}"\n'


def provoked(server: Installation) -> Iterator[str]:
    """Everything that people and programs are told while everything goes wrong."""
    for provider in (*FAULTS, *ELSEWHERE, "tactless"):
        server.deploy(agent(provider))
        answer = server.asked("POST", f"/agents/{provider}/message", {"text": "Hello"})
        assert answer.status >= 400, (provider, answer)
        assert str(answer.document["code"]).startswith("CX50")
        yield json.dumps(answer.document)
        sent = server.run("send", provider, "Hello")
        yield sent.out + sent.err
        with server.events(provider, "Hello") as events:
            yield from (event.text for event in events)
    for arguments in (["providers"], ["providers", "--json"], ["list", "--json"], ["doctor"]):
        ended = server.run(*arguments)
        yield ended.out + ended.err
    for arguments in (["config", "show"], ["config", "show", "--sources"], ["show", "busy"]):
        shown = server.run(*arguments)
        assert shown.code == 0, shown.err
        yield shown.out + shown.err


def of_processes(pid: int) -> Iterator[str]:
    """The command lines of the server and its children, and the children's environments."""
    server = psutil.Process(pid)
    yield from server.cmdline()
    for child in server.children(recursive=True):
        yield from child.cmdline()
        yield from child.environ().values()


def written_below(directory: Path) -> Iterator[tuple[Path, bytes]]:
    return ((path, path.read_bytes()) for path in directory.rglob("*") if path.is_file())


def search(directory: Path, settings: str) -> dict[str, str]:
    """Where the key was found, with some words around it, and how much was searched."""
    found: dict[str, str] = {}
    with installed(directory, settings, CANARY=CANARY) as server:
        told, running, events = (
            [*provoked(server)],
            [*of_processes(server.pid)],
            server.history(),
        )
    # What is searched is there: the refusal without the key, the processes, the events.
    assert any("Incorrect API key provided" in text for text in told)
    assert any("zygote" in text for text in running)
    assert any("observed" in text or "step" in text for text in events)
    found |= {text[:200]: text for text in (*told, *running, *events) if CANARY in text}
    found |= {str(path): "" for path, text in written_below(directory) if CANARY.encode() in text}
    assert any(path.suffix == ".db" for path, _ in written_below(directory))
    assert any(text for path, text in written_below(directory) if path.name == "server.log")
    return found


@criterion("STORY-042.2", "STORY-041.5")
async def test_a_key_is_never_shown_whatever_fails(
    tmp_path: Path, service: ModelServer, tactless: RawServer
) -> None:
    found = await anyio.to_thread.run_sync(search, tmp_path, settings(service, tactless.url))
    assert found == {}
    sent = [request.headers["authorization"] for request in tactless.requests]
    assert sent
    assert set(sent) == {f"Bearer {CANARY}"}


REPEATING = "import sys; sys.exit('bad arguments: ' + ' '.join(sys.argv[1:]))"


@pytest.fixture
async def repeating() -> AsyncIterator[RawServer]:
    """A server of tools that repeats under which address it was asked."""
    said = f"there is nothing at /s/{CANARY}/mcp?key={CANARY}".encode()
    refused = response(said, status=f"404 No {CANARY}", kind="text/plain")
    async with raw_server((refused,)) as server:
        yield server


def of_tool_servers(address: str) -> str:
    return f"""
    [mcp.servers.program]
    command = {json.dumps(sys.executable)}
    args = ["-c", {json.dumps(REPEATING)}, "--api-key", "${{CANARY}}"]
    [mcp.servers.address]
    url = "{address}/s/${{CANARY}}/mcp?key=${{CANARY}}"
    private_network = true
    [logging]
    level = "debug"
    """


def asked_of_tool_servers(server: Installation) -> Iterator[str]:
    """Everything that is told of servers that cannot be used."""
    for arguments in (
        *(("mcp", "test", name) for name in ("program", "address")),
        *(("mcp", "show", name) for name in ("program", "address")),
        ("mcp", "list"),
        ("mcp", "list", "--json"),
        ("tools", "list"),
        ("config", "show"),
        ("config", "show", "--json"),
        ("server", "logs"),
        ("doctor",),
    ):
        ended = server.run(*arguments)
        yield ended.out + ended.err
    yield json.dumps(server.asked("GET", "/mcp/servers").document)


def search_tool_servers(directory: Path, settings: str) -> dict[str, str]:
    """Where the key was found; the program itself has it among its arguments."""
    with installed(directory, settings, CANARY=CANARY) as server:
        told, events = [*asked_of_tool_servers(server)], server.history()
    assert any("bad arguments: --api-key ***" in text for text in told)
    assert any("${CANARY}/mcp?***" in text for text in told)
    found = {text[:200]: text for text in (*told, *events) if CANARY in text}
    return found | {
        str(path): "" for path, text in written_below(directory) if CANARY.encode() in text
    }


@criterion("STORY-042.2", "STORY-041.5")
async def test_a_key_of_a_server_of_tools_is_never_shown_wherever_it_stands(
    tmp_path: Path, repeating: RawServer
) -> None:
    settings = of_tool_servers(repeating.url)
    assert await anyio.to_thread.run_sync(search_tool_servers, tmp_path, settings) == {}
    assert any(CANARY.encode() in request.target for request in repeating.requests)
