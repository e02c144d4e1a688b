"""The port to the definitions that were approved: what of a server's tools may be called."""

from collections.abc import Collection, Sequence
from typing import Protocol, TypeAlias, final

from attrs import frozen
from returns.result import Result

from caxton_adapters.runtime.toolbox import BadLock, PinnedAnew, PinState
from caxton_core.primitives import ToolName
from caxton_core.storage import NotStored
from caxton_core.tools.tool import Tool

LockRefusal: TypeAlias = BadLock | NotStored


@final
@frozen
class Discovered:
    """What a server offers, held against what was approved of it."""

    approved: tuple[ToolName, ...] = ()
    new: tuple[ToolName, ...] = ()
    changed: tuple[ToolName, ...] = ()


class Pins(Protocol):
    """The approved definitions of tools."""

    def known(self, server: str) -> tuple[Tool, ...]:
        """The approved tools of a server, by name, whether or not it offers them now."""
        ...

    def state(self, tool: Tool) -> PinState:
        """Whether the tool is as it was approved."""
        ...

    def approved(self, name: ToolName) -> Tool | None:
        """The tool as it was approved."""
        ...

    async def note(self, tools: Collection[Tool]) -> Result[Discovered, LockRefusal]:
        """Hear what servers offer; tools seen for the first time are perhaps approved by that.

        What is changed since its approval is told to the operator, once for each definition.
        """
        ...

    async def approve(self, tools: Collection[Tool]) -> Result[Sequence[PinnedAnew], LockRefusal]:
        """Take these definitions as they are now; those whose pin is another now."""
        ...


def withheld(name: ToolName, state: PinState) -> str | None:
    """Why a tool in this state is not called, in words for the model; None for an approved one."""
    match state:
        case PinState.APPROVED:
            return None
        case PinState.NEW:
            return f"{name} is new and waits for the approval of the server's operator"
        case PinState.CHANGED:
            return f"the definition of {name} changed and waits for its operator's approval"
