"""What the files of agents say, for those who are built before the runtime that knows it."""

from typing import final

from attrs import define

from caxton_adapters.runtime.runtime import Runtime
from caxton_core.agent.sections import MemoryRules
from caxton_core.primitives import AgentId


@final
@define
class RulesInForce:
    """The rules of agents as they are now; there are none before `runtime` is told."""

    runtime: Runtime | None = None

    def of_memory(self, agent: AgentId) -> MemoryRules | None:
        """What an agent's file says of its memory; None for one that is not there."""
        return None if self.runtime is None else self.runtime.memory_rules(agent)
