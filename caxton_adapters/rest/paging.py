"""Long lists in pages: a cursor says after which item to go on, also where that one is gone."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar, final

from attrs import frozen
from returns.result import Failure, Result, Success

from caxton_adapters.rest import problem
from caxton_adapters.rest.problem import ErrorItem, Refused

T = TypeVar("T")

DEFAULT_LIMIT: Final = 50
HIGHEST_LIMIT: Final = 200


@final
@frozen
class Page(Generic[T]):
    """Some items, and the cursor of the next ones where there are more."""

    items: tuple[T, ...]
    next: str | None


def page_of(
    items: Sequence[T], position: Callable[[T], str], limit: int, cursor: str | None
) -> Result[Page[T], Refused]:
    """The items after the cursor, in the order of their positions, which are all different."""
    after = "" if cursor is None else _decoded(cursor)
    if after is None:
        code, says = problem.INVALID_PARAMETER, "This is no cursor of a page."
        return Failure(Refused(400, code, says, (ErrorItem(code=code, message=says, at="cursor"),)))
    rest = sorted((item for item in items if position(item) > after), key=position)
    page = tuple(rest[:limit])
    return Success(Page(page, _encoded(position(page[-1])) if len(rest) > limit else None))


def _encoded(position: str) -> str:
    return base64.urlsafe_b64encode(position.encode("utf-8")).decode("ascii").rstrip("=")


def _decoded(cursor: str) -> str | None:
    padded = cursor + "=" * (-len(cursor) % 4)
    try:
        return base64.b64decode(padded, altchars=b"-_", validate=True).decode("utf-8")
    except (binascii.Error, UnicodeError, ValueError):
        return None
