"""Agent files held against the rules, without deploying anything."""

from returns.result import Failure, Result

from caxton_adapters.rest.agents import agent_file
from caxton_adapters.rest.exchange import Asked
from caxton_adapters.rest.placed import error_items
from caxton_adapters.rest.problem import Refused
from caxton_adapters.rest.wire import Validation
from caxton_core.agent.toml import read_agent


def validated(asked: Asked) -> Result[Validation, Refused]:
    """Everything that is wrong or doubtful in the agent file that was sent."""
    return agent_file(asked).map(_validation)


def _validation(text: str) -> Validation:
    read = read_agent(text)
    if isinstance(read, Failure):
        report = read.failure()
        return Validation(False, error_items(report.errors), error_items(report.warnings))
    return Validation(True, (), error_items(read.unwrap().warnings.placed))
