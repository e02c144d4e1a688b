"""Calls of tools, each within its time; a tool that keeps everybody waiting is left alone a while.

What a tool answers, be it a failure, says that the tool works. Silence and defects say that it
does not: after some of them its circuit opens, and turns are told at once instead of late.
"""

from asyncio import CancelledError
from collections.abc import Mapping
from typing import final

import anyio
from attrs import define, field

from caxton_core.ports import Clock, Tools
from caxton_core.primitives import ToolName
from caxton_core.resilience.breaker import Breaker, Closed, Outcome, Refused, admit, observed
from caxton_core.tools.tool import Caller, ToolCall, ToolFailed, ToolResult


@final
@define(eq=False)
class ToolCalls:
    """The tools of a runtime, behind one circuit breaker for each of them."""

    _tools: Tools
    _clock: Clock
    _breakers: dict[ToolName, Breaker] = field(factory=dict, init=False)

    @property
    def breakers(self) -> Mapping[ToolName, Breaker]:
        """The breaker of every tool that was called, for health pages and metrics."""
        return dict(self._breakers)

    async def make(self, call: ToolCall, caller: Caller, timeout: float) -> ToolResult:  # noqa: ASYNC109 - it is the agent's, and its passing is counted
        """What the tool answers within so many seconds, or that it did not."""
        name, now = call.name, self._clock.monotonic
        admitted = admit(self._breakers.get(name, Closed()), now())
        if isinstance(admitted, Refused):
            return ToolFailed(call.id, _held_back(name, admitted.retry_after))
        self._breakers[name], permit = admitted
        outcome = Outcome.FAULT  # unless it is known better
        try:
            with anyio.move_on_after(timeout):
                result = await self._tools.call(call, caller)
                outcome = Outcome.ANSWERED
                return result
            return ToolFailed(call.id, f"no answer within {timeout:g} s")
        except CancelledError:
            outcome = Outcome.ABANDONED
            raise
        finally:
            self._breakers[name] = observed(self._breakers[name], permit, outcome, now())


def _held_back(name: ToolName, seconds: float) -> str:
    return f"{name.value} gave no answer too often and is not called for {seconds:.0f} s"
