"""A secret is a value that nothing prints, stores or compares by accident."""

import hmac
from typing import NoReturn, SupportsIndex, final

MASK = "***"
SHORTEST = 8
"""Shorter values are levels and versions sooner than keys, and parts of many words."""


@final
class Secret:
    """Text that leaves only through `reveal()`; everything else shows `***`."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself: for the header that carries it, and for nothing else."""
        return self._text

    def __repr__(self) -> str:
        return MASK

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return MASK

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(
            self._text.encode("utf-8", "surrogatepass"),
            other._text.encode("utf-8", "surrogatepass"),
        )

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __bool__(self) -> bool:
        return bool(self._text)

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        message = "a secret cannot be pickled or copied"
        raise TypeError(message)
