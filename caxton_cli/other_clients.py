"""The servers of tools in a file of another program, or the end of the command."""

from collections.abc import Mapping
from pathlib import Path

from caxton_cli import exits
from caxton_cli.leaving import Leave
from caxton_cli.printing import note


def servers_in(path: Path) -> dict[str, dict[str, object]]:
    """The registrations that the file has, by name; what is not taken over is told."""
    from returns.result import Failure

    from caxton_adapters.mcp.importing import imported
    from caxton_core.tools.visible import visible

    found = imported(_text(path))
    if isinstance(found, Failure):
        raise Leave(f"{path}: {visible(found.failure().why)}", exit_code=exits.INVALID)
    for left in found.unwrap().left_out:
        place = ".".join(part for part in (left.server, left.key) if part)
        note(f"left out: {visible(f'{place}: {left.why}')}")
    for name, written in found.unwrap().renamed.items():
        note(f"renamed: {visible(written)} becomes {name}")
    servers = found.unwrap().servers
    if not servers:
        raise Leave(f"{path} has no server that can be registered", exit_code=exits.INVALID)
    return {name: dict(table) for name, table in servers.items()}


def registered_target(table: Mapping[str, object]) -> str:
    """The command or the address as the server shows it of a registration."""
    from returns.result import Failure

    from caxton_adapters.mcp.registration import Registration
    from caxton_core.reading.tables import read

    written = read(Registration, table)
    return "" if isinstance(written, Failure) else written.unwrap().target


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise Leave(f"{path} cannot be read: {error.strerror}", exit_code=exits.INVALID) from error
    except UnicodeDecodeError as error:
        raise Leave(f"{path} is not UTF-8", exit_code=exits.INVALID) from error
