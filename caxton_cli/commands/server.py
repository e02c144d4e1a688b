"""`caxton server ...`: the process that answers, from outside and from inside."""

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from caxton_cli import exits, places
from caxton_cli.configured import refused, settings_or_leave
from caxton_cli.leaving import Leave
from caxton_cli.printing import emit, note
from caxton_cli.status import print_status

if TYPE_CHECKING:
    from caxton_adapters.process.detached import Started

Command = TypeVar("Command", bound=Callable[..., object])

START_TIMEOUT = 30.0
POLL = 0.02


def configures_server(command: Command) -> Command:
    """Give a command the flags that stand above the environment and the settings files."""
    for option in (
        click.option("--log-file", help="Write the log to this file."),
        click.option("--log-format", help="auto, json or text."),
        click.option("--log-level", help="debug, info, warning or error."),
        click.option("--data-dir", help="Keep agents and conversations in this directory."),
        click.option("--port", type=int, help="Listen on this port; 0 takes a free one."),
        click.option("--host", help="Listen on this address."),
        click.option("--config", help="Read these settings before all others."),
    ):
        command = option(command)
    return command


@click.command()
@click.option("--foreground", is_flag=True, help="Stay, and log to standard error.")
@click.option("--timeout", type=float, default=START_TIMEOUT, help="Seconds to wait for it.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@configures_server
def start(
    *, foreground: bool, timeout: float, as_json: bool, config: str | None, **flags: object
) -> int:
    """Start the server and return when it answers.

    With --foreground it stays in this process, as systemd and Docker want it.
    """
    if foreground:
        return _serve(config, flags)
    return _start_detached(config, flags, timeout, as_json=as_json)


@click.command()
@configures_server
def run(*, config: str | None, **flags: object) -> int:
    """Run the server in this terminal until Ctrl-C; the same as `start --foreground`."""
    return _serve(config, flags)


@click.command()
@click.option("--timeout", type=float, default=60.0, help="Seconds to wait until it has ended.")
@click.option("--force", is_flag=True, help="Let it drop the work that it is doing.")
@click.option("--data-dir", envvar="CAXTON_DATA_DIR", help="The directory that it works in.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def stop(*, timeout: float, force: bool, data_dir: str | None, as_json: bool) -> int:
    """Stop the server: it finishes the messages that it has accepted, then ends."""
    directory = data_dir or places.data_dir(os.environ)
    pid = places.owner(directory).get("pid")
    if not isinstance(pid, int) or not places.is_locked(directory):
        raise Leave(f"no server is running in {directory}", exit_code=exits.NOT_RUNNING)
    began = time.monotonic()
    _signal(pid)
    if force:
        _signal(pid)
    while places.is_locked(directory):
        if time.monotonic() - began > timeout:
            raise Leave(
                f"the server (pid {pid}) still works after {timeout:g} s",
                hint=f"wait, or drop its work: caxton server stop --force (or: kill -9 {pid})",
            )
        time.sleep(POLL)
    took = time.monotonic() - began
    if as_json:
        emit({"stopped": True, "pid": pid, "seconds": round(took, 3)})
    else:
        print(f"caxton (pid {pid}) stopped after {took:.1f} s")
    return exits.DONE


@click.command()
@click.option("--url", envvar="CAXTON_URL", help="The address of the server.")
@click.option("--data-dir", envvar="CAXTON_DATA_DIR", help="The directory that it works in.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def status(*, url: str | None, data_dir: str | None, as_json: bool) -> int:
    """Show whether the server is running: exit code 0 if it answers, 3 if not."""
    directory = data_dir or places.data_dir(os.environ)
    written = places.owner(directory).get("url") if data_dir else None
    address = url or str(written or places.server_url(os.environ))
    return print_status(address.rstrip("/"), directory, as_json=as_json)


def _serve(config: str | None, flags: dict[str, object]) -> int:
    # The zygote of the agents is forked by `server.main`: nothing heavy and no thread before it.
    from returns.result import Failure

    from caxton_adapters.process.readiness import Refused, inherited
    from caxton_adapters.process.refusals import in_words
    from caxton_adapters.process.server_process import claim

    pipe = inherited(os.environ)
    settings = settings_or_leave(config, flags)
    claimed = claim(settings.wanted(), pipe, os.environ)
    if isinstance(claimed, Failure):
        sentences = in_words(claimed.failure())
        pipe.say(Refused(sentences, exits.CANNOT_START))
        raise refused(sentences)
    from caxton_adapters import server

    return server.main(settings, claimed.unwrap())


def _start_detached(
    config: str | None, flags: dict[str, object], timeout: float, *, as_json: bool
) -> int:
    from returns.result import Failure

    from caxton_adapters.process.detached import start_detached
    from caxton_adapters.process.private import make_directory
    from caxton_adapters.process.refusals import in_words

    directory = settings_or_leave(config, flags).server.data_dir
    made = make_directory(directory)
    if isinstance(made, Failure):
        raise refused(in_words(made.failure()))
    log = directory / "server.log"
    # -P: whatever lies in the current directory is not a module of ours.
    command = [sys.executable, "-P", "-m", "caxton_cli", "server", "start", "--foreground"]
    started = start_detached([*command, *_as_arguments(config, flags)], log, os.environ, timeout)
    return _tell_outcome(started, log, timeout, as_json=as_json)


def _tell_outcome(started: "Started", log: Path, timeout: float, *, as_json: bool) -> int:
    from caxton_adapters.process.readiness import Died, Ready, Refused, StillStarting

    match started.outcome:
        case Ready(url, pid):
            if as_json:
                emit({"running": True, "url": url, "pid": pid, "log": str(log)})
            else:
                print(f"caxton is running at {url} (pid {pid})")
                note("next: caxton init hello && caxton deploy hello.toml && caxton chat hello")
            return exits.DONE
        case Refused(sentences, _):
            raise refused(sentences)
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


def _as_arguments(config: str | None, flags: dict[str, object]) -> list[str]:
    given = {"config": config, **flags}
    return [
        f"--{name.replace('_', '-')}={value}" for name, value in given.items() if value is not None
    ]


def _signal(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        return
    except PermissionError as error:
        raise Leave(
            f"the server (pid {pid}) belongs to another user", exit_code=exits.REFUSED
        ) from error
