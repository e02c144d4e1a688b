"""`caxton server logs` and `caxton logs AGENT`: the log that the server writes on this machine."""

import json
import os
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from http.client import NOT_FOUND
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, final

import click

from caxton_cli import exits, places
from caxton_cli.client import connect, refusal, segment
from caxton_cli.configured import settings_or_leave
from caxton_cli.leaving import Leave
from caxton_cli.running import LOG_NAME

if TYPE_CHECKING:
    from caxton_adapters.settings import Settings

POLL = 0.1
_DIRECTORY = click.option("--data-dir", envvar="CAXTON_DATA_DIR", help="The server's directory.")
_FILE = click.option("--file", "log_file", envvar="CAXTON_LOG_FILE", help="Another log file.")
_FOLLOW = click.option("-f", "--follow", is_flag=True, help="Go on printing as it grows.")
_LINES = click.option(
    "-n",
    "--lines",
    type=click.IntRange(min=0),
    metavar="NUMBER",
    default=100,
    show_default=True,
    help="How many at first.",
)


@click.command()
@_FOLLOW
@_LINES
@_DIRECTORY
@_FILE
def logs(*, follow: bool, lines: int, data_dir: str | None, log_file: str | None) -> int:
    """Print the server's log, the newest line last."""
    settings = settings_or_leave(None, {"data_dir": data_dir, "log_file": log_file})
    return _print(_path(settings), lambda _: True, lines, follow=follow)


@click.command()
@click.argument("agent")
@_FOLLOW
@_LINES
@_DIRECTORY
@_FILE
def agent_logs(
    *, agent: str, follow: bool, lines: int, data_dir: str | None, log_file: str | None
) -> int:
    """Print what the server's log says about one AGENT, also after it was deleted."""
    settings = settings_or_leave(None, {"data_dir": data_dir, "log_file": log_file})

    def nothing_found() -> None:
        _known_or_leave(agent, str(settings.server.data_dir))

    return _print(_path(settings), _About(agent), lines, nothing_found, follow=follow)


def _known_or_leave(agent: str, directory: str) -> None:
    """Leave where the server of the directory answers that it has no such agent."""
    url = places.owner(directory).get("url")
    if url is None:
        return
    caller = connect(str(url), os.environ.get("CAXTON_API_TOKEN"))
    try:
        answer = caller.ask("GET", f"/agents/{segment(agent)}")
    except Leave:  # it does not answer: the log is all there is
        return
    if answer.status == NOT_FOUND:
        raise refusal(answer)


def _path(settings: "Settings") -> Path:
    """The log that the settings name, or where a detached server's goes."""
    return settings.logging.file or settings.server.data_dir / LOG_NAME


def _print(
    path: Path,
    wanted: Callable[[str], bool],
    lines: int,
    nothing_found: Callable[[], None] = lambda: None,
    *,
    follow: bool,
) -> int:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            last = deque(filter(wanted, file), maxlen=lines)
            if not last:
                nothing_found()
            sys.stdout.writelines(last)
            sys.stdout.flush()
            for line in filter(wanted, _growth(file)) if follow else ():
                sys.stdout.write(line)
                sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise Leave(
            f"there is no log to read in {path}: {error.strerror}",
            hint="a server in the foreground logs to its terminal; --file names another file",
        ) from error
    return exits.DONE


def _growth(file: TextIO) -> Iterator[str]:
    """The lines that are added, whole ones only."""
    pending = ""
    while True:
        pending += file.readline()
        if pending.endswith("\n"):
            yield pending
            pending = ""
        else:
            time.sleep(POLL)


@final
class _About:
    """Knows the lines about one agent; the log names it by its identity, which a line told once."""

    def __init__(self, agent: str) -> None:
        self._known = {agent}

    def __call__(self, line: str) -> bool:
        if not any(name in line for name in self._known):
            return False
        try:
            facts = json.loads(line)
        except ValueError:
            return False
        if not isinstance(facts, dict):
            return False
        if facts.get("name") in self._known:
            self._known.add(str(facts.get("agent")))
        return facts.get("agent") in self._known
