"""STORY-009: an operator sees how the server and its agents do before users feel it."""

import re
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import psutil
import pytest

from tests.acceptance.criteria import criterion
from tests.acceptance.installation import ASKED, Installation, installed, said
from tests.cli.processes import DEADLINE, TooLateError, until_gone

SETTINGS: Final = '[providers.play]\nkind = "scripted"\n'
AGENT: Final = 'name = "{}"\nsystem_prompt = "You greet."\ncapabilities = ["greeting"]\n'
GUIDE: Final = Path(__file__).parents[2] / "docs" / "how-to" / "health.md"
LOOK: Final = 0.05
TARGET: Final = 0.010
"""Seconds in which /health answers."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Installation]:
    with installed(tmp_path, SETTINGS) as running:
        running.deploy(AGENT.format("greeter"))
        yield running


def document(server: Installation, path: str = "/health") -> Mapping[str, Any]:
    found: Mapping[str, Any] = server.asked("GET", path).document
    return found


def part(server: Installation, name: str) -> Mapping[str, Any]:
    told: Mapping[str, Any] = {each["name"]: each for each in document(server)["components"]}[name]
    return told


def until(true: Callable[[], bool]) -> None:
    limit = time.monotonic() + DEADLINE
    while not true():
        if time.monotonic() > limit:
            raise TooLateError
        time.sleep(LOOK)


def kill_until_it_fails(server: Installation, agent: str) -> None:
    """Kill the agent's process as often as the server starts another one."""
    path = f"/agents/{agent}"
    while document(server, path)["state"] == "running":
        server.asked("POST", f"{path}/message", ASKED)
        pid = document(server, path)["resources"]["pid"]
        if pid is not None:
            process = psutil.Process(pid)
            process.kill()
            until_gone([process])


@criterion("STORY-009.1")
def test_health_tells_of_the_whole_server(server: Installation) -> None:
    until(lambda: document(server).get("agents") == {"running": 1})
    assert server.asked("GET", "/health").status == 200
    whole = document(server)
    assert (whole["status"], whole["pid"]) == ("pass", server.pid)
    assert {each["status"] for each in whole["components"]} == {"pass"}


@criterion("STORY-009.2")
def test_an_agent_tells_when_it_last_did_something(server: Installation) -> None:
    assert "last_activity" not in document(server, "/agents/greeter")
    said(server, "greeter", "Hello")
    first = document(server, "/agents/greeter")["last_activity"]
    said(server, "greeter", "Hello again")
    agent = document(server, "/agents/greeter")
    times = [agent["since"], first, agent["last_activity"]]
    assert times == sorted(times, key=datetime.fromisoformat)
    assert first != agent["last_activity"]


@criterion("STORY-009.3")
def test_an_agent_that_failed_says_so_and_why(server: Installation) -> None:
    server.deploy(AGENT.format("victim"))
    kill_until_it_fails(server, "victim")
    until(lambda: "failed" in document(server)["agents"])
    agent = document(server, "/agents/victim")
    assert agent["state"] == "failed"
    assert re.search(r"died \d times .* SIGKILL", agent["reason"])
    found = part(server, "agents")
    assert (found["status"], found["reason"]) == ("warn", f"victim: {agent['reason']}")
    assert document(server)["status"] == "degraded"
    assert said(server, "greeter", "Hello")["text"]
    assert server.run("restart", "victim").code == 0
    until(lambda: document(server)["status"] == "pass")


@criterion("STORY-009.4")
def test_health_tells_what_every_agent_takes(server: Installation) -> None:
    said(server, "greeter", "Hello")

    def taken() -> Mapping[str, Any]:
        [agent] = document(server, "/health?verbose")["agent_details"]
        resources: Mapping[str, Any] = agent["resources"]
        return resources

    until(lambda: taken()["cpu_share"] is not None)
    resources = taken()
    process = psutil.Process(resources["pid"])
    assert resources["memory_bytes"] == pytest.approx(process.memory_info().rss, rel=0.5)
    assert resources["cpu_seconds"] > 0
    assert 0 <= resources["cpu_share"] <= psutil.cpu_count()


@criterion("STORY-009.5")
def test_a_database_that_cannot_be_changed_is_told_and_comes_back(server: Installation) -> None:
    assert part(server, "database")["status"] == "pass"
    path = server.shell.directory / "data" / "caxton.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as another:
        another.execute("BEGIN IMMEDIATE")
        refused = server.asked("POST", "/agents/greeter/message", ASKED)
        assert refused.status in (503, 507)
        until(lambda: part(server, "database")["status"] == "fail")
        assert "locked" in part(server, "database")["reason"]
        assert server.asked("GET", "/health/ready").status == 503
        assert server.asked("GET", "/health/live").status == 200
        another.execute("ROLLBACK")
    until(lambda: server.asked("GET", "/health/ready").status == 200)
    assert part(server, "database")["status"] == "pass"


@contextmanager
def load(server: Installation, clients: int) -> Iterator[None]:
    """So many clients that send one message after the other."""
    over = threading.Event()

    def send() -> None:
        while not over.is_set():
            assert server.asked("POST", "/agents/greeter/message", ASKED).status == 200

    senders = [threading.Thread(target=send) for _ in range(clients)]
    for sender in senders:
        sender.start()
    try:
        until(lambda: document(server)["messages_in_flight"] > 0)
        yield
    finally:
        over.set()
        for sender in senders:
            sender.join()


def quickest(server: Installation, path: str = "/health", times: int = 200) -> float:
    """The least seconds that an answer took: what else runs on the machine is not its price."""
    parts = urlsplit(server.url)
    took = []
    with closing(HTTPConnection(str(parts.hostname), parts.port, timeout=DEADLINE)) as connection:
        for _ in range(times):
            began = time.perf_counter()
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            took.append(time.perf_counter() - began)
            assert answer.status == 200
    return min(took)


@criterion("STORY-009.6", "STORY-027.3")
def test_health_answers_quickly_while_messages_are_answered(server: Installation) -> None:
    with load(server, clients=8):
        for path in ("/health", "/health/live", "/health/ready", "/health/startup"):
            assert quickest(server, path) < TARGET


@criterion("STORY-009.D1")
def test_a_monitoring_tool_reads_health(server: Installation) -> None:
    scraped = subprocess.run(
        ["curl", "-s", "-f", "-w", " %{http_code} %{content_type}", f"{server.url}/health"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert scraped.stdout.startswith('{"status":"pass"')
    assert scraped.stdout.endswith(" 200 application/json")
    assert server.run("health", "--json").code == 0


@criterion("STORY-009.D2")
def test_health_answers_within_ten_milliseconds(server: Installation) -> None:
    for path in ("/health", "/health?verbose", "/agents/greeter"):
        assert quickest(server, path) < TARGET


@criterion("STORY-009.D3")
def test_the_guide_explains_every_condition_and_every_part(server: Installation) -> None:
    page = GUIDE.read_text("utf-8")
    cells = set(re.findall(r"^\| `([^`]+)`", page, re.MULTILINE))
    assert {"pass", "degraded", "starting", "draining", "fail"} <= cells
    parts = {each["name"] for each in document(server)["components"]}
    assert {name.replace("provider play", "provider NAME") for name in parts} <= cells
    assert {"/health", "/health/live", "/health/ready", "/health/startup"} <= cells
