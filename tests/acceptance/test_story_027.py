"""STORY-027: probes ask different questions, and are answered at once."""

from pathlib import Path
from typing import Final

import pytest

from tests.acceptance.criteria import criterion
from tests.acceptance.installation import Installation, installed
from tests.cli.processes import DEADLINE, until_told

SCENARIO: Final = """
[[rules]]
contains = "limit"
fail = "rate_limited"
[[rules]]
contains = "slow"
answer = "one two three"
[[rules]]
answer = "Hello!"
[streaming]
delay = "300ms"
"""
SETTINGS: Final = '[providers.play]\nkind = "scripted"\nscenario = "scenario.toml"\n'
AGENT: Final = 'name = "greeter"\nsystem_prompt = "You greet."\ncapabilities = ["greeting"]\n'
PROBES: Final = ("/health/live", "/health/startup", "/health/ready", "/health")


def statuses(server: Installation) -> tuple[int, ...]:
    return tuple(server.asked("GET", path).status for path in PROBES)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "scenario.toml").write_text(SCENARIO)
    return tmp_path


@criterion("STORY-027.1", "STORY-027.4")
def test_a_server_that_drains_is_alive_and_started_but_takes_nothing_new(directory: Path) -> None:
    with installed(directory, SETTINGS) as server:
        server.deploy(AGENT)
        assert statuses(server) == (200, 200, 200, 200)
        with server.events("greeter", "slow") as events:
            assert next(events).name == "accepted"
            stopping = server.shell.spawn("server", "stop")
            until_told(lambda: server.run("health", "--ready").out, "draining")
            assert statuses(server) == (200, 200, 503, 503)
            retry = server.asked("GET", "/health/ready").headers["retry-after"]
            assert int(retry) >= 1
            assert [event.name for event in events][-2:] == ["message", "shutdown"]
        stopping.communicate(timeout=DEADLINE)
    assert stopping.returncode == 0


@criterion("STORY-027.2")
def test_a_part_that_is_not_well_says_why_and_since_when(directory: Path) -> None:
    with installed(directory, SETTINGS) as server:
        server.deploy(AGENT)
        assert server.run("send", "greeter", "limit").code == 1
        until_told(lambda: server.run("health").out, "degraded")
        whole = server.asked("GET", "/health").document
        parts = whole["components"]
        assert isinstance(parts, list)
        [unwell] = [part for part in parts if part["status"] != "pass"]
        assert (unwell["name"], unwell["status"]) == ("provider play", "warn")
        assert unwell["reason"]
        assert unwell["since"] > max(part["since"] for part in parts if part is not unwell)
        assert whole["reasons"] == [f"provider play: {unwell['reason']}"]
        assert unwell["facts"]["circuits"] == {"default": "closed"}
        assert server.asked("GET", "/health/ready").status == 200
        assert server.run("send", "greeter", "Hi").code == 0
        until_told(lambda: server.run("health").out, "pass")
