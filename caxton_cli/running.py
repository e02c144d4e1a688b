"""Servers of this machine, started and stopped from outside."""

import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from caxton_cli import exits, places
from caxton_cli.configured import refused
from caxton_cli.leaving import Leave

if TYPE_CHECKING:
    from caxton_adapters.process.readiness import Ready

POLL = 0.02
LOG_NAME = "server.log"


def started_server(
    flags: Sequence[str], directory: Path, environ: Mapping[str, str], timeout: float
) -> "Ready":
    """A server of its own, once it answers; leaves with the reason why it does not."""
    from returns.result import Failure

    from caxton_adapters.process.detached import start_detached
    from caxton_adapters.process.private import make_directory
    from caxton_adapters.process.readiness import Died, Ready, Refused, StillStarting
    from caxton_adapters.process.refusals import in_words

    made = make_directory(directory)
    if isinstance(made, Failure):
        raise refused(in_words(made.failure()))
    log = directory / LOG_NAME
    # -P: whatever lies in the current directory is not a module of ours.
    command = [sys.executable, "-P", "-m", "caxton_cli", "server", "start", "--foreground"]
    started = start_detached([*command, *flags], log, environ, timeout)
    match started.outcome:
        case Ready():
            return started.outcome
        case Refused(message, exit_code, code, hint, problems):
            raise Leave(message, exit_code=exit_code, code=code, hint=hint, problems=problems)
        case Died():
            raise Leave(
                f"the server ended before it answered; its log says:\n{started.tail.rstrip()}",
                hint=f"the whole log is in {log}",
            )
        case StillStarting():
            raise Leave(
                f"the server (pid {started.pid}) does not answer after {timeout:g} s",
                hint=f"look at {log}, or wait and ask: caxton server status",
            )


def stopped(pid: int, directory: Path, timeout: float, *, force: bool = False) -> float:
    """Ask the server to end, and wait until it has; how long that took.

    `force` asks twice, which makes a server drop its work.
    """
    began = time.monotonic()
    for _ in range(1 + force):
        _terminate(pid)
    while places.is_locked(str(directory)) or _lives(pid):
        if time.monotonic() - began > timeout:
            raise Leave(
                f"the server (pid {pid}) still works after {timeout:g} s",
                hint=f"wait, or drop its work: caxton server stop --force (or: kill -9 {pid})",
            )
        time.sleep(POLL)
    return time.monotonic() - began


def _terminate(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        return
    except PermissionError as error:
        raise Leave(
            f"the server (pid {pid}) belongs to another user", exit_code=exits.REFUSED
        ) from error


def _lives(pid: int) -> bool:
    try:
        ended, _ = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return _exists(pid)
    return ended == 0


def _exists(pid: int) -> bool:
    """Whether the process runs; one that has ended may wait long for its parent to notice."""
    try:
        os.kill(pid, 0)
        # Linux: the state stands behind the name, which may itself hold any character.
        return not Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].startswith(" Z")
    except (ProcessLookupError, PermissionError):
        # With another user's process of that number, ours is gone too.
        return False
    except FileNotFoundError:
        return not Path("/proc/self").exists()
