"""STORY-010: errors are met where they happen and told to whoever has to know; the rest goes on."""

import json
import re
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final, final
from urllib.parse import urlsplit

import psutil
import pytest
from attrs import evolve, frozen
from hypothesis import given, settings
from hypothesis import strategies as st
from returns.result import Success

from caxton_adapters.configs.in_memory import InMemoryConfigs
from caxton_adapters.providers.scripted.model import Scripted
from caxton_adapters.providers.scripted.scenario import read_scenario
from caxton_adapters.rest.failures import of_turn
from caxton_adapters.runtime.isolation.choice import Hosts
from caxton_adapters.runtime.runtime import running
from caxton_adapters.runtime.ticket import Incoming
from caxton_adapters.testing.configs import record
from caxton_core.agent.record import StateName
from caxton_core.agent.sections import Isolation
from caxton_core.conversation.outcome import AgentCrashed, NotAnswered
from caxton_core.primitives import JsonObject, ProviderName, ToolName
from caxton_core.tools.tool import Caller, Tool, ToolCall, ToolResult
from tests.acceptance.criteria import criterion
from tests.acceptance.installation import ASKED, Installation, installed, said
from tests.adapters.runtime.test_runtime import GREETER, SCENARIO, OneModel, deploy, send
from tests.cli.processes import DEADLINE, log_of, until_gone
from tests.fakes import in_memory

SETTINGS: Final = """
default_provider = "well"
[providers.well]
kind = "scripted"
scenario = "well.toml"
[providers.broken]
kind = "scripted"
scenario = "broken.toml"
"""
WELL: Final = '[[rules]]\nanswer = "You said: {{request}}"\n'
BROKEN: Final = '[[rules]]\nfail = "service_fault"\n'
AGENT: Final = 'name = "{}"\nsystem_prompt = "You talk."\ncapabilities = ["talk"]\n'
GUIDE: Final = Path(__file__).parents[2] / "docs" / "how-to" / "troubleshooting.md"
FAILURES: Final = Path(__file__).parents[2] / "caxton_adapters" / "rest" / "failures.py"
MOMENT: Final = 0.5
"""Seconds for which a database may be out of reach without anybody noticing."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    directory = tmp_path_factory.mktemp("server")
    (directory / "well.toml").write_text(WELL)
    (directory / "broken.toml").write_text(BROKEN)
    with installed(directory, SETTINGS) as running_server:
        running_server.deploy(AGENT.format("talker"))
        running_server.deploy('llm_provider = "broken"\n' + AGENT.format("unlucky"))
        yield running_server


def works(server: Installation) -> bool:
    """Whether it is the same process, and answers."""
    pid = server.asked("GET", "/health").document["pid"]
    return pid == server.pid and said(server, "talker", "Hello")["text"] == "You said: Hello"


@final
@frozen
class Broken:
    """A tool with a defect."""

    def offered(self) -> Sequence[Tool]:
        return (Tool(ToolName("files.read"), "Reads.", JsonObject.of({"type": "object"})),)

    async def call(self, call: ToolCall, caller: Caller) -> ToolResult:  # noqa: ARG002 - the port's
        message = "a defect of the tool"
        raise ValueError(message)


@criterion("STORY-010.1", "STORY-010.2")
async def test_a_defect_ends_its_message_alone_and_leaves_its_traceback_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    calls = '[[rules]]\ncontains = "read"\ncalls = [{tool = "files.read", arguments = {}}]\n'
    scenario = read_scenario(calls + SCENARIO)
    assert isinstance(scenario, Success), scenario
    model = OneModel(Scripted(ProviderName("scripted"), scenario.unwrap()))
    granted = 'tools = ["files.*"]\n[permissions]\nallow = ["files.*"]\n'
    world, hosts = in_memory(model, tools=Broken()), Hosts(default=Isolation.TASK)
    async with running(world, configs=InMemoryConfigs(), hosts=hosts) as runtime:
        await deploy(runtime, GREETER + granted)
        accepted = await runtime.accept("greeter", Incoming("read it"))
        assert isinstance(accepted, Success)
        outcome = await accepted.unwrap().done()
        assert isinstance(outcome, NotAnswered)
        assert isinstance(outcome.why, AgentCrashed)
        assert of_turn(outcome.why).code == "CX4025"
        assert (await send(runtime, Incoming("Hello"))).text == "you said: Hello"
    assert "a defect of the tool" in caplog.text
    assert "Traceback" in caplog.text


@criterion("STORY-010.4")
def test_an_error_is_told_with_the_identity_under_which_the_log_has_it(
    server: Installation,
) -> None:
    failed = server.asked("POST", "/agents/unlucky/message", ASKED)
    assert failed.status == 502
    problem = failed.document
    assert problem["request_id"] == failed.headers["x-request-id"]
    lines = [line for line in log_of(server.shell) if line["event"] == "message.failed"]
    [line] = [line for line in lines if line.get("request_id") == problem["request_id"]]
    assert line["code"] == problem["code"]
    kept = server.asked("GET", f"/messages/{line['message']}").document
    assert kept["status"] == "failed"
    assert kept["problem"]["code"] == problem["code"]  # type: ignore[index] # JSON


@criterion("STORY-010.5")
def test_a_database_that_is_out_of_reach_for_a_moment_is_tried_again(server: Installation) -> None:
    path = server.shell.directory / "data" / "caxton.db"
    with (
        ThreadPoolExecutor() as clients,
        closing(sqlite3.connect(path, isolation_level=None)) as another,
    ):
        another.execute("BEGIN IMMEDIATE")
        sent = clients.submit(server.asked, "POST", "/agents/talker/message", ASKED)
        time.sleep(MOMENT)
        assert not sent.done()
        another.execute("ROLLBACK")
        assert sent.result(DEADLINE).status == 200


LINES: Final = st.sampled_from(
    (
        'name = "talker"',
        'name = "other"',
        'system_prompt = "You talk."',
        "system_prompt = 7",
        "[llm]",
        'temperature = "hot"',
        "[resources]",
        'max_memory = "-1MB"',
        "tools = [",
        "a.b.c.d = {}",
        "= = =",
        '"""',
        "\x00",
    )
)
FILES: Final = st.text(max_size=200) | st.lists(LINES, max_size=8).map("\n".join)


def posted(server: Installation, body: bytes) -> int:
    """The status that the body of an agent file is answered with."""
    parts = urlsplit(server.url)
    connection = HTTPConnection(str(parts.hostname), parts.port, timeout=DEADLINE)
    try:
        connection.request("POST", "/agents", body, {"content-type": "application/toml"})
        answer = connection.getresponse()
        created: Mapping[str, Any] = json.loads(answer.read())
    finally:
        connection.close()
    if answer.status == 201:
        assert server.asked("DELETE", f"/agents/{created['id']}?force=true").status == 204
    return answer.status


@criterion("STORY-010.6")
@settings(max_examples=60, deadline=None)
@given(file=FILES.map(lambda text: text.encode("utf-8", "surrogatepass")) | st.binary())
def test_whatever_is_deployed_the_server_answers_and_goes_on(
    server: Installation, file: bytes
) -> None:
    assert posted(server, file) in (201, 400, 409, 413, 422)
    assert server.asked("GET", "/health/live").status == 200


@criterion("STORY-010.6")
@settings(max_examples=60, deadline=None)
@given(texts=st.lists(FILES, min_size=1, max_size=3))
async def test_whatever_is_stored_the_server_starts_with_the_agents_that_read(
    texts: list[str],
) -> None:
    scenario = read_scenario(SCENARIO)
    assert isinstance(scenario, Success), scenario
    configs = InMemoryConfigs()
    for number, text in enumerate(texts):
        stored = record(number, f"stored-{number}")
        await configs.save(evolve(stored, text=text, state=StateName.RUNNING))
    sound = record(len(texts), "greeter")
    await configs.save(evolve(sound, text=GREETER, state=StateName.RUNNING))
    world = in_memory(OneModel(Scripted(ProviderName("scripted"), scenario.unwrap())))
    async with running(world, configs=configs, hosts=Hosts(default=Isolation.TASK)) as runtime:
        states = [agent.state for agent in runtime.agents()]
        assert set(states[:-1]) <= {StateName.RUNNING, StateName.FAILED}
        assert states[-1] is StateName.RUNNING
        assert (await send(runtime, Incoming("Hello"))).text == "you said: Hello"


@criterion("STORY-010.D1", "STORY-010.2", "STORY-010.3")
def test_the_server_stays_up_while_everything_around_it_fails(server: Installation) -> None:
    said(server, "talker", "Hello")
    agent = server.asked("GET", "/agents/talker").document
    process = psutil.Process(agent["resources"]["pid"])  # type: ignore[index] # JSON
    process.kill()
    until_gone([process])
    assert works(server)
    assert server.asked("POST", "/agents/unlucky/message", ASKED).status == 502
    assert works(server)
    assert server.asked("PUT", "/agents/talker", "name = ").status == 422
    assert works(server)
    assert posted(server, b"\xff" * 70_000) == 400
    assert works(server)


@criterion("STORY-010.D3")
def test_the_guide_says_what_to_do_about_every_way_in_which_a_message_fails() -> None:
    codes = set(re.findall(r'"(CX4\d{3})"', FAILURES.read_text("utf-8")))
    assert len(codes) > 1
    guide = GUIDE.read_text("utf-8")
    _, _, section = guide.partition("\n## A message that failed\n")
    table = set(re.findall(r"^\| \[(CX\d{4})\]", section.partition("\n## ")[0], re.MULTILINE))
    assert codes <= table
