"""A command in a terminal of its own, with somebody who reads and types."""

import os
import pty
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from select import select
from time import monotonic
from typing import final

from tests.cli.command import Shell
from tests.cli.processes import DEADLINE, TooLateError, until_asleep


@final
class Terminal:
    """A terminal in which a command runs, and what it has shown so far."""

    def __init__(self, descriptor: int, process: subprocess.Popen[bytes]) -> None:
        self._descriptor = descriptor
        self.process = process
        self.shown = ""

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self._descriptor, text.encode())

    def until(self, text: str) -> None:
        """Read until the text is shown; what was shown before it is forgotten."""
        deadline = monotonic() + DEADLINE
        while text not in self.shown:
            ready, _, _ = select([self._descriptor], [], [], max(0, deadline - monotonic()))
            if not ready:
                raise TooLateError(text, self.shown)
            self.shown += self._read(text)
        self.shown = self.shown.partition(text)[2]

    def interrupt(self) -> None:
        """Press Ctrl-C while the command waits for keys.

        Line editing does not see a signal that comes after the prompt and before it waits.
        """
        until_asleep(self.process.pid)
        self.process.send_signal(signal.SIGINT)

    def _read(self, awaited: str) -> str:
        try:
            return os.read(self._descriptor, 4096).decode()
        except OSError as error:  # nobody holds the other end any more
            raise TooLateError(awaited, self.shown) from error

    def ended(self) -> int:
        """The exit code."""
        return self.process.wait(DEADLINE)


@contextmanager
def terminal(shell: Shell, *arguments: str, **variables: str) -> Iterator[Terminal]:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        shell.command(arguments),
        cwd=shell.directory,
        env={**shell.environ(), "TERM": "dumb", **variables},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        yield Terminal(ours, process)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
