"""How deep Python follows calls: some of its users raise that, and nothing may depend on it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

USUAL = 1000
RAISED = 20_000


@contextmanager
def recursion_limit(limit: int) -> Iterator[None]:
    """Set the limit meanwhile; afterwards it is as it was, whatever was done to it."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(limit)
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
