"""Server-sent events, with their names, out of pieces of any size."""

from collections.abc import Iterator
from typing import NamedTuple, final


@final
class NamedEvent(NamedTuple):
    """One event."""

    name: str
    data: bytes


@final
class NamedEvents:
    """Takes pieces of a stream as a Caxton server writes it: line feeds, one line of data."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, piece: bytes) -> Iterator[NamedEvent]:
        """The events that end within this piece; comments are passed over."""
        *blocks, self._rest = (self._rest + piece).split(b"\n\n")
        for block in blocks:
            fields = dict(line.split(b": ", 1) for line in block.split(b"\n") if b": " in line)
            if b"data" in fields:
                yield NamedEvent(fields.get(b"event", b"message").decode(), fields[b"data"])
