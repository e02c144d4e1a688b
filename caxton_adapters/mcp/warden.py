"""Sees to it that no server of tools outlives this process, even when it is killed."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final, final

from attrs import define, field

_SCRIPT: Final = Path(__file__).with_name("guardian.py")
_PATIENCE: Final = 2.0


@final
@define(eq=False)
class Warden:
    """A small process of its own that outlives this one by a moment, and kills what is left.

    It is started with the first group, and again if it ended.
    """

    _process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)
    _groups: set[int] = field(factory=set, init=False)

    def watch(self, group: int) -> None:
        """Have the process group killed when this process ends."""
        self._groups.add(group)
        if self._process is None or self._process.poll() is not None:
            self._start()
            self._say("".join(f"+{each}\n" for each in self._groups))
        else:
            self._say(f"+{group}\n")

    def forget(self, group: int) -> None:
        """Leave the group alone: it has ended."""
        if group in self._groups:
            self._groups.discard(group)
            self._say(f"-{group}\n")

    def close(self) -> None:
        """End the process, and the groups that are still watched."""
        self._end_process()
        for group in self._groups:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(group, signal.SIGKILL)
        self._groups.clear()

    def _end_process(self) -> None:
        process, self._process = self._process, None
        if process is None or process.stdin is None:
            return
        with contextlib.suppress(OSError):
            process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_PATIENCE)

    def _start(self) -> None:
        self._end_process()
        self._process = subprocess.Popen(  # noqa: S603 - our own script
            (sys.executable, "-I", "-S", str(_SCRIPT)),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={},
            bufsize=0,
            start_new_session=True,
        )

    def _say(self, text: str) -> None:
        pipe = None if self._process is None else self._process.stdin
        if pipe is not None:
            with contextlib.suppress(OSError):  # it ended; the next group starts another one
                pipe.write(text.encode())
