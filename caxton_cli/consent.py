"""Whoever waits for an answer in a terminal is asked there what a person has to confirm."""

import sys
import termios
from collections.abc import Mapping
from http.client import BAD_REQUEST
from typing import Final, TextIO

from caxton_cli.client import Caller, segment
from caxton_cli.laying_out import screen
from caxton_cli.printing import note

_SAID: Final = {"y": True, "yes": True, "n": False, "no": False, "": False}
_NOT_HERE: Final = (
    "what is not shown cannot be allowed here; answer n, or leave it to caxton approvals with "
    "Ctrl-D\n"
)


def ask(caller: Caller, approval: Mapping[str, object]) -> None:
    """Have the person at the terminal answer; without a terminal, tell who can."""
    terminal = _terminal()
    said = None if terminal is None else _answer(approval, terminal)
    if said is None:
        note(f"waits for a person: caxton approvals show {approval['id']}")
        return
    path = f"/approvals/{segment(str(approval['id']))}"
    answer = caller.ask("POST", path, {"decision": "approve" if said else "deny"})
    if answer.status >= BAD_REQUEST:  # somebody else was quicker
        note(str(answer.document.get("detail") or answer.document.get("title")))


def _terminal() -> TextIO | None:
    """Where a person reads who can also type; results that go elsewhere are left alone."""
    if not sys.stdin.isatty():
        return None
    return next((each for each in (sys.stderr, sys.stdout) if each.isatty()), None)


def _answer(approval: Mapping[str, object], terminal: TextIO) -> bool | None:
    """What the person says, asked until it is an answer; None at the end of the input."""
    from caxton_cli.question import question_of

    question = question_of(approval).on_screen(*screen(terminal))
    told = f"\n{question.text}\n"
    termios.tcflush(sys.stdin, termios.TCIFLUSH)  # nobody has answered what nobody has seen
    while True:
        print(f"{told}allow it? [y/N] ", end="", file=terminal, flush=True)
        line = sys.stdin.readline()
        if not line:
            print(file=terminal)
            return None
        said = _SAID.get(line.strip().lower())
        if said is False or (said and question.whole):
            return said
        told = _NOT_HERE if said else "answer y or n; "
