"""What the explanations of the rules call wrong is found, and what they call right is not."""

import pytest
from returns.result import Failure, Success

from caxton_core.agent.policy.check import RULES, violations
from caxton_core.agent.policy.facts import Facts
from caxton_core.agent.policy.file import read_policy
from caxton_core.agent.policy.tables import Policy
from caxton_core.agent.toml import read_agent
from caxton_core.codes.explanation import Explanation
from caxton_core.codes.policy_rules import POLICY_RULES
from caxton_core.problems import Severity

REQUIRED = {"name": 'name = "helper"', "system_prompt": 'system_prompt = "You help."'}
TEXT = """
preset = "strict"
[tools]
deny = ["files.*:path=/srv/private/**"]
never = ["admin.*"]
[providers]
never = ["elsewhere"]
[models]
never = ["*preview*"]
[access]
directories = ["/srv"]
hosts = ["*.example.org"]
[prompts]
never = ["project bluebird"]
"""
FACTS = Facts(
    providers=frozenset({"openai"}),
    servers=frozenset({"search"}),
    tools={"search.web": frozenset({"query"})},
    memory=16 << 30,
    cores=4.0,
)
WITH_EXAMPLES = [each for each in POLICY_RULES if each.wrong]


def policy() -> Policy:
    read = read_policy(TEXT)
    assert isinstance(read, Success), read
    return read.unwrap().policy


def errors_in(fragment: str) -> set[str]:
    missing = [line for key, line in REQUIRED.items() if f"{key} = " not in fragment]
    read = read_agent("\n".join((*missing, fragment)))
    assert not isinstance(read, Failure), read
    found = violations(read.unwrap().config, policy(), FACTS)
    return {each.what.code for each in found if each.what.severity is Severity.ERROR}


def code(each: Explanation) -> str:
    return each.code


@pytest.mark.parametrize("each", WITH_EXAMPLES, ids=code)
def test_what_the_reference_calls_wrong_is_refused_with_its_code(each: Explanation) -> None:
    assert each.code in errors_in(each.wrong)


@pytest.mark.parametrize("each", WITH_EXAMPLES, ids=code)
def test_what_the_reference_calls_right_is_not(each: Explanation) -> None:
    assert each.code not in errors_in(each.right)


def test_every_rule_is_explained_and_every_explanation_has_its_rule() -> None:
    assert [rule.code for rule in RULES] == [each.code for each in POLICY_RULES]
    assert {each.code for each in POLICY_RULES if not each.wrong} == {"CX1345"}
