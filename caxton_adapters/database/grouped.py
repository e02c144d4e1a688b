"""Rows that go down together: one statement takes as many as have come.

Every step of a statement gives the interpreter's lock away and has to get it back, which under a
busy event loop takes up to five milliseconds. So a batch is one statement with many parameters.
"""

from collections.abc import Sequence
from functools import cache
from typing import Final, TypeAlias, final

from attrs import frozen

Member: TypeAlias = str | bytes | int | float | None
Row: TypeAlias = Sequence[Member]

MOST_ROWS: Final = 512
MOST_PARAMETERS: Final = 32_000
"""Few enough for every build of SQLite."""


@final
@frozen(eq=False)
class Grouped:
    """A statement over the rows of a table `new`, which has these columns, in the order of rows.

    It leaves rows alone whose first column is NULL, for such rows fill a batch up. Where it gives
    their order to triggers, it reads from `new` alone. `prepared` is executed once on every
    connection that writes, for temporary views and triggers.
    """

    statement: str
    columns: tuple[str, ...]
    prepared: tuple[str, ...] = ()

    @property
    def most(self) -> int:
        """The rows that it takes at most, which is a power of two."""
        fitting = MOST_PARAMETERS // len(self.columns)
        return min(MOST_ROWS, 1 << fitting.bit_length() - 1)


def filled(grouped: Grouped, rows: Sequence[Row]) -> tuple[str, list[Member]]:
    """The statement for so many rows, and its parameters.

    There are as many statements as powers of two, so that SQLite need not read them each time.
    """
    size = 1 << (len(rows) - 1).bit_length()
    width = len(grouped.columns)
    parameters = [member for row in rows for member in row]
    parameters += [None] * ((size - len(rows)) * width)
    return _sized(grouped, size), parameters


@cache
def _sized(grouped: Grouped, size: int) -> str:
    row = f"({', '.join('?' * len(grouped.columns))})"
    rows = ", ".join([row] * size)
    return f"WITH new ({', '.join(grouped.columns)}) AS (VALUES {rows}) {grouped.statement}"
