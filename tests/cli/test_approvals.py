"""`caxton approvals` and `caxton tools why`, as a person types them."""

import json
from collections.abc import Iterator

import pytest

from tests.cli.command import Shell
from tests.waiting import wait_for

SCENARIO = """
[[rules]]
contains = "remember"
calls = [{tool = "memory.remember", arguments = {text = "tea", key = "drink"}}]
then = "done: {{result}}"
"""
KEEPER = """
name = "keeper"
capabilities = ["keeping"]
system_prompt = "You keep."
tools = ["memory.*"]
[permissions]
allow = ["memory.recall"]
ask = ["memory.remember"]
"""


@pytest.fixture
def keeper(configured: Shell) -> Iterator[Shell]:
    configured.write("scenario.toml", SCENARIO)
    configured.write("keeper.toml", KEEPER)
    assert configured.run("server", "start", "--port", "0").code == 0
    assert configured.run("deploy", "keeper.toml").code == 0
    yield configured
    assert configured.run("server", "stop", "--force").code in (0, 3)


def waiting(shell: Shell) -> str:
    def first() -> str | None:
        listed = json.loads(shell.run("approvals", "list", "--json").out)["approvals"]
        return str(listed[0]["id"]) if listed else None

    return wait_for(first)


def test_a_person_approves_a_call_that_waits(keeper: Shell) -> None:
    assert keeper.run("approvals", "list").err == "no call waits for a person\n"
    sending = keeper.spawn("send", "keeper", "remember")
    id_ = waiting(keeper)
    title, row = keeper.run("approvals", "list").out.splitlines()
    assert title.split() == ["APPROVAL", "AGENT", "TOOL", "ARGUMENTS", "EXPIRES"]
    assert row.split()[:3] == [id_, "keeper", "memory.remember"]
    assert '"drink"' in keeper.run("approvals", "show", id_).out
    approved = keeper.run("approvals", "approve", id_)
    assert approved.out == f"{id_} is approved: memory.remember for keeper\n"
    out, _ = sending.communicate(timeout=30)
    assert out.startswith("done: ")
    again = keeper.run("approvals", "deny", id_)
    assert (again.code, "CX4048" in again.err) == (1, True)


def test_a_person_refuses_a_call_and_says_why(keeper: Shell) -> None:
    sending = keeper.spawn("send", "keeper", "remember")
    id_ = waiting(keeper)
    denied = keeper.run("approvals", "deny", id_, "--reason", "too private", "--json")
    assert json.loads(denied.out)["approvals"][0]["reason"] == "too private"
    assert "too private" in sending.communicate(timeout=30)[0]


def test_an_unknown_approval_is_told(keeper: Shell) -> None:
    shown = keeper.run("approvals", "show", "apr_0")
    assert (shown.code, "CX4047" in shown.err) == (1, True)
    assert keeper.run("approvals", "approve").code == 2
