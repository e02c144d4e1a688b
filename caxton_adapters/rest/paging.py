"""Long lists in pages: a cursor says after which item to go on, also where that one is gone."""

from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar, final

from attrs import frozen
from returns.result import Result, Success

from caxton_adapters.rest import problem
from caxton_adapters.rest.problem import Refused
from caxton_core.primitives import MessageId

T = TypeVar("T")

DEFAULT_LIMIT: Final = 50
HIGHEST_LIMIT: Final = 200
BAD_CURSOR: Final = Refused(
    400, problem.INVALID_PARAMETER, "The cursor is not `next` of a page before."
)


@final
@frozen
class Page(Generic[T]):
    """Some items, and the cursor of the next ones where there are more."""

    items: tuple[T, ...]
    next: str | None


def page_of(
    items: Sequence[T], position: Callable[[T], str], limit: int, cursor: str | None
) -> Page[T]:
    """The items after the cursor, in the order of their positions, which are all different."""
    after = cursor or ""
    rest = sorted((item for item in items if cursor_of(position(item)) > after), key=position)
    page = tuple(rest[:limit])
    return Page(page, cursor_of(position(page[-1])) if len(rest) > limit else None)


def cursor_of(position: str) -> str:
    """Hexadecimal digits of UTF-8 sort like the text."""
    return position.encode("utf-8").hex()


def read_cursor(cursor: str) -> str:
    """The position that a cursor says; empty where it says none."""
    try:
        return bytes.fromhex(cursor).decode("utf-8")
    except ValueError:
        return ""


def message_at(cursor: str | None) -> Result[MessageId | None, Refused]:
    """The last message of the page before."""
    if cursor is None:
        return Success(None)
    return MessageId.parse(read_cursor(cursor)).alt(lambda _: BAD_CURSOR)
