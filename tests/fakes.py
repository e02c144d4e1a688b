"""Adapters that live in a dict; each passes the contract suite of its port."""

from collections.abc import Mapping, Sequence
from typing import final

from attrs import define, field, frozen

from caxton_adapters.clock import SystemClock
from caxton_adapters.journal.in_memory import InMemoryJournal
from caxton_adapters.runtime.pasts import Pasts
from caxton_adapters.runtime.world import Models, World
from caxton_adapters.tools.none import NoTools
from caxton_core.events import Event
from caxton_core.ports import Clock, Events, Tools
from caxton_core.primitives import JsonObject, ToolName
from caxton_core.tools.tool import Caller, Tool, ToolCall, ToolFailed, ToolResult, ToolSucceeded

PATH = {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}


@final
@define
class FilesInADict:
    """Tools that read texts by their path; remembers the calls that were made."""

    texts: Mapping[str, str]
    called: list[ToolCall] = field(factory=list, init=False)

    def offered(self) -> Sequence[Tool]:
        return (Tool(ToolName("files.read"), "Reads a file.", JsonObject.of(PATH)),)

    async def call(self, call: ToolCall, caller: Caller) -> ToolResult:  # noqa: ARG002 - the port's
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


@final
@frozen
class Heard:
    """Events that were told, to be looked into."""

    events: list[Event] = field(factory=list)

    def tell(self, *events: Event) -> None:
        self.events.extend(events)


def in_memory(
    models: Models,
    *,
    tools: Tools | None = None,
    events: Events | None = None,
    clock: Clock | None = None,
    journal: InMemoryJournal | None = None,
) -> World:
    """A world whose journal is in memory."""
    kept = journal or InMemoryJournal()
    return World(
        models,
        tools or NoTools(),
        kept,
        kept,
        Pasts(kept.conversations, 1_000_000),
        events or Heard(),
        clock or SystemClock(),
    )
