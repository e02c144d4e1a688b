"""Whoever waits for an answer in a terminal is asked there what a person has to confirm."""

import json
import sys
from collections.abc import Mapping

from caxton_cli.client import Caller, segment
from caxton_cli.printing import note

_YES = ("y", "yes")


def ask(caller: Caller, approval: Mapping[str, object]) -> None:
    """Have the person at the terminal answer; without a terminal, tell who can."""
    arguments = json.dumps(approval.get("arguments"), ensure_ascii=False)
    note(f"\n{approval['agent']} wants to call {approval['tool']} {arguments}")
    if not sys.stdin.isatty():
        note(f"it waits for a person: caxton approvals approve {approval['id']}")
        return
    said = input("allow it? [y/N] ").strip().lower() in _YES
    path = f"/approvals/{segment(str(approval['id']))}"
    answer = caller.ask("POST", path, {"decision": "approve" if said else "deny"})
    if answer.document.get("detail"):  # somebody else was quicker
        note(str(answer.document["detail"]))
