"""What a person decides about, laid out so that nothing in it passes for something else.

Whoever wrote a text may pad it, so that what matters scrolls away or that the text seems to begin
a line of ours. Long blanks are told instead of printed, and no line goes on where lines begin.
"""

import os
import re
from collections.abc import Iterator
from typing import Final, TextIO
from unicodedata import east_asian_width

FURTHER: Final = "    … "
"""What stands before the rest of a line that is longer than the screen."""
_PADDING: Final = re.compile(" {9,}")
_NARROWEST: Final = 20
_USUAL: Final = (80, 24)


def unpadded(text: str) -> str:
    """The text with the number of blanks in the place of many."""
    return _PADDING.sub(lambda found: f" ({len(found[0]):,} blanks) ", text)


def rows_of(text: str, columns: int) -> list[str]:
    """The text as the rows of a screen."""
    return [row for line in text.split("\n") for row in _rows(line, max(columns, _NARROWEST))]


def screen(terminal: TextIO) -> tuple[int, int]:
    """How many columns and lines the terminal has."""
    try:
        columns, lines = os.get_terminal_size(terminal.fileno())
    except (OSError, ValueError):
        return _USUAL
    return columns or _USUAL[0], lines or _USUAL[1]


def _rows(line: str, columns: int) -> Iterator[str]:
    row, width = "", 0
    for character in line:
        wide = 2 if east_asian_width(character) in "WF" else 1
        if width + wide > columns:
            yield row
            row, width = FURTHER, len(FURTHER)
        row, width = row + character, width + wide
    yield row
