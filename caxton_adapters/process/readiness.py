"""The pipe between `caxton server start` and the server that it started: one line, then the end."""

import json
import os
from collections.abc import MutableMapping
from typing import TypeAlias, final

from attrs import frozen

VARIABLE = "CAXTON_READY_FD"


@final
@frozen
class Ready:
    """The server answers at the address; how many agents and providers it has.

    `doubt` is why clients will not accept its certificate, if they will not.
    """

    url: str
    pid: int
    agents: int = 0
    providers: int = 0
    doubt: str = ""


@final
@frozen
class Refused:
    """The server cannot start, and says why, as it would on a terminal.

    `problems` are shown before the message; `exit_code` is what the process ends with.
    """

    message: str
    exit_code: int
    code: str = ""
    hint: str = ""
    problems: str = ""


@final
@frozen
class Died:
    """The pipe ended without a word."""


@final
@frozen
class StillStarting:
    """Nothing was said before the deadline."""


Word: TypeAlias = Ready | Refused
Outcome: TypeAlias = Ready | Refused | Died | StillStarting


@final
class ReadinessPipe:
    """The server's end; says one word at most."""

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor
        if descriptor is not None:
            os.set_inheritable(descriptor, False)
            # Whoever waits for the end of the pipe must not wait for our children.
            os.register_at_fork(after_in_child=self.close)

    @property
    def is_open(self) -> bool:
        """Whether somebody waits for a word."""
        return self._descriptor is not None

    def say(self, word: Word) -> None:
        """Tell whoever waits, and hang up; it may have gone already."""
        if self._descriptor is None:
            return
        try:
            os.write(self._descriptor, _encode(word))
        except BrokenPipeError:
            pass
        finally:
            self.close()

    def close(self) -> None:
        """Hang up."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def inherited(environ: MutableMapping[str, str]) -> ReadinessPipe:
    """The pipe that our starter left us, taken out of the environment."""
    number = environ.pop(VARIABLE, "")
    return ReadinessPipe(int(number) if number.isdecimal() else None)


def decode(line: bytes) -> Ready | Refused | Died:
    """What the server said."""
    match json.loads(line or b"null"):
        case {
            "url": str(url),
            "pid": int(pid),
            "agents": int(agents),
            "providers": int(providers),
            "doubt": str(doubt),
        }:
            return Ready(url, pid, agents, providers, doubt)
        case {
            "refused": str(message),
            "exit_code": int(status),
            "code": str(code),
            "hint": str(hint),
            "problems": str(problems),
        }:
            return Refused(message, status, code, hint, problems)
        case _:
            return Died()


def _encode(word: Word) -> bytes:
    match word:
        case Ready(url, pid, agents, providers, doubt):
            known = {"agents": agents, "providers": providers, "doubt": doubt}
            return json.dumps({"url": url, "pid": pid, **known}).encode()
        case Refused(message, status, code, hint, problems):
            told = {"code": code, "hint": hint, "problems": problems}
            return json.dumps({"refused": message, "exit_code": status, **told}).encode()
