"""Adapters that live in a dict; each passes the contract suite of its port."""

from collections.abc import Mapping, Sequence
from typing import final

from attrs import define, field

from caxton_core.primitives import JsonObject, ToolName
from caxton_core.tools.tool import Tool, ToolCall, ToolFailed, ToolResult, ToolSucceeded

PATH = {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}


@final
@define
class FilesInADict:
    """Tools that read texts by their path; remembers the calls that were made."""

    texts: Mapping[str, str]
    called: list[ToolCall] = field(factory=list, init=False)

    def offered(self) -> Sequence[Tool]:
        return (Tool(ToolName("files.read"), "Reads a file.", JsonObject.of(PATH)),)

    async def call(self, call: ToolCall) -> ToolResult:
        self.called.append(call)
        if call.name.value != "files.read":
            return ToolFailed(call.id, f"there is no tool named {call.name.value}")
        path = str(call.arguments.members().get("path"))
        text = self.texts.get(path)
        return (
            ToolFailed(call.id, f"there is no {path}")
            if text is None
            else ToolSucceeded(call.id, text)
        )
