from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.command import Shell

SETTINGS = """
[providers.play]
kind = "scripted"
scenario = "scenario.toml"
"""
SCENARIO = """
[[rules]]
contains = "slow"
answer = "one two three four five six seven eight nine ten"

[[rules]]
contains = "fail"
fail = "rate_limited"

[[rules]]
answer = "You said: {{request}}"
"""
AGENT = """
name = "{name}"
capabilities = ["talk"]
system_prompt = "You talk."
"""


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@pytest.fixture
def configured(shell: Shell) -> Shell:
    """A shell whose server would have a scripted provider, and the file of an agent."""
    shell.write("caxton.toml", SETTINGS)
    shell.write("scenario.toml", SCENARIO)
    shell.write("talker.toml", AGENT.format(name="talker"))
    return shell


@pytest.fixture
def running(configured: Shell) -> Iterator[Shell]:
    """A shell whose server runs."""
    started = configured.run("server", "start", "--port", "0")
    assert started.code == 0, started.err
    yield configured
    stopped = configured.run("server", "stop", "--force")
    assert stopped.code in (0, 3), stopped.err
