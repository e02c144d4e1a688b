"""Which host decides an agent's turns: what its author says, else what the platform can."""

import os
import sys
from contextlib import suppress
from typing import Final, final

from attrs import define, field

from caxton_adapters.runtime.isolation.forking import Zygote
from caxton_adapters.runtime.isolation.host import Host, HostDied, InPlace
from caxton_adapters.runtime.isolation.places import Places
from caxton_adapters.runtime.isolation.processes import (
    InProcess,
    ProcessLimits,
    ProcessWatch,
)
from caxton_core.agent.config import AgentConfig
from caxton_core.agent.sections import PROCESS_MEMORY, Isolation
from caxton_core.conversation.turn import TurnRules

CAN_FORK: Final = hasattr(os, "fork") and sys.platform in {"linux", "darwin"}
DEFAULT_ISOLATION: Final = Isolation.PROCESS if CAN_FORK else Isolation.TASK
IDLE_SECONDS: Final = 300.0


@final
@define
class Hosts:
    """Makes hosts; a process ends that is idle for `idle` seconds, or whose place is needed."""

    idle: float = IDLE_SECONDS
    default: Isolation = DEFAULT_ISOLATION
    zygote: Zygote = field(factory=Zygote)
    places: Places = field(factory=Places)

    def isolation(self, config: AgentConfig) -> Isolation:
        """How the agent is isolated."""
        return config.resources.isolation or self.default

    def host(self, config: AgentConfig, rules: TurnRules, watch: ProcessWatch) -> Host:
        """A host of its own for an agent."""
        if self.isolation(config) is Isolation.TASK:
            return InPlace(rules)
        memory = config.resources.max_memory or PROCESS_MEMORY
        limits = ProcessLimits(memory.value, self.idle)
        return InProcess(rules, self.zygote, limits, watch, self.places)

    async def get_ready(self, config: AgentConfig) -> None:
        """Start what the agent's first message would have to wait for; failing waits for it too."""
        if self.isolation(config) is Isolation.PROCESS:
            with suppress(HostDied):
                await self.zygote.start()

    async def close(self) -> None:
        """End every process."""
        await self.zygote.close()
