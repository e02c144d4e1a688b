"""`caxton server ...`: the process that answers, from outside and from inside."""

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import click

from caxton_cli import exits, places
from caxton_cli.configured import policy_or_leave, refused, settings_or_leave, surroundings
from caxton_cli.durations import SECONDS
from caxton_cli.leaving import Leave
from caxton_cli.printing import emit, note
from caxton_cli.running import LOG_NAME, started_server, stopped
from caxton_cli.status import print_status

Command = TypeVar("Command", bound=Callable[..., object])

START_TIMEOUT = 30.0
FIRST_STEPS = "caxton init hello && caxton deploy hello.toml && caxton chat hello"
NO_PROVIDER = (
    "no provider is configured: export OPENAI_API_KEY=... or OPENAI_BASE_URL=http://..., "
    'or write [providers.play] kind = "scripted"; then restart (more: caxton providers)'
)


def configures_server(command: Command) -> Command:
    """Give a command the flags that stand above the environment and the settings files."""
    for option in (
        click.option("--log-file", help="Write the log to this file."),
        click.option("--log-format", help="auto, json or text."),
        click.option("--log-level", help="debug, info, warning or error."),
        click.option("--database", help="Keep the database in this file."),
        click.option("--data-dir", help="Keep agents and conversations in this directory."),
        click.option("--unix-socket", help="Answer at this UNIX socket too."),
        click.option(
            "--behind-proxy",
            is_flag=True,
            default=None,
            help="A proxy in front of it encrypts: other addresses than loopback need no TLS.",
        ),
        click.option("--tls-key", help="The key of the certificate (PEM)."),
        click.option("--tls-certificate", help="Speak https with this certificate (PEM)."),
        click.option("--port", type=int, help="Listen on this port; 0 takes a free one."),
        click.option("--host", help="Listen on this address."),
        click.option("--config", help="Read these settings before all others."),
    ):
        command = option(command)
    return command


@click.command()
@click.option("--foreground", is_flag=True, help="Stay, and log to standard error.")
@click.option(
    "--timeout",
    type=SECONDS,
    metavar="SECONDS",
    default=START_TIMEOUT,
    help="How long to wait for it.",
)
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
@click.option(
    "--timeout",
    type=SECONDS,
    metavar="SECONDS",
    default=60.0,
    help="How long to wait until it has ended.",
)
@click.option("--force", is_flag=True, help="Let it drop the work that it is doing.")
@click.option("--data-dir", envvar="CAXTON_DATA_DIR", help="The directory that it works in.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def stop(*, timeout: float, force: bool, data_dir: str | None, as_json: bool) -> int:
    """Stop the server: it finishes the messages that it has accepted, then ends."""
    directory = data_dir or places.data_dir(os.environ)
    pid = places.owner(directory).get("pid")
    if not isinstance(pid, int) or not places.is_locked(directory):
        raise Leave(f"no server is running in {directory}", exit_code=exits.NOT_RUNNING)
    took = stopped(pid, Path(directory), timeout, force=force)
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
    running = places.owner(directory)
    address = url or str(running.get("url") or places.server_url(os.environ))
    way = url or str(running.get("socket") or address)
    token = os.environ.get("CAXTON_API_TOKEN")
    return print_status(address.rstrip("/"), directory, token, way.rstrip("/"), as_json=as_json)


def _serve(config: str | None, flags: dict[str, object]) -> int:
    # Nothing heavy before the claim: whoever starts a second server is told so at once.
    from returns.result import Failure

    from caxton_adapters.process.readiness import Refused, inherited
    from caxton_adapters.process.refusals import in_words
    from caxton_adapters.process.server_process import claim

    pipe = inherited(os.environ)
    try:
        settings = settings_or_leave(config, flags)
        policy = policy_or_leave(settings.policy)
        claimed = claim(settings.wanted(), pipe, os.environ)
        if isinstance(claimed, Failure):
            raise refused(in_words(claimed.failure()))
    except Leave as leave:
        if not pipe.is_open:
            raise
        # Standard error may be the log of the server that is in our way: whoever waits is told.
        words = leave.message, leave.exit_code, leave.code, leave.hint, leave.problems
        pipe.say(Refused(*words))
        return leave.exit_code
    from caxton_adapters import server
    from caxton_adapters.settings import load

    again = partial(load, surroundings(config, flags))
    code = server.main(server.Launch(settings, claimed.unwrap(), policy, again))
    sys.stdout.flush()
    sys.stderr.flush()
    # Everything is closed; taking the interpreter apart would cost more than the drain did.
    os._exit(code)


def _start_detached(
    config: str | None, flags: dict[str, object], timeout: float, *, as_json: bool
) -> int:
    environ = {**os.environ, **({"CAXTON_CONFIG": config} if config else {})}
    directory = Path(str(flags["data_dir"] or places.data_dir(environ)))
    ready = started_server(_as_arguments(config, flags), directory, os.environ, timeout)
    if as_json:
        log = str(directory / LOG_NAME)
        emit({"running": True, "url": ready.url, "pid": ready.pid, "log": log})
    else:
        print(f"caxton is running at {ready.url} (pid {ready.pid})")
        if ready.doubt:
            note(f"clients will not accept its certificate: {ready.doubt}")
        if not ready.providers:
            note(NO_PROVIDER)
        note(f"next: {'caxton list' if ready.agents else FIRST_STEPS}")
    return exits.DONE


def _as_arguments(config: str | None, flags: dict[str, object]) -> list[str]:
    given = {"config": config, **flags}
    return [
        _as_argument(f"--{name.replace('_', '-')}", value)
        for name, value in given.items()
        if value is not None
    ]


def _as_argument(flag: str, value: object) -> str:
    return flag if value is True else f"{flag}={value}"
