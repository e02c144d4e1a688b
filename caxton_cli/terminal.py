"""What a person reads in a terminal, without what the terminal would obey.

Descriptions, answers and errors come from authors, models and services, and may hold sequences that
rename the window, hide text or type for the reader. Colours are let through; programs that read our
output through a pipe get every byte as it is.
"""

import re
from collections.abc import Iterable
from typing import TextIO, final

_OBEYED = re.compile(
    "\x1b(?!\\[[0-9;]{0,16}m)|[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f"
    "\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufff9-\ufffb\U000e0000-\U000e007f]"
)


def harmless(text: str) -> str:
    """The text with the number of each character that a terminal would obey."""
    return _OBEYED.sub(lambda found: ascii(found[0])[1:-1], text)


@final
class Harmless:
    """A terminal that is written to through `harmless`, and is the terminal in all else."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write the text."""
        return self._stream.write(harmless(text))

    def writelines(self, lines: Iterable[str]) -> None:
        """Write the lines."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> object:
        """Whatever else a terminal has."""
        return getattr(self._stream, name)


def guarded(stream: TextIO) -> TextIO:
    """The stream for what a command prints."""
    return Harmless(stream) if stream.isatty() else stream  # type: ignore[return-value] # all of it
