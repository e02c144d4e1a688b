"""Long lists of the server, page by page."""

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from urllib.parse import urlencode

from caxton_cli.client import TIMEOUT, Caller

PAGE = 200

Query = Mapping[str, str | list[str] | None]


def query_of(query: Query) -> str:
    """The parameters that are given, as the end of a path."""
    given = {name: value for name, value in query.items() if value}
    return f"?{urlencode(given, doseq=True)}" if given else ""


def listed(
    caller: Caller,
    path: str,
    member: str,
    query: Query,
    limit: int | None,
    *,
    timeout: float = TIMEOUT,
) -> Iterator[Mapping[str, object]]:
    """The items of a list, so many at most; pages are asked for as they are needed."""

    def page(size: str, cursor: str | None) -> Mapping[str, object]:
        asked = query_of({**query, "limit": size, "cursor": cursor})
        return caller.call("GET", f"{path}{asked}", timeout=timeout).document

    return islice(_items(page, member, limit), limit)


def _items(
    page_at: Callable[[str, str | None], Mapping[str, object]], member: str, limit: int | None
) -> Iterator[Mapping[str, object]]:
    size = str(PAGE if limit is None else min(limit, PAGE))
    cursor: str | None = None
    while True:
        page = page_at(size, cursor)
        items = page.get(member)
        yield from items if isinstance(items, list) else []
        if not page.get("next"):
            return
        cursor = str(page["next"])
