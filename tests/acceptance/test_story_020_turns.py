"""STORY-020 within turns: agents call tools of servers, real ones among them, and a real model."""

import http.server
import json
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from tests.acceptance.criteria import criterion
from tests.acceptance.installation import Installation, installed, said
from tests.acceptance.tool_servers import PROVIDER, server_table
from tests.node import installing
from tests.waiting import slowness
from tests.weights import small_weights

DOCS: Final = Path(__file__).parents[2] / "docs"
CALLS: Final[Mapping[str, tuple[str, Mapping[str, Any]]]] = {
    "say": ("one.echo", {"text": "hello"}),
    "sum": ("one.add", {"sum": 5}),
    "mixed": ("one.mixed", {}),
    "fail": ("one.fail", {}),
    "wrong": ("one.echo", {"words": 1}),
    "other": ("two.echo", {"text": "hello"}),
}
AGENT: Final = """
name = "{name}"
system_prompt = "You help."
capabilities = ["helping"]
tools = {tools}
[permissions]
allow = {tools}
"""


def scenario(calls: Mapping[str, tuple[str, Mapping[str, Any]]]) -> str:
    """A model that calls a tool for each word, and says what came of it."""
    rules = (
        f'[[rules]]\ncontains = "{word}"\n'
        f"calls = [{{ tool = {json.dumps(tool)}, arguments = {_inline(arguments)} }}]\n"
        'then = "done: {{result}}"\n'
        for word, (tool, arguments) in calls.items()
    )
    return "\n".join(rules)


def _inline(arguments: Mapping[str, Any]) -> str:
    pairs = (f"{name} = {json.dumps(value)}" for name, value in arguments.items())
    return f"{{ {', '.join(pairs)} }}"


def agent(*tools: str, name: str = "helper") -> str:
    return AGENT.format(name=name, tools=json.dumps(tools))


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "scenario.toml").write_text(scenario(CALLS))
    return tmp_path


def answer(server: Installation, text: str, name: str = "helper") -> str:
    return str(said(server, name, text)["text"])


@criterion("STORY-020.2", "STORY-020.3")
@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("say", "done: hello"),
        ("sum", '"sum":5'),
        ("mixed", "[image: image/png"),
        ("fail", "it went wrong"),
        ("wrong", "'text' is a required property"),
    ],
)
def test_what_a_tool_answers_becomes_part_of_the_answer(
    directory: Path, text: str, told: str
) -> None:
    with installed(directory, PROVIDER + server_table("one")) as server:
        server.deploy(agent("one.*"))
        assert told in answer(server, text).replace(": 5", ":5")


@criterion("STORY-020.4", "STORY-044.5")
def test_each_agent_has_the_tools_that_it_was_granted_and_no_others(directory: Path) -> None:
    with installed(directory, PROVIDER + server_table("one") + server_table("two")) as server:
        server.deploy(agent("one.echo"))
        server.deploy(agent("two.*", name="other"))
        assert answer(server, "say") == "done: hello"
        assert "no tool named two.echo" in answer(server, "other")
        assert answer(server, "other", "other") == "done: hello"
        assert "no tool named one.echo" in answer(server, "say", "other")


@criterion("STORY-020.5")
def test_another_server_stands_in_for_one_that_cannot_be_reached(directory: Path) -> None:
    settings = (
        server_table("one", "exit=start") + 'fallback = "two"\n' + server_table("two") + PROVIDER
    )
    with installed(directory, server_table("one") + PROVIDER) as server:
        server.deploy(agent("one.echo"))  # its tools are known from here on
        assert answer(server, "say") == "done: hello"
    with installed(directory, settings) as server:
        assert answer(server, "say") == "done: hello"


@criterion("STORY-020.5")
def test_a_server_that_cannot_be_reached_is_told_to_the_model(directory: Path) -> None:
    with installed(directory, server_table("one") + PROVIDER) as server:
        server.deploy(agent("one.echo"))
        assert answer(server, "say") == "done: hello"
    with installed(directory, server_table("one", "exit=start") + PROVIDER) as server:
        assert "one cannot be reached" in answer(server, "say")


@criterion("STORY-020.D2")
def test_a_local_tool_is_called_within_a_tenth_of_a_second(directory: Path) -> None:
    with installed(directory, PROVIDER + server_table("one")) as server:
        server.deploy(agent("one.*"))
        for _ in range(5):
            answer(server, "say")
        log = server.run("server", "logs").out
    taken = [json.loads(each)["seconds"] for each in log.splitlines() if "tool.called" in each]
    assert sorted(taken)[len(taken) // 2] < 0.1 * slowness()


@criterion("STORY-020.6", "STORY-040.8")
def test_every_call_is_an_event_and_a_line_of_the_log(directory: Path) -> None:
    secret = {"say": ("one.echo", {"text": "hello", "api_key": "hunter2hunter2"})}
    (directory / "scenario.toml").write_text(scenario(secret))
    with installed(directory, PROVIDER + server_table("one")) as server:
        server.deploy(agent("one.*"))
        answer(server, "say")
        told = [json.loads(each) for each in server.history()]
        (event,) = [each for each in told if each.get("tool") and "seconds" in each]
        assert (event["tool"], event["state"]) == ("one.echo", "succeeded")
        log = server.run("server", "logs").out
    (line,) = [json.loads(each) for each in log.splitlines() if "tool.called" in each]
    assert (line["tool"], line["outcome"]) == ("one.echo", "succeeded")
    assert line["arguments"] == {"api_key": "***", "text": "hello"}
    assert line["agent"]
    assert line["seconds"] > 0
    assert "hunter2" not in log


@contextmanager
def page(text: str) -> Iterator[str]:
    """The address of a web page."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = self.path == "/page"
            self.send_response(200 if found else 404)
            self.send_header("content-type", "text/plain")
            self.end_headers()
            self.wfile.write(text.encode() if found else b"")

        def log_message(self, *_: object) -> None: ...

    served = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=served.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{served.server_port}"
    finally:
        served.shutdown()
        thread.join()
        served.server_close()


@criterion("STORY-020.D1")
def test_an_agent_reads_a_page_with_an_http_tool(tmp_path: Path) -> None:
    with page("The harbour opens at six.") as address, page("hidden") as other:
        calls = {
            "allowed": ("web.fetch", {"url": f"{address}/page"}),
            "forbidden": ("web.fetch", {"url": f"{other}/page"}),
        }
        (tmp_path / "scenario.toml").write_text(scenario(calls))
        settings = (
            f'{PROVIDER}[mcp.servers.web]\ncommand = "{sys.executable}"\n'
            'args = ["-m", "mcp_server_fetch", "--allow-private-ips"]\nconnect_timeout = "60s"\n'
            f'[policy]\nfile = "{tmp_path / "policy.toml"}"\n'
        )
        # Of its own accord Caxton lets no agent reach this machine.
        (tmp_path / "policy.toml").write_text("[access]\nsecret_hosts = []\n")
        with installed(tmp_path, settings) as server:
            server.deploy(
                'name = "reader"\nsystem_prompt = "You read."\ncapabilities = ["reading"]\n'
                f'tools = ["web.fetch"]\n[permissions]\nallow = ["web.fetch:url={address}/**"]\n'
            )
            assert "The harbour opens at six." in answer(server, "allowed", "reader")
            assert "not permitted" in answer(server, "forbidden", "reader")


@criterion("STORY-020.D1", "STORY-044.D1")
def test_a_real_model_reads_an_allowed_file_and_is_refused_a_forbidden_one(tmp_path: Path) -> None:
    """A model of 135 million parameters calls what it is told to, mostly."""
    for name, text in (("docs/harbour.txt", "It opens at six."), ("private/letter.txt", "hidden")):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(text)
    script = installing.installed() / "@modelcontextprotocol" / "server-filesystem" / "dist"
    settings = f"""
    [providers.here]
    kind = "local"
    model_path = "{small_weights()}"
    [mcp.servers.files]
    command = "{installing.node()}"
    args = ["{script / "index.js"}", "{tmp_path}"]
    cwd = "{tmp_path}"
    connect_timeout = "60s"
    """
    with installed(tmp_path, settings) as server:
        server.deploy(
            """
            name = "clerk"
            capabilities = ["filing"]
            system_prompt = "You are helpful."
            tools = ["files.read_multiple_files"]
            [llm]
            temperature = 0.0
            max_tokens = 80
            [resources]
            max_tool_rounds = 1
            [permissions]
            allow = ["files.read_multiple_files:paths=docs/**"]
            """
        )
        allowed = called_by_the_model(server, "docs/harbour.txt")
        assert (allowed["event"], allowed["outcome"]) == ("tool.called", "succeeded")
        forbidden = called_by_the_model(server, "private/letter.txt")
        assert forbidden["event"] == "security.call_refused"


def called_by_the_model(server: Installation, path: str) -> Mapping[str, Any]:
    """What became of the model's call; where it calls something else it is asked once more."""
    for _ in range(8):
        ask = f'Call files.read_multiple_files with paths ["{path}"]'
        server.asked("POST", "/agents/clerk/message", {"text": ask})
        lines = server.run("server", "logs", "--lines", "100").out.splitlines()
        for line in map(json.loads, lines):
            if line.get("arguments") == {"paths": [path]}:
                return dict(line)
    pytest.fail("the model never made the call that it was asked for")


@criterion("STORY-020.D3")
def test_the_guide_shows_a_local_and_a_remote_server() -> None:
    guide = (DOCS / "how-to" / "tools.md").read_text("utf-8")
    for told in ("[mcp.servers.", "command = ", "url = ", "caxton tools list", "fallback"):
        assert told in guide


@criterion("STORY-044.D3")
def test_the_guides_tell_of_every_level_and_of_what_is_trusted() -> None:
    guide = (DOCS / "how-to" / "permissions.md").read_text("utf-8")
    model = (DOCS / "explanation" / "security.md").read_text("utf-8")
    for told in ("allow", "ask", "deny", "caxton tools why", "caxton approvals", "policy"):
        assert told in guide
    for told in ("operator", "tool server", "model"):
        assert told in model
