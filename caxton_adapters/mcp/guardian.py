"""Kills the process groups that it was told of, once whoever told it is gone.

A script of its own, run as `python -I -S guardian.py`. Each line of its standard input is `+PID` or
`-PID`; the end of the input is the end of the server, however it ended.
"""

import os
import signal
import sys


def _watch() -> set[int]:
    """The groups that are left when the input ends."""
    groups: set[int] = set()
    for line in sys.stdin:
        group = int(line[1:])
        if line.startswith("+"):
            groups.add(group)
        else:
            groups.discard(group)
    return groups


def _kill(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


if __name__ == "__main__":
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    for left in _watch():
        _kill(left)
