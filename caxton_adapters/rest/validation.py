"""Agent files held against the rules, without deploying anything."""

from returns.result import Failure, Result

from caxton_adapters.rest.agents import agent_file
from caxton_adapters.rest.exchange import Asked
from caxton_adapters.rest.placed import error_items
from caxton_adapters.rest.problem import Refused
from caxton_adapters.rest.wire import Validation
from caxton_adapters.runtime.policing import Policing
from caxton_core.agent.toml import read_agent


def validated(asked: Asked, policing: Policing | None) -> Result[Validation, Refused]:
    """Everything that is wrong or doubtful in the agent file that was sent, the policy included."""
    return agent_file(asked).map(lambda text: _validation(text, policing))


def _validation(text: str, policing: Policing | None) -> Validation:
    read = read_agent(text)
    if isinstance(read, Failure):
        report = read.failure()
        return Validation(False, error_items(report.errors), error_items(report.warnings))
    warnings = read.unwrap().warnings.placed
    if policing is None:
        return Validation(True, (), error_items(warnings))
    found = policing.judged(read.unwrap().config, text)
    doubts = error_items((*warnings, *found.warnings))
    return Validation(not found.errors, error_items(found.errors), doubts)
