"""No tools at all: what a server without tool servers offers."""

from collections.abc import Sequence
from typing import final

from attrs import frozen

from caxton_core.tools.tool import Caller, Tool, ToolCall, ToolFailed, ToolResult


@final
@frozen
class NoTools:
    """Offers nothing, and says so to whoever calls."""

    def offered(self) -> Sequence[Tool]:
        """Nothing."""
        return ()

    async def call(self, call: ToolCall, caller: Caller) -> ToolResult:  # noqa: ARG002 - the port's
        """Say that the tool is not there."""
        return ToolFailed(call.id, f"there is no tool named {call.name.value}")
