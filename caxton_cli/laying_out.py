"""What a person decides about, laid out so that nothing in it passes for something else.

Whoever wrote a text may pad it, so that what matters scrolls away or that the text seems to begin
a line of ours. Long blanks are told instead of printed, and no line goes on where lines begin.
"""

import os
import re
import sys
from collections.abc import Iterable, Iterator
from typing import Final, TextIO
from unicodedata import east_asian_width

from caxton_cli.printing import note

FURTHER: Final = "    … "
"""What stands before the rest of a line that is longer than the screen."""
_PADDING: Final = re.compile(" {9,}")
_PIECE: Final = re.compile("\x1b\\[[0-9;]*m|.", re.DOTALL)
_NARROWEST: Final = 20
_USUAL: Final = (80, 24)


def unpadded(text: str) -> str:
    """The text with the number of blanks in the place of many."""
    return _PADDING.sub(lambda found: f" ({len(found[0]):,} blanks) ", text)


def rows_of(text: str, columns: int) -> list[str]:
    """The text as the rows of a screen."""
    return [row for line in text.split("\n") for row in _rows(line, max(columns, _NARROWEST))]


def laid_out(line: str, stream: TextIO) -> str:
    """The line as it is printed: in rows where a person reads it, else as it is."""
    return "\n".join(rows_of(line, screen(stream)[0])) if stream.isatty() else line


def present(lines: Iterable[str]) -> None:
    """Show what is about to be agreed to; where the screen is too small for it, say so."""
    rows = "\n".join(laid_out(line, sys.stderr) for line in lines)
    note(rows)
    count = rows.count("\n") + 1
    if sys.stderr.isatty() and count >= screen(sys.stderr)[1]:
        note(f"these are {count:,} lines, more than the screen has: look at all of them")


def screen(terminal: TextIO) -> tuple[int, int]:
    """How many columns and lines the terminal has."""
    try:
        columns, lines = os.get_terminal_size(terminal.fileno())
    except (OSError, ValueError):
        return _USUAL
    return columns or _USUAL[0], lines or _USUAL[1]


def _rows(line: str, columns: int) -> Iterator[str]:
    row, width = "", 0
    for piece in _PIECE.findall(line):
        wide = _width(piece)
        if width + wide > columns:
            yield row
            row, width = FURTHER, len(FURTHER)
        row, width = row + piece, width + wide
    yield row


def _width(piece: str) -> int:
    """The columns of a character; a colour of ours takes none."""
    if len(piece) > 1:
        return 0
    return 2 if east_asian_width(piece) in "WF" else 1
