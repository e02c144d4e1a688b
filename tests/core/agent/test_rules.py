"""The table of codes holds against the reader: what it calls wrong is found, what right is not."""

from collections.abc import Callable
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Failure

from caxton_core.agent.toml import read_agent
from caxton_core.codes.catalogue import EXPLANATIONS, explain
from caxton_core.codes.explanation import Explanation
from caxton_core.codes.policy_rules import POLICY_RULES
from caxton_core.problems import Problem, Severity, Stated, What
from caxton_core.reading import wording
from caxton_core.reading.report import Report, report

REQUIRED = {"name": 'name = "helper"', "system_prompt": 'system_prompt = "You help."'}
WITHOUT_FILE = {"CX1008", "CX1011", "CX1104", "CX1107", "CX1208"}
OF_SETTINGS = {"CX1205"}
EXAMPLES = [
    each
    for each in EXPLANATIONS.values()
    if each.code.startswith("CX1")
    and each.code not in WITHOUT_FILE
    and each not in POLICY_RULES  # tests/core/agent/policy holds them against policies
]
KINDS: list[type[What]] = [kind for kind in get_args(What) if kind is not Stated]


def reported(text: str) -> Report:
    answer = read_agent(text)
    return answer.failure() if isinstance(answer, Failure) else answer.unwrap().warnings


def codes_in(text: str) -> set[str]:
    return {each.problem.what.code for each in reported(text).placed}


def completed(fragment: str) -> str:
    missing = [line for key, line in REQUIRED.items() if f"{key} = " not in fragment]
    return "\n".join((*missing, fragment))


def code(each: Explanation) -> str:
    return each.code


@pytest.mark.parametrize("each", EXAMPLES, ids=code)
def test_what_the_reference_calls_wrong_is_reported_with_its_code(each: Explanation) -> None:
    text = each.wrong if each.code in {"CX1003", "CX1005"} else completed(each.wrong)
    assert each.code in codes_in(text)


@pytest.mark.parametrize("each", [e for e in EXAMPLES if e.code not in OF_SETTINGS], ids=code)
def test_what_the_reference_calls_right_has_no_error_and_not_the_code(each: Explanation) -> None:
    found = reported(completed(each.right))
    assert found.errors == ()
    assert each.code not in {placed.problem.what.code for placed in found.placed}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_kind_of_problem_has_a_code_of_its_own_that_is_explained(
    kind: type[What],
) -> None:
    codes = [each.code for each in KINDS]
    assert codes.count(kind.code) == 1
    assert explain(kind.code)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@given(st.data())
def test_every_problem_can_be_told(kind: Callable[..., What], data: st.DataObject) -> None:
    what = data.draw(st.builds(kind))
    for sentence in (wording.message(what), wording.why(what), wording.advice(what)):
        assert sentence.strip()
    assert wording.anchor(what) == f"reference/errors.md#{what.code.lower()}"
    assert wording.title(what)


def test_the_lines_of_a_report_are_in_the_order_of_the_file() -> None:
    text = "\n".join(f"unknown_{number} = {number}" for number in range(9, 0, -1))
    lines = [each.range.line for each in reported(text).placed]
    assert lines == sorted(lines)


def test_no_code_is_in_a_group_of_another_severity() -> None:
    for kind in KINDS:
        if kind.code.startswith("CX13"):
            assert kind.severity is Severity.WARNING
        elif kind.code.startswith("CX12"):
            assert kind.severity is Severity.ERROR


def test_an_unknown_code_is_not_explained() -> None:
    assert explain("CX0000") is None


def test_a_code_is_explained_however_it_is_written() -> None:
    assert explain(" cx1002 ") == explain("CX1002")


def test_a_rule_of_another_module_is_shown_in_its_own_words() -> None:
    what = Stated("CX1002", "the port is taken", "Choose another.", suggestion="8081")
    (placed,) = report([Problem(("a",), what)], "a = 1\n", "caxton.toml").placed
    assert wording.message(placed.problem.what) == "the port is taken"
    assert wording.advice(placed.problem.what) == "Choose another."
    assert placed.range.line == 1
