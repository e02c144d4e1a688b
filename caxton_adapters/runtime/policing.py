"""The policy in force: held here while agents come, go on and start; replaced at once."""

from collections.abc import Callable, Iterable, Mapping
from typing import final

from attrs import define

from caxton_core.agent.config import AgentConfig
from caxton_core.agent.policy.check import judged
from caxton_core.agent.policy.facts import Facts
from caxton_core.agent.policy.file import InForce
from caxton_core.agent.policy.tables import Policy
from caxton_core.reading.report import Report
from caxton_core.tools.tool import Tool


@final
@define(eq=False)
class Policing:
    """The policy that holds now, and what is known of the installation."""

    in_force: InForce
    facts: Callable[[], Facts]

    @property
    def policy(self) -> Policy:
        """What it says."""
        return self.in_force.policy

    def judged(self, config: AgentConfig, text: str) -> Report:
        """Where an agent does not conform."""
        return judged(config, text, "agent.toml", self.policy, self.facts())


def described(tools: Iterable[Tool]) -> dict[str, frozenset[str]]:
    """The names of tools with those of their arguments, as the rules know them."""
    return {tool.name.value: frozenset(_arguments(tool)) for tool in tools}


def _arguments(tool: Tool) -> Iterable[str]:
    properties = tool.parameters.members().get("properties")
    return properties if isinstance(properties, Mapping) else ()


def summary(report: Report) -> str:
    """Why an agent does not conform, in one line."""
    codes = dict.fromkeys(each.problem.what.code for each in report.errors)
    return f"it does not conform to the policy: {', '.join(codes)}"
