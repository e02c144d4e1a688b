"""STORY-024: what breaks is mended, and what cannot be mended harms nobody else."""

import json
import signal
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from os import kill
from pathlib import Path
from typing import Any, Final, final

import anyio
import psutil
import pytest
from attrs import define
from returns.result import Success

from caxton_adapters.configs.in_memory import InMemoryConfigs
from caxton_adapters.providers.scripted.model import Scripted
from caxton_adapters.providers.scripted.scenario import read_scenario
from caxton_adapters.runtime.isolation.choice import Hosts
from caxton_adapters.runtime.runtime import running
from caxton_adapters.runtime.ticket import Incoming
from caxton_core.agent.restarts import FIRST_DELAY, MOST_DEATHS
from caxton_core.agent.sections import Isolation
from caxton_core.primitives import JsonObject, ProviderName, ToolName
from caxton_core.resilience.breaker import FEWEST_CALLS
from caxton_core.tools.tool import Caller, Tool, ToolCall, ToolResult
from tests.acceptance.criteria import criterion
from tests.acceptance.installation import ASKED, Installation, installed, said
from tests.adapters.runtime.test_runtime import OneModel, deploy, send
from tests.cli.processes import until_gone
from tests.fakes import in_memory

AGENT: Final = 'name = "{}"\nsystem_prompt = "You talk."\ncapabilities = ["talk"]\n'
PROVIDERS: Final = """
default_provider = "well"
[providers.well]
kind = "scripted"
scenario = "well.toml"
[providers.broken]
kind = "scripted"
scenario = "broken.toml"
"""
WELL: Final = '[[rules]]\nanswer = "You said: {{request}}"\n'
BROKEN: Final = '[[rules]]\nfail = "unreachable"\n'
ATTEMPTS: Final = 5
RECOVERY: Final = 1.0
"""Seconds from the death of an agent's process to its next answer."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Installation]:
    (tmp_path / "well.toml").write_text(WELL)
    (tmp_path / "broken.toml").write_text(BROKEN)
    with installed(tmp_path, PROVIDERS) as running_server:
        running_server.deploy(AGENT.format("talker"))
        yield running_server


def shown(server: Installation, agent: str = "talker") -> Mapping[str, Any]:
    document: Mapping[str, Any] = server.asked("GET", f"/agents/{agent}").document
    return document


def shoot(server: Installation, agent: str = "talker") -> float:
    """Kill the agent's process and ask it; the seconds until it answers."""
    pid = shown(server, agent)["resources"]["pid"]
    process = psutil.Process(pid)
    began = time.monotonic()
    process.kill()
    until_gone([process])
    server.asked("POST", f"/agents/{agent}/message", ASKED)
    return time.monotonic() - began


@criterion("STORY-024.1", "STORY-024.5")
def test_an_agent_is_restarted_ever_later_until_it_has_failed_and_a_person_has_it_back(
    server: Installation,
) -> None:
    server.deploy(AGENT.format("neighbour"))
    said(server, "talker", "Hello")
    took = [shoot(server) for _ in range(MOST_DEATHS)]
    for deaths, seconds in enumerate(took[1:]):
        assert seconds >= FIRST_DELAY * 2**deaths
    assert shown(server)["resources"]["restarts"] == MOST_DEATHS
    shoot(server)
    failed = shown(server)
    assert failed["state"] == "failed"
    assert f"died {MOST_DEATHS + 1} times" in failed["reason"]
    assert failed["resources"]["restarts"] == MOST_DEATHS
    assert server.run("send", "talker", "Hello").code == 1
    assert said(server, "neighbour", "Hello")["text"] == "You said: Hello"
    assert server.run("restart", "talker").code == 0
    assert said(server, "talker", "Hello")["text"] == "You said: Hello"
    shoot(server)
    assert shown(server)["state"] == "running"


@criterion("STORY-024.2")
def test_a_provider_that_fails_is_left_alone_and_the_others_are_not(server: Installation) -> None:
    server.deploy('llm_provider = "broken"\n' + AGENT.format("unlucky"))
    for _ in range(FEWEST_CALLS):
        server.asked("POST", "/agents/unlucky/message", ASKED)
    refused = server.asked("POST", "/agents/unlucky/message", ASKED)
    assert (refused.status, refused.document["code"]) == (503, "CX5019")
    assert int(refused.headers["retry-after"]) >= 1
    assert said(server, "talker", "Hello")["text"] == "You said: Hello"


@final
@define
class Silent:
    """A tool that never answers, and counts who asks."""

    asked: int = 0

    def offered(self) -> Sequence[Tool]:
        return (Tool(ToolName("files.read"), "Reads.", JsonObject.of({"type": "object"})),)

    async def call(self, call: ToolCall, caller: Caller) -> ToolResult:  # noqa: ARG002 - the port's
        self.asked += 1
        await anyio.sleep_forever()
        raise AssertionError


@criterion("STORY-024.2")
async def test_a_tool_that_gives_no_answer_is_left_alone_and_its_agent_answers() -> None:
    scenario = read_scenario(
        '[[rules]]\ncalls = [{tool = "files.read", arguments = {}}]\nthen = "{{result}}"\n'
    )
    assert isinstance(scenario, Success), scenario
    model = OneModel(Scripted(ProviderName("scripted"), scenario.unwrap()))
    tools = Silent()
    limits = '[permissions]\nallow = ["files.*"]\n[resources]\ntool_timeout = "20ms"\n'
    hosts = Hosts(default=Isolation.TASK)
    async with running(
        in_memory(model, tools=tools), configs=InMemoryConfigs(), hosts=hosts
    ) as runtime:
        await deploy(runtime, AGENT.format("greeter") + 'tools = ["files.*"]\n' + limits)
        for _ in range(FEWEST_CALLS):
            answer = await send(runtime, Incoming("Read it"))
            assert "no answer within" in answer.text
        answer = await send(runtime, Incoming("Read it"))
        assert "is not called for 30 s" in answer.text
    assert tools.asked == FEWEST_CALLS


@criterion("STORY-024.3")
def test_a_broken_file_changes_nothing(server: Installation) -> None:
    before = shown(server)["config"]
    broken = before + 'surprise = "?"\n'
    refused = server.asked("PUT", "/agents/talker", broken)
    assert (refused.status, refused.document["code"]) == (422, "CX4004")
    server.write("agent.toml", broken)
    assert server.run("deploy", "agent.toml").code == 4
    assert shown(server)["config"] == before
    assert said(server, "talker", "Hello")["text"] == "You said: Hello"


@criterion("STORY-024.3")
def test_a_stored_file_that_reads_no_more_fails_alone(server: Installation) -> None:
    server.deploy(AGENT.format("neighbour"))
    assert server.run("server", "stop").code == 0
    with closing(sqlite3.connect(server.shell.directory / "data" / "caxton.db")) as database:
        database.execute("UPDATE agents SET text = 'name = 7' WHERE name = 'talker'")
        database.commit()
    ready = json.loads(server.run("server", "start", "--port", "0", "--json").out)
    again = Installation(server.shell, ready["url"], ready["pid"])
    assert said(again, "neighbour", "Hello")["text"] == "You said: Hello"
    broken = shown(again)
    assert (broken["state"], broken["reason"]) == ("failed", "the stored agent file has problems")
    again.deploy(AGENT.format("talker"))
    assert said(again, "talker", "Hello")["text"] == "You said: Hello"


@criterion("STORY-024.4")
def test_conversation_and_memory_survive_an_agents_process_and_the_server(
    server: Installation,
) -> None:
    talk = str(said(server, "talker", "My name is Ada.")["conversation_id"])
    kept = server.run("memory", "set", "name", "Ada", "--agent", "talker")
    assert kept.code == 0, kept.err
    shoot(server)
    assert exchanged(server, talk) == ["My name is Ada."]
    kill(server.pid, signal.SIGKILL)
    until_gone([psutil.Process(server.pid)] if psutil.pid_exists(server.pid) else [])
    ready = json.loads(server.run("server", "start", "--port", "0", "--json").out)
    again = Installation(server.shell, ready["url"], ready["pid"])
    said(again, "talker", "Who am I?", "--conversation", talk)
    assert exchanged(again, talk) == ["My name is Ada.", "Who am I?"]
    assert "Ada" in again.run("memory", "get", "name", "--agent", "talker").out


def exchanged(server: Installation, conversation: str) -> list[str]:
    """What people said in a conversation."""
    shown_one = server.run("conversations", "show", conversation, "--json")
    assert shown_one.code == 0, shown_one.err
    document = json.loads(shown_one.out)
    return [each["text"] for each in document["messages"]]


@criterion("STORY-024.5")
def test_health_tells_the_reason_and_the_count_of_every_agent(server: Installation) -> None:
    said(server, "talker", "Hello")
    shoot(server)
    document: Mapping[str, Any] = server.asked("GET", "/health?verbose").document
    [agent] = document["agent_details"]
    assert agent["resources"]["restarts"] == 1
    assert "SIGKILL" in agent["last_death"]


@criterion("STORY-024.6", "STORY-010.D2")
def test_an_agent_whose_process_was_killed_answers_within_a_second(server: Installation) -> None:
    took = []
    for attempt in range(ATTEMPTS):
        name = f"talker-{attempt}"
        server.deploy(AGENT.format(name))
        said(server, name, "Hello")
        took.append(shoot(server, name))
        if took[-1] < RECOVERY:
            break
    assert min(took) < RECOVERY
