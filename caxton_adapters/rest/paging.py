"""Long lists in pages: a cursor says after which item to go on, also where that one is gone."""

from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar, final

from attrs import frozen

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
) -> Page[T]:
    """The items after the cursor, in the order of their positions, which are all different."""
    after = cursor or ""
    rest = sorted((item for item in items if _cursor(position(item)) > after), key=position)
    page = tuple(rest[:limit])
    return Page(page, _cursor(position(page[-1])) if len(rest) > limit else None)


def _cursor(position: str) -> str:
    """Hexadecimal digits of UTF-8 sort like the text."""
    return position.encode("utf-8").hex()
