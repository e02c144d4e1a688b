"""One server of tools tried for itself, where no server of Caxton runs that could do it."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import final

from returns.result import Result, Success

from caxton_adapters.mcp.connection import Means
from caxton_adapters.mcp.homes import HOMES
from caxton_adapters.mcp.lock import open_lock
from caxton_adapters.mcp.oauth.authenticating import with_logins
from caxton_adapters.mcp.registration import Registration
from caxton_adapters.mcp.servers import tool_servers
from caxton_adapters.runtime.toolbox import ServerRefusal, ServerView
from caxton_core.ports import Clock
from caxton_core.primitives import JsonObject, ServerName
from caxton_core.storage import NotStored


async def tried(
    name: ServerName, written: Registration, data_dir: Path, clock: Clock
) -> Result[ServerView, ServerRefusal]:
    """Connect with it and list its tools, as a server would; what is approved stays as it is."""
    means = Means(clock, data_dir / HOMES, authenticate=with_logins(data_dir))
    with TemporaryDirectory() as place:
        pins = open_lock(Path(place) / "caxton.lock", clock, _unheard)
        assert isinstance(pins, Success), "an empty place has no lock that could be broken"
        async with tool_servers(
            {name: written},
            means=means,
            pins=pins.unwrap(),
            store=_Nothing(),
            may_stand_in=lambda _, __: False,
        ) as servers:
            return await servers.test(name.value)


def _unheard(event: str, **facts: object) -> None:
    """Nothing is approved, so there is nothing to tell."""


@final
class _Nothing:
    """No registration is kept."""

    async def save(self, name: str, registration: JsonObject) -> Result[None, NotStored]:  # noqa: ARG002
        """Keep nothing."""
        return Success(None)

    async def remove(self, name: str) -> Result[None, NotStored]:  # noqa: ARG002
        """There is nothing to forget."""
        return Success(None)

    async def stored(self) -> Sequence[tuple[str, JsonObject]]:
        """None."""
        return ()
