"""`python -m tests.proofs.crashing_server before:7 server start ...`: dies at its 7th commit.

The product has no hook for it: here `sqlite3.connect` gives connections that count, and that end
the process, without a goodbye, `before` or `after` the commit whose number was asked for.
"""

import os
import re
import sqlite3
import sys
from collections.abc import Callable, Iterable
from functools import partial
from threading import Lock
from typing import Any, TypeVar, final

T = TypeVar("T")

KILLED = 137
_COMMIT = re.compile(r"\s*(?:commit|end)\b", re.IGNORECASE)
_WRITES = re.compile(r"\s*(?:insert|update|delete|replace|with)\b", re.IGNORECASE)


@final
class Fuse:
    """Counts commits, and ends the process at one of them."""

    def __init__(self, asked: str) -> None:
        moment, _, number = asked.partition(":")
        self._after = moment == "after"
        self._left = int(number)
        self._lock = Lock()

    def around(self, commit: Callable[[], T]) -> T:
        """Carry out a commit, or what there is time for."""
        with self._lock:
            self._left -= 1
            due = self._left == 0
        if due and not self._after:
            os._exit(KILLED)
        done = commit()
        if due:
            os._exit(KILLED)
        return done


def counted(fuse: Fuse) -> type[sqlite3.Connection]:
    """A connection whose commits are counted, in whichever way they are made."""

    class Counted(sqlite3.Connection):
        def commit(self) -> None:
            if self.in_transaction:
                fuse.around(super().commit)

        def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
            run = partial(super().execute, sql, parameters)
            return fuse.around(run) if self._commits(sql) else run()

        def executemany(self, sql: str, parameters: Iterable[Any], /) -> sqlite3.Cursor:
            run = partial(super().executemany, sql, parameters)
            return fuse.around(run) if self._commits(sql) else run()

        def __exit__(self, *error: Any) -> Any:  # noqa: PYI036 - passed on
            leave = partial(super().__exit__, *error)
            return fuse.around(leave) if self.in_transaction and error[0] is None else leave()

        def _commits(self, sql: str) -> bool:
            if self.in_transaction:
                return _COMMIT.match(sql) is not None
            return self.isolation_level is None and _WRITES.match(sql) is not None

    return Counted


def main() -> int:
    """Run the product's own command with such connections."""
    fuse = Fuse(sys.argv.pop(1))
    sqlite3.connect = partial(sqlite3.connect, factory=counted(fuse))  # type: ignore[assignment]
    from caxton_cli.__main__ import main as caxton  # noqa: PLC0415 - after the connections changed

    return caxton()


if __name__ == "__main__":
    sys.exit(main())
