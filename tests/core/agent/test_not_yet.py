"""What a file counts on and does not get yet is said at its key; defaults are not what it wrote."""

import pytest
from returns.result import Success

from caxton_core.agent.config import AgentConfig
from caxton_core.agent.rules.not_yet import AWAITED, Awaited
from caxton_core.agent.toml import read_agent
from caxton_core.problems import NotYet
from caxton_core.reading.describing import entries
from caxton_core.reading.report import Placed
from caxton_core.reading.wording import LONGEST_FACT

REQUIRED = 'name = "helper"\nsystem_prompt = "You help."\n'


def awaited(written: str) -> list[Placed]:
    answer = read_agent(REQUIRED + written)
    assert isinstance(answer, Success), answer
    placed = answer.unwrap().warnings.placed
    return [each for each in placed if isinstance(each.problem.what, NotYet)]


@pytest.mark.parametrize(
    ("written", "key", "line"),
    [
        ("[memory]\nmin_similarity = 0.7", "memory.min_similarity", 4),
        ("[resources]\nmax_cpu = 0.5", "resources.max_cpu", 4),
        ("[routing]\nweight = 2.0", "routing.weight", 4),
    ],
)
def test_a_key_that_has_no_effect_yet_is_told_at_its_line(
    written: str, key: str, line: int
) -> None:
    (placed,) = awaited(written)
    assert isinstance(placed.problem.what, NotYet)
    assert (placed.problem.what.key, placed.range.line) == (key, line)


@pytest.mark.parametrize(
    "written",
    [
        "",
        'tools = ["files.read"]\n[permissions]\nask = ["files.read"]',
        '[memory]\nenabled = true\nscope = "global"\nauto_store = true\nretention = "1d"',
        '[conversation]\nstrategy = "summarize"\nscope = "shared"\npersist = true',
        "[routing]\nweight = 1.0\npriority = 60",
    ],
)
def test_what_happens_anyway_is_not_awaited(written: str) -> None:
    assert awaited(written) == []


@pytest.mark.parametrize("wrong", ["max_cpu = -1", 'max_cpu = "half"'])
def test_a_wrong_value_is_told_once(wrong: str) -> None:
    answer = read_agent(f"{REQUIRED}[resources]\n{wrong}")
    assert not isinstance(answer, Success)
    assert len(answer.failure().placed) == 1 + len(["no capabilities"])


@pytest.mark.parametrize("line", AWAITED, ids=lambda line: ".".join(map(str, line.at)))
def test_every_line_speaks_of_a_key_and_fits_into_its_sentence(line: Awaited) -> None:
    assert line.at in {entry.at for entry in entries(AgentConfig)}
    assert len(line.instead) <= LONGEST_FACT
