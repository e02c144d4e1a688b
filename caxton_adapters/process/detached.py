"""Starting a server that outlives the terminal, and waiting until it answers or says why not."""

import os
import select
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import final

from attrs import frozen

from caxton_adapters.process.private import open_to_append
from caxton_adapters.process.readiness import (
    VARIABLE,
    Died,
    Outcome,
    Ready,
    Refused,
    StillStarting,
    decode,
)

LINE_LIMIT = 65_536
TAIL_BYTES = 16_384


@final
@frozen
class Started:
    """What became of a start: the outcome, and what the server wrote to its log meanwhile."""

    outcome: Outcome
    pid: int
    tail: str


def start_detached(
    command: Sequence[str], log_path: Path, environ: Mapping[str, str], timeout: float
) -> Started:
    """Run the command in a session of its own and wait for its word; raises OSError."""
    log = open_to_append(log_path)
    reading, writing = os.pipe()
    try:
        before = os.fstat(log).st_size
        child = subprocess.Popen(  # noqa: S603 - our own interpreter and our own module
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(writing,),
            start_new_session=True,
            env={**environ, VARIABLE: str(writing)},
        )
        os.close(writing)
        outcome = _await_word(reading, child, timeout)
    finally:
        os.close(reading)
        os.close(log)
    return Started(outcome, child.pid, tail_of(log_path, since=before))


def tail_of(path: Path, *, since: int) -> str:
    """The end of what was written to a file after a position, at most 16 KiB."""
    with path.open("rb") as file:
        file.seek(max(since, path.stat().st_size - TAIL_BYTES))
        return file.read().decode("utf-8", "replace")


def _await_word(reading: int, child: subprocess.Popen[bytes], timeout: float) -> Outcome:
    try:
        outcome = _word(reading, time.monotonic() + timeout)
    except KeyboardInterrupt:
        child.terminate()
        raise
    match outcome:
        case Refused() | Died():
            child.wait()
        case Ready() | StillStarting():
            # It outlives us; nobody will ever wait for it.
            child.returncode = 0
    return outcome


def _word(reading: int, deadline: float) -> Outcome:
    line = b""
    while len(line) < LINE_LIMIT:
        ready, _, _ = select.select([reading], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            return StillStarting()
        chunk = os.read(reading, LINE_LIMIT)
        if not chunk:
            break
        line += chunk
    return decode(line)
