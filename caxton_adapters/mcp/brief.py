"""JSON values that describe themselves in a few words.

The library of schemas quotes whatever is wrong, and a hostile schema has it quote all of a large
value a thousand times.
"""

from typing import Final, final

from attrs import define

_MOST_NODES: Final = 20_000
_QUOTED: Final = 100
_QUOTED_NODES: Final = 20
_TEXT_NODE: Final = 100
"""So many characters weigh as much as one value."""


@final
class TooLarge(Exception):
    """The value has more parts than are worth looking at."""


@final
class _Text(str):
    """A long text."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"{self[:_QUOTED]!r}…"


@final
class _Items(list[object]):
    """A list that knows how much is in it."""

    __slots__ = ("weight",)
    weight: int

    def __repr__(self) -> str:
        quoted = self.weight <= _QUOTED_NODES
        return super().__repr__() if quoted else f"[{len(self)} items]"


@final
class _Members(dict[str, object]):
    """An object that knows how much is in it."""

    __slots__ = ("weight",)
    weight: int

    def __repr__(self) -> str:
        quoted = self.weight <= _QUOTED_NODES
        return super().__repr__() if quoted else f"{{{len(self)} members}}"


def brief(value: object) -> object:
    """An equal value whose parts are quoted briefly; raises `TooLarge`."""
    return _Copying().copied(value)


def weight(value: object) -> int:
    """About how many parts a brief value has."""
    if isinstance(value, _Items | _Members):
        return value.weight
    return 1 + len(value) // _TEXT_NODE if isinstance(value, str) else 1


@final
@define
class _Copying:
    """A copy in the making; `weight` is that of all parts so far."""

    weight: int = 0

    def copied(self, value: object) -> object:
        """The value, with everything in it."""
        self.weight += weight(value)
        if isinstance(value, str):
            return _text(value)
        before = self.weight
        if isinstance(value, list):
            self._look_at(len(value))
            items = _Items(map(self.copied, value))
            items.weight = self.weight - before
            return items
        if isinstance(value, dict):
            self._look_at(len(value))
            members = _Members({_text(name): self.copied(each) for name, each in value.items()})
            members.weight = self.weight - before
            return members
        return value

    def _look_at(self, more: int) -> None:
        if self.weight + more > _MOST_NODES:
            raise TooLarge


def _text(value: str) -> str:
    return value if len(value) <= _QUOTED else _Text(value)
