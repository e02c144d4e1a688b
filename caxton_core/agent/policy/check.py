"""An agent held against the policy of the installation."""

from collections.abc import Iterator
from typing import Final

from caxton_core.agent.config import AgentConfig
from caxton_core.agent.policy.facts import NOTHING_KNOWN, Facts
from caxton_core.agent.policy.finding import problem
from caxton_core.agent.policy.levels import Level
from caxton_core.agent.policy.rules.access import ACCESS
from caxton_core.agent.policy.rules.limits import LIMITS
from caxton_core.agent.policy.rules.prompts import PROMPTS
from caxton_core.agent.policy.rules.providers import PROVIDERS
from caxton_core.agent.policy.rules.rule import Case, Rule
from caxton_core.agent.policy.rules.secrets import SECRETS
from caxton_core.agent.policy.rules.sharing import SHARING
from caxton_core.agent.policy.rules.tools import TOOLS
from caxton_core.agent.policy.tables import Policy
from caxton_core.problems import Problem
from caxton_core.reading.report import Report, report

RULES: Final[tuple[Rule, ...]] = (
    *SECRETS,
    *TOOLS,
    *LIMITS,
    *PROVIDERS,
    *ACCESS,
    *PROMPTS,
    *SHARING,
)


def violations(
    config: AgentConfig, policy: Policy, facts: Facts = NOTHING_KNOWN
) -> Iterator[Problem]:
    """Tell where the agent does not conform: errors refuse it, warnings deserve a look."""
    case = Case(config, policy, facts)
    for rule in RULES:
        level = rule.level(policy)
        if level is not Level.OFF:
            for finding in rule.check(case):
                told = problem(rule.code, level, finding)
                if told is not None:
                    yield told


def judged(
    config: AgentConfig, text: str, file: str, policy: Policy, facts: Facts = NOTHING_KNOWN
) -> Report:
    """The violations of an agent, placed in the text of its file."""
    return report(violations(config, policy, facts), text.removeprefix("\ufeff"), file)
