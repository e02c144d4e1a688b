"""Problems of an agent file as they stand on the wire."""

from collections.abc import Iterable

from msgspec import structs

from caxton_adapters.rest.problem import ErrorItem
from caxton_core.problems import Path
from caxton_core.reading import wording
from caxton_core.reading.report import Placed, Report


def error_items(placed: Iterable[Placed]) -> tuple[ErrorItem, ...]:
    """Every problem with its place and what helps."""
    return tuple(map(_item, placed))


def items_in(report: Report) -> tuple[ErrorItem, ...]:
    """The errors of a file of this machine."""
    return tuple(structs.replace(item, file=report.file) for item in error_items(report.errors))


def unplaced(placed: Iterable[Placed]) -> tuple[ErrorItem, ...]:
    """Every problem of a text that nobody wrote: its path says where to look, no line does."""
    nowhere = {"line": None, "column": None, "end_line": None, "end_column": None}
    return tuple(structs.replace(item, **nowhere) for item in error_items(placed))


def _item(placed: Placed) -> ErrorItem:
    what, where = placed.problem.what, placed.range
    return ErrorItem(
        code=what.code,
        at=_dotted(placed.problem.at),
        line=where.line,
        column=where.column,
        end_line=where.end_line,
        end_column=where.end_column,
        message=wording.message(what),
        why=wording.why(what),
        help=wording.advice(what),
        suggestion=wording.suggestion(what),
        docs=f"/problems/{what.code}",
    )


def _dotted(path: Path) -> str:
    """`llm.fallback[0].model`."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return "".join(parts).removeprefix(".")
