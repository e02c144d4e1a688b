"""Processes under test, looked at from outside."""

import json
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

import psutil

from tests.cli.command import Shell

DEADLINE = 20.0
POLL = 0.01


class TooLateError(AssertionError):
    """What was waited for did not happen."""


@contextmanager
def foreground(shell: Shell, *flags: str, **variables: str) -> Iterator[subprocess.Popen[str]]:
    """A server in the foreground, once it answers; killed if it is left alive."""
    process = shell.spawn("server", "start", "--foreground", "--port", "0", *flags, **variables)
    try:
        until_there(shell.directory / "data" / "caxton.pid", process)
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def until_there(path: Path, process: subprocess.Popen[str]) -> None:
    """Wait until a file exists, as long as its writer lives."""
    until = monotonic() + DEADLINE
    while not path.exists():
        if process.poll() is not None:
            raise TooLateError(process.communicate())
        if monotonic() > until:
            raise TooLateError(path)
        sleep(POLL)


def until_it_answers(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until something listens on the port, as long as the process lives."""
    until = monotonic() + DEADLINE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError as error:
            if process.poll() is not None or monotonic() > until:
                raise TooLateError(port) from error
            sleep(POLL)
        else:
            return


def family_of(pid: int) -> list[psutil.Process]:
    """A process and everything that came from it."""
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def until_it_has_children(pid: int, count: int) -> list[psutil.Process]:
    """Wait until so many processes came from the process: the zygote, then an agent."""
    until = monotonic() + DEADLINE
    while len(family := family_of(pid)) <= count:
        if monotonic() > until:
            raise TooLateError(family)
        sleep(POLL)
    return family


def until_asleep(pid: int) -> None:
    """Wait until the main thread of the process sleeps, and does so at two looks in a row."""
    until = monotonic() + DEADLINE
    process = psutil.Process(pid)
    before, rest = None, _rest_of(process)
    while rest is None or rest != before:
        if monotonic() > until:
            raise TooLateError(pid)
        sleep(POLL)
        before, rest = rest, _rest_of(process)


def _rest_of(process: psutil.Process) -> object:
    """What stays the same while the process sleeps; None while it does not."""
    asleep = process.status() == psutil.STATUS_SLEEPING
    return process.num_ctx_switches() if asleep else None


def until_told(tell: Callable[[], str], awaited: str) -> str:
    """What is told once it begins so."""
    until = monotonic() + DEADLINE
    while not (told := tell()).startswith(awaited):
        if monotonic() > until:
            raise TooLateError(awaited, told)
        sleep(POLL)
    return told


def until_gone(family: list[psutil.Process]) -> None:
    """Wait until none of the processes is left."""
    _, alive = psutil.wait_procs(family, timeout=DEADLINE)
    if alive:
        raise TooLateError(alive)


def owner(shell: Shell) -> dict[str, object]:
    """What the PID file says."""
    found: dict[str, object] = json.loads((shell.directory / "data" / "caxton.pid").read_text())
    return found


def log_of(shell: Shell) -> list[dict[str, object]]:
    """The events in the server's log."""
    lines = (shell.directory / "data" / "server.log").read_text().splitlines()
    return [json.loads(line) for line in lines]
