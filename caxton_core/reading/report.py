"""Problems placed in the text they are about, for people and for machines: the same facts."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias, final

from attrs import field, frozen

from caxton_core.problems import (
    BadSyntax,
    HugeNumber,
    MisplacedKey,
    MissingKey,
    MovedKey,
    Path,
    Problem,
    Severity,
    TooDeep,
    UnknownKey,
)
from caxton_core.reading import wording
from caxton_core.reading.credentials import masked
from caxton_core.reading.spans import Offsets, Spans, spans
from caxton_core.reading.toml_text import position

Plain: TypeAlias = Mapping[str, object]


@final
@frozen
class Range:
    """A piece of text; lines and columns count from 1, columns in characters, the end exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int


@final
@frozen
class Placed:
    """A problem and where it stands."""

    problem: Problem
    range: Range


@final
@frozen
class Report:
    """All problems of one file, in the order of the file."""

    file: str
    text: str = field(repr=False)
    placed: tuple[Placed, ...]

    @property
    def errors(self) -> tuple[Placed, ...]:
        """What must be repaired."""
        return self._of(Severity.ERROR)

    @property
    def warnings(self) -> tuple[Placed, ...]:
        """What deserves a look."""
        return self._of(Severity.WARNING)

    def _of(self, severity: Severity) -> tuple[Placed, ...]:
        return tuple(each for each in self.placed if each.problem.what.severity is severity)


def report(problems: Iterable[Problem], text: str, file: str) -> Report:
    """Place the problems in the TOML text that they are about; nothing is placed for none."""
    found = tuple(problems)
    if not found:
        return Report(file, "", ())
    plain = text.replace("\r\n", "\n")
    where = {} if any(_is_of_syntax(problem) for problem in found) else spans(plain)
    placed = (Placed(problem, _range(problem, plain, where)) for problem in found)
    ordered = sorted(placed, key=_place)
    return Report(file, plain, tuple(ordered))


def merged(one: Report, other: Report) -> Report:
    """Two reports about the same text as one."""
    both = sorted((*one.placed, *other.placed), key=_place)
    return Report(one.file, one.text or other.text, tuple(both))


def _place(placed: Placed) -> tuple[int, int]:
    return placed.range.line, placed.range.column


def _is_of_syntax(problem: Problem) -> bool:
    return (
        problem.what.code in {"CX1001", "CX1008", "CX1009", "CX1010", "CX1011"} and not problem.at
    )


def _range(problem: Problem, text: str, where: Spans) -> Range:
    what = problem.what
    if not problem.at and isinstance(what, BadSyntax | TooDeep | HugeNumber):
        return Range(what.line, what.column, what.line, what.column + 1)
    start, end = _narrowed(problem, text, _offsets(problem, where))
    return Range(*position(text, start), *position(text, end))


def _offsets(problem: Problem, where: Spans) -> Offsets:
    if isinstance(problem.what, UnknownKey | MisplacedKey | MovedKey) and problem.at in where:
        return where[problem.at].key
    if isinstance(problem.what, MissingKey):
        table = where.get(_nearest_place(problem.at[:-1], where))
        return (0, 0) if table is None else table.key
    place = where.get(_nearest_place(problem.at, where))
    return (0, 0) if place is None else place.value


def _nearest_place(at: Path, where: Spans) -> Path:
    while at and at not in where:
        at = at[:-1]
    return at


def _narrowed(problem: Problem, text: str, offsets: Offsets) -> Offsets:
    """The very words within a value that a problem is about, if it names them."""
    words: object = getattr(problem.what, "written", None) or getattr(problem.what, "name", None)
    start, end = offsets
    at = text.find(words, start, end) if isinstance(words, str) else -1
    return (at, at + len(str(words))) if at >= 0 else (start, end)


def human(report: Report) -> str:
    """The report for a person: each problem with its source line and a caret."""
    lines = report.text.split("\n")
    blocks = [_block(each, lines, report.file) for each in report.placed]
    return "\n".join([*blocks, _summary(report)]) if blocks else ""


def _block(placed: Placed, lines: list[str], file: str) -> str:
    what, where = placed.problem.what, placed.range
    number = str(where.line)
    margin = " " * len(number)
    source = masked(lines[where.line - 1]) if where.line <= len(lines) else ""
    return "\n".join(
        (
            f"{what.severity.value}[{what.code}]: {wording.message(what)}",
            f"{margin}--> {file}:{where.line}:{where.column}",
            f"{margin} |",
            f"{number} | {_expanded(source)}",
            f"{margin} | {_carets(source, where)} {wording.title(what)}",
            f"{margin} = why: {wording.why(what)}",
            *_help(margin, wording.advice(what)),
            "",
        )
    )


def _help(margin: str, advice: str) -> Iterator[str]:
    first, *others = advice.split("\n")
    yield f"{margin} = help: {first}"
    yield from (f"{margin}         {line}" for line in others)


def _expanded(source: str) -> str:
    return "".join(c if c.isprintable() else " " for c in source.replace("\t", "    "))


def _carets(source: str, where: Range) -> str:
    start = where.column - 1
    end = where.end_column - 1 if where.end_line == where.line else len(source.rstrip())
    before = len(_expanded(source[:start]))
    return " " * before + "^" * max(1, len(_expanded(source[start:end])))


def _summary(report: Report) -> str:
    counts = ((len(report.errors), "error"), (len(report.warnings), "warning"))
    told = ", ".join(f"{n} {word}{'s' if n > 1 else ''}" for n, word in counts if n)
    return f"{told} in {report.file}\n"


def machine(report: Report) -> list[Plain]:
    """The report for a program: plain JSON values, one object for each problem."""
    return [_object(each) for each in report.placed]


def _object(placed: Placed) -> Plain:
    what, where = placed.problem.what, placed.range
    return {
        "code": what.code,
        "severity": what.severity.value,
        "title": wording.title(what),
        "message": wording.message(what),
        "path": [masked(p) if isinstance(p, str) else p for p in placed.problem.at],
        "range": {
            "start": {"line": where.line, "column": where.column},
            "end": {"line": where.end_line, "column": where.end_column},
        },
        "help": wording.advice(what),
        "why": wording.why(what),
        "suggestion": wording.suggestion(what),
        "docs": wording.anchor(what),
    }
