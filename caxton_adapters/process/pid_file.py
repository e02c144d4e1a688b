"""The PID file says who runs here; it informs people and clients, the lock decides."""

import json
from contextlib import suppress
from pathlib import Path
from typing import final

from attrs import asdict, frozen

from caxton_adapters.process.private import replace_text

FILE_NAME = "caxton.pid"


@final
@frozen
class Owner:
    """A server that runs: its process, its address, its version, since when (ISO 8601, UTC).

    `socket` is its address for its own user, where it has one.
    """

    pid: int
    url: str
    version: str
    started: str
    socket: str | None = None


def write(directory: Path, owner: Owner) -> None:
    """Say who runs in the directory."""
    replace_text(directory / FILE_NAME, json.dumps(asdict(owner)) + "\n")


def read(directory: Path) -> Owner | None:
    """Who says to run in the directory; None where the file is missing or damaged."""
    try:
        found = json.loads((directory / FILE_NAME).read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    match found:
        case {"pid": int(pid), "url": str(url), "version": str(version), "started": str(started)}:
            socket = found.get("socket")
            return Owner(pid, url, version, started, socket if isinstance(socket, str) else None)
        case _:
            return None


def remove(directory: Path) -> None:
    """Take the file away; nothing happens where it is gone already."""
    with suppress(FileNotFoundError):
        (directory / FILE_NAME).unlink()
