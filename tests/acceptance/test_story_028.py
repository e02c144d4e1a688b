"""STORY-028: the server ends without losing what it has accepted."""

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pytest

from caxton_cli.client import Answer, Caller
from caxton_cli.events import read_events
from caxton_cli.leaving import Leave
from tests.acceptance.criteria import criterion
from tests.acceptance.installation import Installation
from tests.cli.command import Shell
from tests.cli.processes import DEADLINE, family_of, foreground, owner, until_gone, until_told
from tests.model_server import ModelServer, model_server

AGENT: Final = 'name = "greeter"\nsystem_prompt = "You greet."\ncapabilities = ["greeting"]\n'
PATH: Final = "/agents/greeter/message"
AT_ONCE: Final = 2.0
"""Seconds in which a server that is told twice has ended, on a machine that does much else."""


@pytest.fixture(scope="module")
def service() -> Iterator[ModelServer]:
    with model_server() as running:
        yield running


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@pytest.fixture
def clients() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor() as pool:
        yield pool


def configure(shell: Shell, model: str) -> None:
    shell.write(
        "caxton.toml",
        '[providers.model]\nkind = "openai-compatible"\nmodel = "echo"\nretries = 0\n'
        f'base_url = "{model}"\n',
    )


@contextmanager
def served(
    shell: Shell, **variables: str
) -> Iterator[tuple[Installation, "subprocess.Popen[str]"]]:
    """A server in the foreground, whose end is seen."""
    with foreground(shell, **variables) as process:
        yield Installation(shell, str(owner(shell)["url"]), process.pid), process


def send(server: Installation, text: str) -> Answer | Leave:
    """What a client that waits for its answer gets; Leave where the server hung up."""
    try:
        return Caller(server.url, None).ask("POST", PATH, {"text": text}, idempotency_key=text)
    except Leave as left:
        return left


def at_work(server: Installation, count: int) -> None:
    """Wait until the agent is answering so many messages."""

    def answering() -> str:
        document = server.asked("GET", "/agents/greeter").document
        resources = document["resources"]
        assert isinstance(resources, dict)
        return str(resources["running"])

    until_told(answering, str(count))


def readiness(server: Installation) -> str:
    return str(server.asked("GET", "/health/ready").status)


def ended(process: "subprocess.Popen[str]") -> int:
    process.communicate(timeout=DEADLINE)
    return process.returncode


def heard_last(server: Installation) -> str:
    """The name of the last event that a listener of /events is sent."""
    parts = urlsplit(server.url)
    connection = HTTPConnection(str(parts.hostname), parts.port, timeout=DEADLINE)
    try:
        connection.request("GET", "/events")
        return [event.name for event in read_events(connection.getresponse())][-1]
    finally:
        connection.close()


@criterion(
    "STORY-028.1",
    "STORY-028.2",
    "STORY-028.3",
    "STORY-028.4",
    "STORY-028.5",
    "STORY-028.6",
    "STORY-028.7",
)
def test_a_server_that_is_told_to_end_answers_who_waits_and_leaves_nothing_behind(
    shell: Shell, service: ModelServer, clients: ThreadPoolExecutor
) -> None:
    configure(shell, service.at("latency=2000", tag="drained"))
    with served(shell) as (server, process):
        server.deploy(AGENT)
        listening = clients.submit(heard_last, server)
        waiting = clients.submit(send, server, "Hello")
        at_work(server, 1)
        family = family_of(process.pid)
        assert len(family) > 1
        process.send_signal(signal.SIGTERM)
        until_told(lambda: readiness(server), "503")
        refused = server.asked("POST", PATH, {"text": "too late"})
        assert (refused.status, refused.document["code"]) == (503, "CX4010")
        assert int(refused.headers["retry-after"]) >= 1
        assert server.asked("GET", "/health/live").status == 200
        answer = waiting.result(DEADLINE)
        assert isinstance(answer, Answer)
        assert (answer.status, answer.document["text"]) == (200, "Hello")
        assert listening.result(DEADLINE) == "shutdown"
        assert ended(process) == 0
        until_gone(family)
    data = shell.directory / "data"
    assert not (data / "caxton.pid").exists()
    assert not (data / "caxton.db-wal").exists()


@criterion("STORY-028.3")
def test_a_drain_takes_thirty_seconds_at_most_unless_the_operator_says_otherwise(
    shell: Shell,
) -> None:
    shown = json.loads(shell.run("config", "show", "--json").out)
    assert {"key": "server.drain_timeout", "value": "30s", "source": "default"} in shown


@criterion("STORY-028.3", "STORY-028.7", "STORY-028.9")
def test_what_is_not_answered_in_time_is_answered_after_the_next_start(
    shell: Shell, service: ModelServer, clients: ThreadPoolExecutor
) -> None:
    model = service.at("latency=3000", tag="suspended")
    configure(shell, model)
    with served(shell, CAXTON_DRAIN_TIMEOUT="500ms") as (server, process):
        server.deploy(AGENT)
        waiting = [clients.submit(send, server, f"Hello-{number}") for number in range(3)]
        at_work(server, 3)
        process.send_signal(signal.SIGTERM)
        told = [future.result(DEADLINE) for future in waiting]
        assert ended(process) == 0
    with served(shell) as (server, _):
        for number, answer in enumerate(told):
            assert isinstance(answer, Answer)
            assert (answer.status, answer.document["code"]) == (503, "CX4032")
            assert_answered_once(server, f"Hello-{number}")
    assert service.stats(model).calls <= 6


@criterion("STORY-028.8", "STORY-028.9")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_at_once_and_loses_nothing(
    shell: Shell, service: ModelServer, clients: ThreadPoolExecutor, number: signal.Signals
) -> None:
    configure(shell, service.at("latency=4000", tag=number.name))
    with served(shell) as (server, process):
        server.deploy(AGENT)
        waiting: Future[Answer | Leave] = clients.submit(send, server, "Hello")
        at_work(server, 1)
        process.send_signal(number)
        until_told(lambda: readiness(server), "503")
        began = time.monotonic()
        process.send_signal(number)
        assert ended(process) == 128 + number
        assert time.monotonic() - began < AT_ONCE
        waiting.result(DEADLINE)
    with served(shell) as (server, _):
        assert_answered_once(server, "Hello")


def assert_answered_once(server: Installation, text: str) -> None:
    """The message stands once in the store, and whoever sends it again gets its answer."""
    again = send(server, text)
    assert isinstance(again, Answer)
    assert (again.status, again.document.get("text")) == (200, text)
    [message] = messages_with(server, text)
    assert (message["message_id"], message["status"]) == (again.document["message_id"], "answered")


def messages_with(server: Installation, text: str) -> list[dict[str, object]]:
    listed = server.asked("GET", "/messages?limit=200").document["messages"]
    assert isinstance(listed, list)
    return [message for message in listed if message["text"] == text]
