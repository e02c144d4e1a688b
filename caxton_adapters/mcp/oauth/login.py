"""A person's login to a protected server, once; the running server keeps it alive."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, final

from anyio import fail_after
from attrs import frozen
from mcp.client import Client
from mcp.shared.exceptions import MCPError
from returns.result import Failure, Result, Success

from caxton_adapters.egress import EgressRefused
from caxton_adapters.mcp.http import http_transport
from caxton_adapters.mcp.oauth.logins import LoginFile, login_path
from caxton_adapters.mcp.oauth.loopback import Loopback, loopback
from caxton_adapters.mcp.oauth.providers import LoginProvider, registered_client
from caxton_adapters.mcp.oauth.table import OAuthTable
from caxton_adapters.mcp.registration import Registration
from caxton_core.primitives import ServerName

PATIENCE: Final = 300.0

Show = Callable[[str], Awaitable[None]]


@final
@frozen
class LoginFailed:
    """There is no login; `why` is for the person."""

    why: str


@final
@frozen
class LoggedIn:
    """The login is kept in this file; `tools` counts what the server offers now."""

    path: Path
    tools: int


@final
@frozen
class NotProtected:
    """The server answered without a login."""

    tools: int


async def log_in(
    server: ServerName,
    written: Registration,
    data_dir: Path,
    show: Show,
    patience: float = PATIENCE,
) -> Result[LoggedIn | NotProtected, LoginFailed]:
    """Have a person log in: `show` is given the address that they open in a browser."""
    if written.url is None:
        return Failure(LoginFailed("a server that is a command has no login"))
    table = written.oauth or OAuthTable()
    port = 0 if table.redirect_port is None else table.redirect_port.value
    path = login_path(data_dir, server)
    before = _stamp(path)
    try:
        with fail_after(patience):
            async with loopback(port) as waiting:
                provider = interactive(written.url.value, table, path, waiting, show)
                tools = await _listed(written.url.value, written, provider)
    except TimeoutError:
        return Failure(LoginFailed(f"nobody logged in within {patience:g} seconds"))
    except (EgressRefused, OSError) as error:
        return Failure(LoginFailed(str(error)))
    except ExceptionGroup as group:
        reasons, others = group.split(MCPError)
        if others is not None or reasons is None:
            raise
        return Failure(LoginFailed(_first(reasons)))
    return Success(NotProtected(tools) if _stamp(path) == before else LoggedIn(path, tools))


def interactive(
    url: str, table: OAuthTable, path: Path, waiting: Loopback, show: Show
) -> LoginProvider:
    """The authentication of somebody who sits before a browser."""
    client = registered_client(table, waiting.redirect_uri)
    file = LoginFile(path, url, client)

    async def shown(authorization_url: str) -> None:
        waiting.begin(authorization_url)
        await show(authorization_url)

    return NewLogin(url, table, file, waiting.redirect_uri, show=shown, redirected=waiting.returned)


@final
class NewLogin(LoginProvider):
    """Begins anew, whatever an earlier login left."""

    async def _initialize(self) -> None:
        self.context.client_info = await self._file.get_client_info()
        self._initialized = True


async def _listed(url: str, written: Registration, provider: LoginProvider) -> int:
    transport = http_transport(
        url,
        headers={name: value.value for name, value in written.headers.items()},
        connect_timeout=written.connect_timeout.value,
        max_bytes=written.max_frame.value,
        private_network=written.private_network,
        auth=provider,
    )
    async with Client(transport) as client:
        return len((await client.list_tools()).tools)


def _first(group: ExceptionGroup[MCPError]) -> str:
    found = group.exceptions[0]
    return _first(found) if isinstance(found, ExceptionGroup) else str(found)


def _stamp(path: Path) -> int | None:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return None
