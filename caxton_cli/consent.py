"""Whoever waits for an answer in a terminal is asked there what a person has to confirm."""

import json
import sys
from collections.abc import Mapping
from http.client import BAD_REQUEST
from typing import Final, TextIO

from caxton_cli.client import Caller, segment
from caxton_cli.printing import note

_SAID: Final = {"y": True, "yes": True, "n": False, "no": False, "": False}


def ask(caller: Caller, approval: Mapping[str, object]) -> None:
    """Have the person at the terminal answer; without a terminal, tell who can."""
    terminal = _terminal()
    said = None if terminal is None else _answer(approval, terminal)
    if said is None:
        note(f"waits for a person: caxton approvals approve {approval['id']}")
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
    arguments = json.dumps(approval.get("arguments"), ensure_ascii=False)
    question = f"\n{approval['agent']} wants to call {approval['tool']} {arguments}\n"
    while True:
        print(f"{question}allow it? [y/N] ", end="", file=terminal, flush=True)
        line = sys.stdin.readline()
        if not line:
            print(file=terminal)
            return None
        said = _SAID.get(line.strip().lower())
        if said is not None:
            return said
        question = "answer y or n; "
