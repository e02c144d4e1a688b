"""What turns reach beyond themselves: models, tools, memory, the journal, and the rules of now."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import Final, Protocol, final

import anyio
from anyio import to_thread
from attrs import field, frozen
from returns.result import Result

from caxton_adapters.runtime.absence import absent
from caxton_adapters.runtime.approvals import Approvals
from caxton_adapters.runtime.pasts import Pasts
from caxton_adapters.runtime.real_paths import real_paths
from caxton_adapters.runtime.rulebook import Rulebook
from caxton_adapters.runtime.tool_calls import ToolCalls
from caxton_adapters.runtime.toolbox import ToolServers
from caxton_core.conversation.model import ModelRequest, ProviderUnknown
from caxton_core.ports import Clock, Events, Journal, Messages, Model, Tools
from caxton_core.primitives import AgentId, ProviderName, ToolName, Usd
from caxton_core.storage import NotStored
from caxton_core.tools.conditions import Real
from caxton_core.tools.permission import (
    Decision,
    Effect,
    Grant,
    Verdict,
    decide,
    hindrances,
    looked_up,
)
from caxton_core.tools.tool import Caller, ToolCall

RESUMED_AT_ONCE: Final = 8
MOST_PATHS: Final = 200
"""As many paths of one call are looked up."""
PATIENCE_WITH_DISKS: Final = 2.0
PATHS: Final = "disk"
_LOOKING_AT_ONCE: Final = 8


class Models(Protocol):
    """The configured providers; None asks for the default one."""

    def find(self, name: ProviderName | None) -> Result[Model, ProviderUnknown]:
        """The model service behind a name."""
        ...

    def quote(self, name: ProviderName | None, request: ModelRequest) -> Awaitable[Usd | None]:
        """The most that one call with a bounded request can cost; None where nobody knows."""
        ...


class Recollection(Protocol):
    """What agents remember beyond their conversations."""

    def recalled(self, caller: Caller, text: str) -> Awaitable[tuple[str, ...]]:
        """What may matter for a message."""
        ...

    def keep(self, caller: Caller, asked: str, answer: str) -> Awaitable[None]:
        """Remember an exchange, where the agent's file says so; a second time changes nothing."""
        ...

    def forget_agent(self, agent: AgentId) -> Awaitable[Result[int, NotStored]]:
        """Remove everything that an agent remembers alone; how many entries there were."""
        ...


@final
@frozen
class World:
    """What turns reach beyond themselves.

    With `lasting` the journal survives the end of the process, so what is at work then goes on.
    Where there are servers of tools, `toolbox` knows them. `real` follows the paths in arguments
    of a tool.
    """

    models: Models
    tools: Tools
    journal: Journal
    messages: Messages
    pasts: Pasts
    events: Events
    clock: Clock
    memory: Recollection | None = None
    lasting: bool = False
    toolbox: ToolServers | None = None
    rulebook: Rulebook = field(factory=Rulebook)
    real: Callable[[ToolName, Collection[str]], Real] = lambda _, paths: real_paths(paths)
    approvals: Approvals = field(init=False)
    calls: ToolCalls = field(init=False)
    _looking: anyio.CapacityLimiter = field(init=False)
    resuming: asyncio.Semaphore = field(init=False)
    """A server that starts may find thousands of turns to go on with: others come in between."""

    async def decided(self, granted: Grant, call: ToolCall) -> Decision:
        """What becomes of a call under the rules of now.

        Paths are looked up beside the loop, for a disk may hang; where that takes too long, or
        there are too many, nobody is sure of them and the call is denied.
        """
        if call.name not in granted.names:
            return self._hidden(granted, call.name)
        levels = self.rulebook.levels
        paths = looked_up(granted, levels, call)
        if not paths:
            return decide(granted, levels, call)
        if len(paths) <= MOST_PATHS:
            with anyio.move_on_after(PATIENCE_WITH_DISKS):
                decision = await to_thread.run_sync(
                    lambda: decide(granted, levels, call, self.real(call.name, paths)),
                    abandon_on_cancel=True,
                    limiter=self._looking,
                )
                if self.rulebook.levels == levels:
                    return decision
                return await self.decided(granted, call)
        return Decision(Effect.DENY, (Verdict(PATHS, Effect.NOTHING),))

    def _hidden(self, granted: Grant, tool: ToolName) -> Decision:
        why = absent(tool, self.tools.offered(), self.toolbox)
        found = hindrances(granted, self.rulebook.levels, tool, why)
        return Decision(Effect.DENY, hindering=found)

    @approvals.default
    def _asked(self) -> Approvals:
        return Approvals(self.journal, self.events, self.clock)

    @calls.default
    def _guarded(self) -> ToolCalls:
        return ToolCalls(self.tools, self.clock)

    @_looking.default
    def _few_threads(self) -> anyio.CapacityLimiter:
        return anyio.CapacityLimiter(_LOOKING_AT_ONCE)

    @resuming.default
    def _few_at_once(self) -> asyncio.Semaphore:
        return asyncio.Semaphore(RESUMED_AT_ONCE)
