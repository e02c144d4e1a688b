"""Tool servers as a server of Caxton has them, and calls of them."""

import os
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
from attrs import field, frozen
from returns.result import Result, Success

from caxton_adapters.clock import SystemClock
from caxton_adapters.mcp.approval import Approval
from caxton_adapters.mcp.connection import Means
from caxton_adapters.mcp.lock import open_lock
from caxton_adapters.mcp.registration import Registration
from caxton_adapters.mcp.servers import McpServers, tool_servers
from caxton_adapters.mcp.standing_in import MayStandIn
from caxton_adapters.runtime.toolbox import ServerView
from caxton_adapters.secrets import Secret
from caxton_adapters.testing.tools import caller_of
from caxton_core.primitives import JsonObject, ServerName, ToolName
from caxton_core.storage import NotStored
from caxton_core.tools.tool import ToolCall, ToolResult
from tests.waiting import PATIENCE, until


@frozen
class InADict:
    """Registrations for as long as a test lasts."""

    kept: dict[str, JsonObject] = field(factory=dict)

    async def save(self, name: str, registration: JsonObject) -> Result[None, NotStored]:
        self.kept[name] = registration
        return Success(None)

    async def remove(self, name: str) -> Result[None, NotStored]:
        self.kept.pop(name, None)
        return Success(None)

    async def stored(self) -> list[tuple[str, JsonObject]]:
        return sorted(self.kept.items())


@asynccontextmanager
async def serving(  # noqa: PLR0913 - each test names what it is about
    lock: Path,
    written: Mapping[str, Registration],
    *,
    store: InADict | None = None,
    approval: Approval = Approval.FIRST_USE,
    jitter: float = 0.1,
    may_stand_in: MayStandIn = lambda *_: True,
    homes: Path | None = None,
    hide: Callable[[Iterable[Secret]], None] = lambda _: None,
) -> AsyncIterator[McpServers]:
    """The servers, whose tools are pinned in the file."""
    clock = SystemClock()
    pins = open_lock(lock, clock, _unheard, approval)
    assert isinstance(pins, Success)
    means = Means(clock, homes or lock.parent / "homes", jitter=lambda: jitter, hide=hide)
    named = {ServerName(name): each for name, each in written.items()}
    async with tool_servers(
        named,
        means=means,
        pins=pins.unwrap(),
        store=store or InADict(),
        may_stand_in=may_stand_in,
    ) as servers:
        yield servers


def _unheard(event: str, **facts: object) -> None:
    """Nobody listens."""


async def call(servers: McpServers, tool: str, **arguments: object) -> ToolResult:
    """What came of a call."""
    made = ToolCall("call_1", ToolName(tool), JsonObject.of(arguments))
    with anyio.fail_after(PATIENCE):
        return await servers.call(made, caller_of(made))


def view(servers: McpServers, name: str = "small") -> ServerView:
    """A server as it is now."""
    (found,) = (each for each in servers.servers() if each.name.value == name)
    return found


async def noted(file: Path, words: str) -> str:
    """The line of a server's notes that has the words, when it is there."""

    def found() -> list[str]:
        lines = file.read_text("utf-8").splitlines() if file.exists() else []
        return [line for line in lines if words in line]

    await until(lambda: bool(found()))
    return found()[0]


async def ended(*pids: int) -> None:
    """Return when the processes are gone, fail when they stay."""
    await until(lambda: not any(map(_lives, pids)))


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"
