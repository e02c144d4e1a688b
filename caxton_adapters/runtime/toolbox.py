"""The port to servers of tools: what they offer, how they do, and what their operator changes."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Protocol, TypeAlias, final

from attrs import frozen
from returns.result import Result

from caxton_core.primitives import JsonObject, ServerName, ToolName
from caxton_core.reading.report import Report
from caxton_core.storage import NotStored
from caxton_core.tools.pinning import Fingerprint
from caxton_core.tools.tool import Tool


@final
class ServerState(Enum):
    """How a connection with a server of tools does."""

    IDLE = "idle"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    WAITING = "waiting"
    """It failed and is tried again after a while."""
    DISABLED = "disabled"


@final
class Origin(Enum):
    """Who registered a server."""

    SETTINGS = "settings"
    API = "api"


@final
@frozen(kw_only=True)
class ServerView:
    """A server of tools at one moment; `target` is its command line or address, without secrets.

    `reason` says why there is no connection, where one was tried. Of variables and headers only the
    names are told; `timeout` is how long a call may take. `registration` is its
    table, without secrets.
    """

    name: ServerName
    transport: str
    target: str
    origin: Origin
    state: ServerState
    since: datetime
    reason: str = ""
    protocol: str = ""
    title: str = ""
    version: str = ""
    tools: int = 0
    connects: int = 0
    cwd: str = ""
    env: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    timeout: str = ""
    registration: JsonObject = JsonObject()


@final
@frozen
class Registered:
    """A server that was registered, and the registration in whose place that was put."""

    now: ServerView
    before: JsonObject | None


@final
class PinState(Enum):
    """What is known of a tool's definition: only an approved one is called."""

    APPROVED = "approved"
    NEW = "new"
    CHANGED = "changed"


@final
@frozen(kw_only=True)
class ToolView:
    """A tool as its server describes it now; `before` is the approved one where it differs."""

    tool: Tool
    pin: PinState
    returns: JsonObject | None = None
    before: Tool | None = None


@final
@frozen
class PinnedAnew:
    """A tool of which another definition is approved than before, by their fingerprints."""

    name: ToolName
    before: Fingerprint | None
    now: Fingerprint


@final
@frozen
class UnknownServer:
    """No server of tools has this name; `near` are names that look alike."""

    asked: str
    near: tuple[str, ...] = ()


@final
@frozen
class ServerTaken:
    """A server of this name is registered already."""

    name: ServerName


@final
@frozen
class InSettings:
    """The server is registered in the settings file, and changed only there."""

    name: ServerName


@final
@frozen
class StandsIn:
    """The server stands in for others, which name it as their `fallback`."""

    name: ServerName
    of: tuple[str, ...]


@final
@frozen
class BadRegistration:
    """The registration has problems."""

    report: Report


@final
@frozen
class ServerUnreachable:
    """There is no connection with the server."""

    name: ServerName
    why: str


@final
@frozen
class UnknownTools:
    """No server that was reached offers these tools."""

    asked: tuple[str, ...]
    near: tuple[str, ...] = ()


@final
@frozen
class BadLock:
    """The file with the approved definitions cannot be read, so none is approved."""

    report: Report


ServerRefusal: TypeAlias = (
    UnknownServer
    | ServerTaken
    | InSettings
    | StandsIn
    | BadRegistration
    | ServerUnreachable
    | UnknownTools
    | BadLock
    | NotStored
)


class ToolServers(Protocol):
    """The registered servers of tools."""

    @property
    def generation(self) -> int:
        """Grows whenever other tools are offered than before."""
        ...

    async def reach(self, servers: Collection[str]) -> None:
        """Have the tools of these servers known, as far as the servers answer in time.

        It takes no time where they are known; names of no server are left alone.
        """
        ...

    def servers(self) -> Sequence[ServerView]:
        """Every registered server, by name."""
        ...

    def tools(self) -> Sequence[ToolView]:
        """Every tool that is known, by name; also those that may not be called yet."""
        ...

    async def add(
        self, name: str, table: Mapping[str, object], *, replace: bool = False
    ) -> Result[Registered, ServerRefusal]:
        """Register a server that outlives a restart; the table has the keys of the settings."""
        ...

    async def remove(self, name: str) -> Result[ServerView, ServerRefusal]:
        """Forget a server that was added, and end its connection; how it was."""
        ...

    async def test(self, name: str) -> Result[ServerView, ServerRefusal]:
        """Connect now, and list its tools."""
        ...

    async def approve(self, names: Collection[str]) -> Result[Sequence[PinnedAnew], ServerRefusal]:
        """Take the definitions of these tools (`server.tool` or `server.*`) as they are now.

        Those whose pin changed.
        """
        ...
