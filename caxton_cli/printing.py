"""What commands print: results on standard output, everything else on standard error."""

import json
import os
import sys
from collections.abc import Iterable, Sequence
from typing import TextIO

import click

_SEVERITIES = {"error": "red", "warning": "yellow"}


def styled(text: str, colour: str, stream: TextIO | None = None) -> str:
    """The text in a colour and bold, where it is shown on a terminal that wants colours."""
    return click.style(text, fg=colour, bold=True) if _wants_colour(stream or sys.stderr) else text


def note(text: str) -> None:
    """Say something beside the result."""
    print(text, file=sys.stderr)


def tell_problems(told: str) -> None:
    """Print problems as the core writes them, with their first words in colour on a terminal."""
    for line in told.splitlines():
        head, bracket, rest = line.partition("[")
        if bracket and head in _SEVERITIES:
            label, colon, message = rest.partition(":")
            note(styled(f"{head}[{label}", _SEVERITIES[head]) + colon + message)
        else:
            note(line)


def emit(document: object) -> None:
    """Print the result as one JSON document."""
    print(json.dumps(document, ensure_ascii=False))


def columns(header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table without borders, so that other programs can read it too."""
    table = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(header, *table, strict=True)]
    title = _line(header, widths)
    print(click.style(title, bold=True) if _wants_colour(sys.stdout) else title)
    for row in table:
        print(_line(row, widths))


def is_terminal() -> bool:
    """Whether a person reads our results while they appear."""
    return sys.stdout.isatty()


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return "  ".join(padded).rstrip()


def _wants_colour(stream: TextIO) -> bool:
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or stream.isatty()
