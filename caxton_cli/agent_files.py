"""Agent files on this machine, checked before anything is sent."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from caxton_cli import exits
from caxton_cli.leaving import Leave
from caxton_cli.printing import tell_problems

if TYPE_CHECKING:
    from caxton_core.agent.toml import ReadAgent
    from caxton_core.reading.report import Report

STANDARD_INPUT = "-"


class AgentFile(NamedTuple):
    """A file without errors: its text, and the name of the agent that it describes."""

    text: str
    name: str


class Check(NamedTuple):
    """A file that was read: its text, and what was found in it (None: nothing wrong)."""

    file: str
    text: str
    agent: "ReadAgent | None"
    report: "Report"


def checked_or_leave(path: Path, *, as_json: bool) -> AgentFile:
    """The agent file; its warnings are told, its errors end the command."""
    from caxton_core.reading.report import human, machine

    check = checked(path)
    if check.agent is None:
        raise Leave(
            f"{check.file} is not a valid agent file",
            exit_code=exits.INVALID,
            hint="a code is explained by: caxton explain CODE",
            problems=human(check.report),
            document={"valid": False, "problems": machine(check.report)} if as_json else None,
        )
    if check.report.placed and not as_json:
        tell_problems(human(check.report))
    return AgentFile(check.text, check.agent.config.name.value)


def checked(path: Path) -> Check:
    """Read a file and everything that is wrong with it; leaves where it cannot be read at all."""
    from returns.result import Failure

    from caxton_core.agent.toml import read_agent
    from caxton_core.reading.report import report
    from caxton_core.reading.toml_text import decoded

    name = "standard input" if str(path) == STANDARD_INPUT else str(path)
    text = decoded(_content(path))
    if isinstance(text, Failure):
        return Check(name, "", None, report([text.failure()], "", name))
    agent = read_agent(text.unwrap(), name)
    if isinstance(agent, Failure):
        return Check(name, text.unwrap(), None, agent.failure())
    return Check(name, text.unwrap(), agent.unwrap(), agent.unwrap().warnings)


def _content(path: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if str(path) == STANDARD_INPUT else path.read_bytes()
    except OSError as error:
        raise Leave(
            f"{path} cannot be read: {error.strerror}",
            exit_code=exits.INVALID,
            hint=_way_out(path, error),
        ) from error


def _way_out(path: Path, error: OSError) -> str:
    if isinstance(error, IsADirectoryError):
        return f"name the files in it: {path / '*.toml'}"
    missing = isinstance(error, FileNotFoundError)
    return "write a first agent file: caxton init NAME" if missing else ""
