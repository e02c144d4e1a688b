"""Problems of an agent file as they stand on the wire."""

from collections.abc import Iterable

from caxton_adapters.rest.problem import ErrorItem
from caxton_core.problems import Path
from caxton_core.reading import wording
from caxton_core.reading.report import Placed


def error_items(placed: Iterable[Placed]) -> tuple[ErrorItem, ...]:
    """Every problem with its place and what helps."""
    return tuple(map(_item, placed))


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
