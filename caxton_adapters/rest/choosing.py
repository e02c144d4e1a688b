"""Which agent takes a message that is addressed to a capability."""

from itertools import count, takewhile
from typing import Final, final

from returns.result import Failure, Result, Success

from caxton_adapters.runtime.runtime import Runtime
from caxton_adapters.runtime.views import AgentView
from caxton_core.primitives import CapabilityName
from caxton_core.storage import NotRead

_MOST_NAMED: Final = 20


@final
class Chooser:
    """Takes the preferred agent, the least busy of several, and equal ones in turn."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._turns = count()

    async def choose(self, capability: str, key: str | None = None) -> Result[str | None, NotRead]:
        """The identity of the agent, None where no running agent offers the capability.

        A message that is sent again under its key goes to the agent that has it.
        """
        parsed = CapabilityName.parse(capability)
        if isinstance(parsed, Failure):
            return Success(None)
        if key is not None:
            keyed = await self._runtime.keyed(parsed.unwrap(), key)
            if isinstance(keyed, Failure):
                return keyed
            has_it = keyed.unwrap()
            if has_it is not None:
                return Success(has_it.value)
        offering = self._runtime.offering(parsed.unwrap())
        if not offering:
            return Success(None)
        best = _standing(offering[0])
        equal = tuple(takewhile(lambda agent: _standing(agent) == best, offering))
        return Success(equal[next(self._turns) % len(equal)].id.value)

    def offered(self) -> tuple[str, ...]:
        """Some capabilities that are offered, for whoever asked for another one."""
        return tuple(offers(self._runtime))[:_MOST_NAMED]


def offers(runtime: Runtime) -> dict[str, tuple[str, ...]]:
    """The names of the running agents by the capability that they offer, in order."""
    found: dict[str, list[str]] = {}
    for agent in runtime.agents():
        if agent.config is not None and agent.state.value == "running":
            for capability in agent.config.capabilities:
                found.setdefault(capability.value, []).append(agent.name.value)
    return {capability: tuple(found[capability]) for capability in sorted(found)}


def _standing(agent: AgentView) -> tuple[int, int]:
    priority = 0 if agent.config is None else agent.config.routing.priority.value
    return priority, agent.running + agent.waiting
