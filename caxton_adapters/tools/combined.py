"""Several sources of tools as one: each call goes to the source that offers its tool."""

from collections.abc import Sequence
from typing import final

from attrs import frozen

from caxton_core.ports import Tools
from caxton_core.tools.tool import Caller, Tool, ToolCall, ToolFailed, ToolResult


@final
@frozen
class CombinedTools:
    """The tools of all sources; where two offer the same name, the first one's counts."""

    sources: tuple[Tools, ...]

    def offered(self) -> Sequence[Tool]:
        """Every tool that is there now, once."""
        found: dict[str, Tool] = {}
        for source in self.sources:
            for tool in source.offered():
                found.setdefault(tool.name.value, tool)
        return tuple(found.values())

    async def call(self, call: ToolCall, caller: Caller) -> ToolResult:
        """Have it done by the source that offers it."""
        for source in self.sources:
            if any(tool.name == call.name for tool in source.offered()):
                return await source.call(call, caller)
        return ToolFailed(call.id, f"there is no tool named {call.name.value}")
