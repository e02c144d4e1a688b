"""`caxton mcp login`: a person agrees, once, that the server uses a protected server of tools."""

import os
import sys
from typing import TYPE_CHECKING

import click

from caxton_cli import exits
from caxton_cli.commands.server import configures_server
from caxton_cli.configured import settings_or_leave
from caxton_cli.durations import SECONDS
from caxton_cli.leaving import Leave
from caxton_cli.printing import note

if TYPE_CHECKING:
    from caxton_adapters.mcp.registration import Registration
    from caxton_adapters.settings import Settings
    from caxton_core.primitives import ServerName

PATIENCE = 300.0


@click.command()
@click.argument("name")
@click.option("--no-browser", is_flag=True, help="Print the address only, and open no browser.")
@click.option(
    "--timeout",
    type=SECONDS,
    metavar="SECONDS",
    default=PATIENCE,
    help="How long to wait for the login.",
)
@configures_server
def login(
    *, name: str, no_browser: bool, timeout: float, config: str | None, **flags: object
) -> int:
    """Log in to a protected server of tools that the settings register.

    Open the printed page in a browser of this machine. The login is kept in the server's data
    directory; a running server uses it at once, and renews it by itself.
    """
    import anyio
    from returns.result import Failure

    from caxton_adapters.mcp.oauth.login import LoggedIn, NotProtected, log_in
    from caxton_adapters.mcp.visible import one_line

    settings = settings_or_leave(config, flags)
    server, written = _registered(name, settings)

    async def show(url: str) -> None:
        print(f"To log in to {name}, open this page:\n\n    {one_line(url, 8000)}\n", flush=True)
        if not no_browser and _has_window():
            await anyio.to_thread.run_sync(_open, url)

    data_dir = settings.server.data_dir
    done = anyio.run(log_in, server, written, data_dir, show, timeout)
    if isinstance(done, Failure):
        raise Leave(f"no login to {name}: {done.failure().why}", exit_code=exits.REFUSED)
    match done.unwrap():
        case LoggedIn(_, tools):
            note(f"logged in to {name}, which offers {tools} tools")
        case NotProtected(tools):
            note(f"{name} needs no login; it offers {tools} tools")
    return exits.DONE


def _registered(name: str, settings: "Settings") -> "tuple[ServerName, Registration]":
    for server, written in settings.tool_servers.items():
        if server.value == name:
            return server, written
    raise Leave(
        f"the settings register no server of tools named {name}",
        hint=f"write [mcp.servers.{name}] with a url into caxton.toml",
    )


def _has_window() -> bool:
    """Whether a browser would open beside the terminal, not in it."""
    return sys.platform == "darwin" or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )


def _open(url: str) -> None:
    import webbrowser

    webbrowser.open(url)
