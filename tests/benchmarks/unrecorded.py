"""A server whose journal is in memory: beside it is seen what recording costs.

`python -m tests.benchmarks.unrecorded server start ...` takes what `caxton` takes.
"""

import sys

from caxton_adapters import server
from caxton_adapters.journal.in_memory import InMemoryConversations, InMemoryJournal
from caxton_cli.__main__ import main

_JOURNAL = InMemoryJournal()


def _journal(_: object) -> InMemoryJournal:
    return _JOURNAL


def _conversations(_: object) -> InMemoryConversations:
    return _JOURNAL.conversations


if __name__ == "__main__":
    server.SqliteJournal = _journal  # type: ignore[assignment,attr-defined] # what the server makes of it
    server.SqliteConversations = _conversations  # type: ignore[assignment,attr-defined] # as above
    sys.exit(main())
