"""STORY-003: from a TOML file to an agent that answers, with the command line alone."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.criteria import criterion
from tests.cli.command import Shell
from tests.weights import small_weights

GREETER = """\
name = "greeter"
capabilities = ["greeting"]
system_prompt = "You greet people warmly and briefly."

[llm]
max_tokens = 40
"""
BUDGET = 30.0


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    """A running server whose answers come from the weights of a small model."""
    shell = Shell(tmp_path)
    weights = json.dumps(str(small_weights()))
    shell.write("caxton.toml", f'[providers.here]\nkind = "local"\nmodel_path = {weights}\n')
    shell.write("greeter.toml", GREETER)
    assert shell.run("server", "start", "--port", "0").code == 0
    yield shell
    shell.run("server", "stop")


@criterion("STORY-003.1", "STORY-003.3", "STORY-003.4")
def test_one_command_makes_an_agent_of_a_file(shell: Shell) -> None:
    deployed = shell.run("deploy", "greeter.toml")
    assert (deployed.code, deployed.out) == (0, "created greeter (running)\n")
    (agent,) = json.loads(shell.run("list", "--json").out)["agents"]
    assert (agent["name"], agent["state"]) == ("greeter", "running")
    assert agent["capabilities"] == ["greeting"]


@criterion("STORY-003.2", "STORY-003.5", "STORY-003.D2")
def test_a_model_answers_within_the_time_of_a_newcomers_patience(shell: Shell) -> None:
    since = time.monotonic()
    assert shell.run("deploy", "greeter.toml").code == 0
    sent = shell.run("send", "greeter", "Say hello to Ada.", "--json")
    assert sent.code == 0, sent.err
    answer = json.loads(sent.out)
    assert time.monotonic() - since < BUDGET
    assert answer["text"].strip()
    assert answer["usage"]["completion_tokens"] > 0
    (provider,) = json.loads(shell.run("providers", "--json").out)["providers"]
    assert (provider["kind"], provider["healthy"]) == ("local", True)


@criterion("STORY-003.6")
def test_a_broken_file_is_refused_with_the_place_and_the_way_out(shell: Shell) -> None:
    shell.write("broken.toml", GREETER.replace("capabilities", "capabilites"))
    refused = shell.run("deploy", "broken.toml")
    assert refused.code == 4
    assert "broken.toml:2:1" in refused.err
    assert "Did you mean `capabilities`?" in refused.err
    assert json.loads(shell.run("list", "--json").out)["agents"] == []
