"""STORY-013: validation tells in the words of the domain what is wrong, and why it matters."""

import json
from time import perf_counter
from typing import Final, get_args

import attrs
import pytest
from returns.result import Failure, Success

from caxton_core.agent.toml import read_agent, read_agent_table
from caxton_core.codes.catalogue import EXPLANATIONS
from caxton_core.problems import (
    LimitNeedsProcess,
    Malformed,
    MissingKey,
    NotAChoice,
    OutOfRange,
    Problem,
    Severity,
    UnknownKey,
    What,
)
from caxton_core.reading import wording
from caxton_core.reading.report import Report, human, machine
from tests.acceptance.criteria import criterion
from tests.generate_reference import REFERENCE

SMALLEST: Final = 'name = "a"\nsystem_prompt = "b"\ncapabilities = ["c"]\n'
MANY_WRONG: Final = """\
name = "My Agent"
capabilities = ["data_analysis"]
[llm]
temprature = 1
temperature = 3
[conversation]
scope = "wrld"
[resources]
isolation = "task"
max_memory = "1GB"
"""


def reported(text: str) -> Report:
    answer = read_agent(text)
    return answer.failure() if isinstance(answer, Failure) else answer.unwrap().warnings


def kinds(text: str) -> set[type]:
    return {type(each.problem.what) for each in reported(text).placed}


@criterion("STORY-013.1")
def test_validation_answers_with_typed_problems() -> None:
    wanted = {MissingKey, Malformed, UnknownKey, OutOfRange, NotAChoice, LimitNeedsProcess}
    assert wanted <= kinds(MANY_WRONG)


@criterion("STORY-013.2")
@pytest.mark.parametrize(("key", "reason"), [("name", "address"), ("system_prompt", "bare model")])
def test_a_missing_field_is_explained(key: str, reason: str) -> None:
    table: dict[str, object] = {"name": "a", "system_prompt": "b"}
    del table[key]
    answer = read_agent_table(table)
    assert isinstance(answer, Failure)
    missing = [each.what for each in answer.failure() if isinstance(each.what, MissingKey)]
    assert [what.key for what in missing] == [key]
    assert reason in wording.why(missing[0])
    assert f"{key} = " in wording.advice(missing[0])


SUGGESTED: Final = {
    'version = "v2"': "2.0.0",
    '[llm]\ntimeout = "1 minute"': "1m",
    '[resources]\nmax_memory = "256 MiB"': "256MB",
    '[memory]\nscope = "agnt"': "agent",
    "[llm]\ntemperature = 9": "2",
    '[memory]\nenabled = "yes"': "true",
    'tools = "files.read"': '["files.read"]',
    '[llm]\nseed = "7"': "7",
    "[llm]\ntimeout = 30": '"30s"',
}


@criterion("STORY-013.3")
@pytest.mark.parametrize(("fragment", "meant"), SUGGESTED.items())
def test_an_invalid_value_is_answered_with_a_valid_one(fragment: str, meant: str) -> None:
    (error,) = reported(f"{SMALLEST}{fragment}\n").errors
    assert wording.suggestion(error.problem.what) == meant


@criterion("STORY-013.3")
def test_an_invalid_choice_is_answered_with_all_choices() -> None:
    (error,) = reported(f'{SMALLEST}[memory]\nscope = "x"\n').errors
    for choice in ("agent", "conversation", "global"):
        assert f"`{choice}`" in wording.advice(error.problem.what)


@criterion("STORY-013.4")
def test_rules_between_fields_are_checked_even_where_others_are_wrong() -> None:
    assert {LimitNeedsProcess, OutOfRange} <= kinds(MANY_WRONG)
    repaired = MANY_WRONG.replace('isolation = "task"', 'isolation = "process"')
    assert LimitNeedsProcess not in kinds(repaired)


DOUBTFUL: Final = {
    '[memory]\nauto_store = true\nscope = "global"': "privacy",
    'tools = ["files.read"]\n[resources]\nmax_tool_rounds = 99': "bill",
    'tools = ["files.read"]': "pay",
    "[llm]\ntemperature = 1.9": "customers",
}


@criterion("STORY-013.5")
@pytest.mark.parametrize(("fragment", "context"), DOUBTFUL.items())
def test_a_doubtful_configuration_is_read_with_a_warning_that_says_what_it_costs(
    fragment: str, context: str
) -> None:
    answer = read_agent(f"{SMALLEST}{fragment}\n")
    assert isinstance(answer, Success)
    reasons = [wording.why(each.problem.what) for each in answer.unwrap().warnings.placed]
    assert any(context in reason for reason in reasons)


@criterion("STORY-013.6")
def test_each_kind_of_problem_is_a_value_of_its_own_that_never_changes() -> None:
    for kind in get_args(What):
        assert attrs.has(kind)
    problem = Problem(("llm", "temperature"), OutOfRange("3", "from 0 to 2", "2"))
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        problem.at = ()  # type: ignore[misc]  # the point of the test
    answer = read_agent_table({"name": "a", "system_prompt": "b", "llm": {"temperature": 3}})
    assert isinstance(answer, Failure)
    assert problem in answer.failure()


@criterion("STORY-013.7")
def test_all_problems_come_at_once_in_the_order_of_the_file() -> None:
    report = reported(MANY_WRONG)
    lines = [each.range.line for each in report.placed]
    assert lines == sorted(lines)
    assert len(report.errors) == 6
    assert len(report.warnings) == 1
    assert "6 errors, 1 warning in agent.toml" in human(report)


@criterion("STORY-013.8", "STORY-013.D3")
def test_every_problem_leads_to_a_section_of_the_reference() -> None:
    page = (REFERENCE / "errors.md").read_text("utf-8")
    for explanation in EXPLANATIONS.values():
        assert f"\n## {explanation.code}\n" in page
        assert explanation.anchor == f"reference/errors.md#{explanation.code.lower()}"
    assert "How to find the problem" in page


@criterion("STORY-013.9")
@pytest.mark.parametrize(
    "fragment",
    [
        'tools = ["read"]',
        '[permissions]\nallow = ["files.read:path"]',
        '[resources]\nmax_memory = "lots"',
        "[budget]\ncost_per_day = -1",
        'llm_provider = "My Provider"',
        '[metadata]\nkey = "AKIAIOSFODNN7EXAMPLE"',
    ],
)
def test_the_domains_own_rules_are_part_of_validation(fragment: str) -> None:
    assert len(reported(f"{SMALLEST}{fragment}\n").errors) == 1


@criterion("STORY-013.10")
def test_a_program_reads_codes_and_ranges() -> None:
    found = json.loads(json.dumps(machine(reported(MANY_WRONG))))
    assert {each["severity"] for each in found} == {each.value for each in Severity}
    for each in found:
        assert each["code"] in EXPLANATIONS
        assert each["range"]["start"]["line"] <= each["range"]["end"]["line"]


@criterion("STORY-013.D1")
def test_every_problem_says_what_to_do() -> None:
    for each in machine(reported(MANY_WRONG)):
        assert each["message"]
        assert each["help"]
        assert each["why"]


@criterion("STORY-013.D2")
def test_validation_with_fifty_problems_takes_less_than_fifty_milliseconds() -> None:
    text = MANY_WRONG + "\n".join(f"temprature_{number} = 1" for number in range(50))
    times = []
    for _ in range(20):
        since = perf_counter()
        human(reported(text))
        times.append(perf_counter() - since)
    assert len(reported(text).placed) > 50
    assert 1000 * min(times) < 50
