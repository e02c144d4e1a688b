"""Every pair of a state and a step, as mypy sees it: what the table allows, and nothing else."""

from pathlib import Path

import pytest

from tests.acceptance.criteria import criterion
from tests.types.expectations import ROOT, expected, refused

STATES = ("Unloaded", "Loaded", "Running", "Stopped", "Failed")
ALLOWED = {
    "load": {"Unloaded", "Failed"},
    "start": {"Loaded", "Stopped"},
    "stop": {"Running"},
    "fail": {"Unloaded", "Loaded", "Running"},
    "unload": {"Loaded", "Stopped", "Failed"},
}
CALLS = {
    "load": "load(agent, config)",
    "start": "start(agent, now=now)",
    "stop": "stop(agent, now=now)",
    "fail": 'fail(agent, "why", now=now)',
    "unload": "unload(agent)",
}
PREAMBLE = """
from datetime import datetime
from caxton_core.agent.config import AgentConfig
from caxton_core.agent.lifecycle import (
    Agent, Failed, Loaded, Running, Stopped, Unloaded, fail, load, start, stop, unload,
)
"""


def matrix(allowed: dict[str, set[str]]) -> str:
    lines = [PREAMBLE]
    for step, call in CALLS.items():
        for state in STATES:
            name = f"{step}_{state.lower()}"
            parameters = f"agent: Agent[{state}], config: AgentConfig, now: datetime"
            lines.append(f"def {name}({parameters}) -> None:")
            verdict = "" if state in allowed[step] else "  # refused: arg-type"
            lines.append(f"    {call}{verdict}")
    return "\n".join(lines) + "\n"


@pytest.fixture
def cache() -> Path:
    return ROOT / ".mypy_cache" / "types"


@criterion("STORY-046.1", "STORY-046.2", "STORY-046.3", "STORY-046.D1")
def test_the_type_checker_allows_the_steps_of_the_table_and_no_other(
    tmp_path: Path, cache: Path
) -> None:
    file = tmp_path / "matrix.py"
    file.write_text(matrix(ALLOWED))
    assert len(expected(file)) == 25 - sum(map(len, ALLOWED.values()))
    assert refused(file, cache) == expected(file)


def test_a_step_that_is_widened_by_one_state_is_noticed(tmp_path: Path, cache: Path) -> None:
    file = tmp_path / "matrix.py"
    file.write_text(matrix(ALLOWED | {"stop": {"Running", "Failed"}}))
    assert refused(file, cache) != expected(file)


def test_what_an_agent_carries_is_known_from_its_state(tmp_path: Path, cache: Path) -> None:
    file = tmp_path / "narrowing.py"
    file.write_text(
        PREAMBLE
        + "from caxton_core.agent.lifecycle import AnyAgent\n"
        + "def since(agent: AnyAgent) -> datetime:\n"
        + "    return agent.state.since  # refused: union-attr\n"
        + "def state(agent: Agent[Running]) -> datetime:\n"
        + "    return agent.state.since\n"
        + "def changed(agent: Agent[Running]) -> None:\n"
        + "    agent.state = Unloaded()  # refused: misc\n"
    )
    found = {refusal.line for refusal in refused(file, cache)}
    assert found == {refusal.line for refusal in expected(file)}
