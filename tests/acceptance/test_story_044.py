"""STORY-044 as its operator meets it: whose rules count, who is asked, what survives the server."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.criteria import criterion
from tests.acceptance.installation import Installation, installed
from tests.waiting import wait_for

SETTINGS = """
[providers.play]
kind = "scripted"
scenario = "scenario.toml"
"""
SCENARIO = """
[[rules]]
contains = "remember"
calls = [{tool = "memory.remember", arguments = {text = "tea", key = "drink"}}]
then = "done: {{result}}"

[[rules]]
contains = "forget"
calls = [{tool = "memory.forget", arguments = {key = "drink"}}]
then = "done: {{result}}"
"""
KEEPER = """
name = "keeper"
capabilities = ["keeping"]
system_prompt = "You keep."
tools = ["memory.*"]
[permissions]
allow = ["memory.*"]
ask = ["memory.remember"]
deny = ["memory.forget:key=drink"]
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Installation]:
    (tmp_path / "scenario.toml").write_text(SCENARIO)
    with installed(tmp_path, SETTINGS) as running:
        running.deploy(KEEPER)
        yield running


def waiting(server: Installation) -> str:
    def first() -> str | None:
        listed = json.loads(server.run("approvals", "list", "--json").out or "{}")
        found = listed.get("approvals")
        return str(found[0]["id"]) if found else None

    return wait_for(first)


def send(server: Installation, text: str) -> str:
    accepted = server.asked(
        "POST", "/agents/keeper/message", {"text": text}, prefer="respond-async"
    )
    return str(accepted.document["message_id"])


def answer(server: Installation, message: str) -> str:
    def told() -> str | None:
        found = server.asked("GET", f"/messages/{message}").document.get("answer")
        return str(found["text"]) if isinstance(found, dict) else None

    return wait_for(told)


@criterion("STORY-044.2", "STORY-044.3", "STORY-044.D1")
def test_an_agent_cannot_make_a_call_that_is_forbidden(server: Installation) -> None:
    assert "not permitted" in answer(server, send(server, "forget"))
    logged = server.run("server", "logs").out
    assert "security.call_refused" in logged
    assert "memory.forget:key=drink" in logged


def test_an_approval_survives_the_death_of_the_server(server: Installation) -> None:
    message = send(server, "remember")
    id_ = waiting(server)
    os.kill(server.pid, signal.SIGKILL)
    wait_for(lambda: server.run("server", "status").code == 3 or None)
    assert server.run("server", "start", "--port", "0").code == 0
    assert waiting(server) == id_
    approved = server.run("approvals", "approve", id_)
    assert approved.code == 0, approved.err
    shown = wait_for(lambda: _answered(server, message))
    assert shown.startswith("done: ")
    recalled = server.run("memory", "get", "drink", "--agent", "keeper")
    assert "tea" in recalled.out


def _answered(server: Installation, message: str) -> str | None:
    shown = json.loads(server.run("messages", "show", message, "--json").out)
    return str(shown["answer"]["text"]) if "answer" in shown else None
