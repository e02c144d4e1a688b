"""The policy in force: held here while agents come, go on and start; replaced at once."""

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Final, final

from attrs import define
from returns.result import Failure, Result, Success

from caxton_adapters.runtime.refusals import PolicyRefused
from caxton_adapters.runtime.resident import Resident
from caxton_core.agent.config import AgentConfig
from caxton_core.agent.policy.check import judged
from caxton_core.agent.policy.facts import Facts
from caxton_core.agent.policy.file import InForce
from caxton_core.agent.policy.levels import OnViolation
from caxton_core.agent.policy.tables import Policy
from caxton_core.reading.report import Report
from caxton_core.tools.tool import Tool

_LOG: Final = logging.getLogger("caxton.runtime")


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


def permitted(
    policing: Policing | None, config: AgentConfig, text: str
) -> Result[Report | None, PolicyRefused]:
    """What the policy says of an agent that it permits."""
    if policing is None:
        return Success(None)
    report = policing.judged(config, text)
    if report.errors:
        _LOG.warning("%s was refused: %s", config.name, summary(report))
        return Failure(PolicyRefused(config.name, report))
    return Success(report)


def found(policing: Policing | None, resident: Resident) -> PolicyRefused | None:
    """Remember what the policy says of an agent; how it refuses it, if it does."""
    if resident.config is None or policing is None:
        return None
    resident.findings = policing.judged(resident.config, resident.record.text)
    broken = bool(resident.findings.errors)
    return PolicyRefused(resident.record.name, resident.findings) if broken else None


def stops_violators(policing: Policing | None) -> bool:
    """Whether running agents that do not conform any more are stopped."""
    return policing is not None and policing.policy.on_violation is OnViolation.STOP


def summary(report: Report) -> str:
    """Why an agent does not conform, in one line."""
    codes = dict.fromkeys(each.problem.what.code for each in report.errors)
    return f"it does not conform to the policy: {', '.join(codes)}"
