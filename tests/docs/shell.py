"""A reader at a terminal: types the commands of a page, one after the other, in an empty folder."""

import os
import re
import shlex
import socket
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import final

from attrs import field, frozen

WRITTEN_PORT = "8080"
PATIENCE = 60.0

# What a command leaves behind for the next one: its exit code, its folder, its variables.
STEP = """
[ -f {state}/variables ] && . {state}/variables
[ -f {state}/folder ] && cd "$(cat {state}/folder)"
(exit {status})
{command}
status=$?
export -p > {state}/variables
pwd > {state}/folder
exit $status
"""


@final
@frozen
class Typed:
    """A command, and what the page says that it prints (None: the page does not say)."""

    command: str
    prints: str | None


@final
@frozen
class Answer:
    """What a command printed, on both streams, and its exit code."""

    text: str
    status: int


def typed_in(block: str) -> Iterator[Typed]:
    """The commands of a block: `$ ` begins one, `> ` goes on with it, the rest is printed."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        lines = part.splitlines()
        more = next(
            (i for i, line in enumerate(lines[1:], 1) if not line.startswith("> ")), len(lines)
        )
        command = "\n".join([lines[0], *(line.removeprefix("> ") for line in lines[1:more])])
        printed = "\n".join(lines[more:]).strip()
        yield Typed(command, printed or None)


def agrees(written: str, printed: str) -> bool:
    """Whether the output is what the page shows, where `...` stands for anything."""
    parts = (re.escape(part) for part in written.split("..."))
    return re.fullmatch(".*".join(parts), printed.strip(), re.DOTALL) is not None


def free_port() -> int:
    """A port that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(home: Path, port: int) -> dict[str, str]:
    """What the shell of a newcomer knows: a home, this environment's programs, and a free port."""
    scripts = sysconfig.get_path("scripts")
    return {
        "HOME": str(home),
        "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",
        "LANG": "C.UTF-8",
        "COLUMNS": "100",
        "PYTHONUNBUFFERED": "1",  # both streams in the order in which a terminal shows them
        "CAXTON_PORT": str(port),
    }


@final
@frozen
class Shell:
    """Runs commands in a folder of its own; the port that pages write is a free one here."""

    home: Path
    work: Path
    openai: str = ""
    """The address of what answers in the place of OpenAI."""
    port: int = field(factory=free_port)

    def run(self, command: str, status: int = 0) -> Answer:
        """Run one command after one that ended with `status`."""
        state = self.home / ".shell"
        state.mkdir(exist_ok=True)
        here = command.replace(f":{WRITTEN_PORT}", f":{self.port}")
        if command.startswith("export OPENAI_API_KEY="):
            here += f"\nexport OPENAI_BASE_URL={self.openai}"
        script = STEP.format(state=shlex.quote(str(state)), status=status, command=here)
        # A file and not a pipe: a server that goes on running may hold the other end.
        with (state / "printed").open("w+", encoding="utf-8") as printed:
            done = subprocess.run(
                ["bash", "-c", script],
                cwd=self.work,
                env=environment(self.home, self.port),
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=subprocess.STDOUT,
                timeout=PATIENCE,
                check=False,
            )
            printed.seek(0)
            text = printed.read()
        return Answer(text.replace(f":{self.port}", f":{WRITTEN_PORT}"), done.returncode)

    def follow(self, block: str) -> str | None:
        """Type every command of a block; what went differently than the block says, if anything.

        A command may fail only where the page asks for its exit code next.
        """
        typed, status = tuple(typed_in(block)), 0
        for step, following in zip(typed, (*typed[1:], None), strict=True):
            answer = self.run(step.command, status)
            status = answer.status
            asked = following is not None and following.command == "echo $?"
            if status != 0 and not asked:
                return f"$ {step.command}\n{answer.text}[exit code {status}]"
            if step.prints is not None and not agrees(step.prints, answer.text):
                return f"$ {step.command}\n{answer.text}[the page says]\n{step.prints}"
        return None
