"""A terminal, as a person has one before them."""

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

    def until(self, text: str) -> str:
        """Read until the text is shown; what was shown before it, which is forgotten."""
        deadline = monotonic() + DEADLINE
        while text not in self.shown:
            ready, _, _ = select([self._descriptor], [], [], max(0, deadline - monotonic()))
            if not ready:
                raise TooLateError(text, self.shown)
            self.shown += self._read(text)
        before, _, self.shown = self.shown.partition(text)
        return before

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
def terminal(
    shell: Shell, *arguments: str, into: str | None = None, **variables: str
) -> Iterator[Terminal]:
    """The command in a terminal; its results go `into` a file where one is named."""
    ours, theirs = pty.openpty()
    results = None if into is None else (shell.directory / into).open("wb")
    process = subprocess.Popen(
        shell.command(arguments),
        cwd=shell.directory,
        env={**shell.environ(), "TERM": "dumb", **variables},
        stdin=theirs,
        stdout=theirs if results is None else results,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    if results is not None:
        results.close()
    try:
        yield Terminal(ours, process)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
