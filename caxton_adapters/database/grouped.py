"""Rows that go down together: one statement writes as many as have come.

Every step of a statement gives the interpreter's lock away and has to get it back, which under a
busy event loop takes up to five milliseconds. So the rows of a batch travel as one JSON array.
"""

from collections.abc import Iterable, Sequence
from typing import TypeAlias, final

import msgspec
from attrs import frozen

Member: TypeAlias = str | int | float | msgspec.Raw | None
"""A value of a row; `Raw` is JSON that is written already."""


@final
@frozen(eq=False)
class Grouped:
    """A statement whose one parameter is a JSON array of rows, each of them an array.

    It reads them with `FROM json_each(?)` as `value ->> 0`, `value ->> 1` ... Where a text may
    hold NUL, it takes `value -> 0`, which is JSON: SQLite ends a text at the first NUL.
    `prepared` is executed once on every connection that writes, for temporary views and triggers.
    """

    statement: str
    prepared: tuple[str, ...] = ()


def row(members: Sequence[Member]) -> bytes:
    """The members as a JSON array; half a surrogate pair becomes U+FFFD: UTF-8 cannot say it."""
    try:
        return msgspec.json.encode(members)
    except UnicodeEncodeError:
        return msgspec.json.encode([_sayable(member) for member in members])


def sayable(text: str) -> str:
    """The text with U+FFFD in place of every half of a surrogate pair."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _sayable(member: Member) -> Member:
    return sayable(member) if isinstance(member, str) else member


def array(rows: Iterable[bytes]) -> str:
    """The parameter of a grouped statement."""
    return f"[{b','.join(rows).decode()}]"
