"""The installed command, run as a person runs it, in surroundings of its own."""

import os
import socket
import subprocess
import sysconfig
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import final

from attrs import frozen

CAXTON = Path(sysconfig.get_path("scripts")) / "caxton"
TIMEOUT = 60.0


def unused_port() -> str:
    """A port at which nobody answers, whatever else runs on the machine."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return str(free.getsockname()[1])


@final
@frozen
class Ended:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str


@final
@frozen
class Shell:
    """A person's shell: a directory that is home and current directory at once."""

    directory: Path
    variables: Mapping[str, str] = {}

    def environ(self) -> dict[str, str]:
        """What a command finds around it: nothing of the machine's own settings."""
        own = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.directory),
            "CAXTON_HOME": str(self.directory),
        }
        return {**own, **self.variables}

    def run(self, *arguments: str, stdin: str = "", **variables: str) -> Ended:
        """Run `caxton ARGUMENTS` to its end."""
        done = subprocess.run(
            self.command(arguments),
            cwd=self.directory,
            env={**self.environ(), **variables},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def spawn(self, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        """Begin `caxton ARGUMENTS` with pipes to talk to it."""
        return subprocess.Popen(
            self.command(arguments),
            cwd=self.directory,
            env={**self.environ(), **variables},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def write(self, name: str, text: str) -> Path:
        """A file of the person."""
        path = self.directory / name
        path.write_text(text, "utf-8")
        return path

    @staticmethod
    def command(arguments: Sequence[str]) -> list[str]:
        """The words that the operating system sees."""
        return [str(CAXTON), *arguments]
