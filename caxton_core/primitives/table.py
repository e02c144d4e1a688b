"""A table whose keys its author chooses, as an immutable value."""

from collections.abc import Iterator, Mapping
from datetime import date, time
from typing import TypeAlias, final

from attrs import field, frozen

FreeValue: TypeAlias = (
    "str | int | float | bool | date | time | tuple[FreeValue, ...] | Mapping[str, FreeValue]"
)


@final
@frozen(eq=False, repr=False)
class FreeTable(Mapping[str, FreeValue]):
    """A mapping that never changes; equal to every mapping with the same items."""

    _items: tuple[tuple[str, FreeValue], ...] = field(default=())

    @classmethod
    def of(cls, items: Mapping[str, FreeValue]) -> "FreeTable":
        """Take the items as they are now."""
        return cls(tuple(items.items()))

    def __getitem__(self, key: str) -> FreeValue:
        for name, value in self._items:
            if name == key:
                return value
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        return hash(frozenset(name for name, _ in self._items))

    def __repr__(self) -> str:
        return f"FreeTable({dict(self._items)!r})"
