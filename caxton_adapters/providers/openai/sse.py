"""Server-sent events out of bytes that arrive in any pieces."""

from typing import final

LARGEST_EVENT = 4 * 1024 * 1024


class EventTooLarge(Exception):
    """An event does not end."""


@final
class EventReader:
    """Takes pieces of a stream and gives the data of every event that they complete.

    Line ends may be LF, CRLF or CR. Comments, names, ids and unknown fields are passed over.
    """

    __slots__ = ("_after_cr", "_held", "_rest")

    def __init__(self) -> None:
        self._rest: list[bytes] = []
        self._held = 0
        self._after_cr = False

    def feed(self, piece: bytes) -> list[bytes]:
        """The data of each event that ends within this piece; raises `EventTooLarge`."""
        if self._after_cr or b"\r" in piece:
            piece = self._with_line_feeds(piece)
        if b"\n" not in piece:
            self._hold(piece)
            return []
        if self._rest:
            self._rest.append(piece)
            piece = b"".join(self._rest)
            self._rest.clear()
            self._held = 0
        *blocks, rest = piece.split(b"\n\n")
        if rest:
            self._hold(rest)
        return [data for block in blocks if (data := _data(block))]

    def _hold(self, rest: bytes) -> None:
        self._rest.append(rest)
        self._held += len(rest)
        if self._held > LARGEST_EVENT:
            raise EventTooLarge

    def _with_line_feeds(self, piece: bytes) -> bytes:
        if self._after_cr and piece.startswith(b"\n"):
            piece = piece[1:]
        self._after_cr = piece.endswith(b"\r") or (self._after_cr and not piece)
        return piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _data(block: bytes) -> bytes:
    """The data of one event; most have one line of it and nothing else."""
    if b"\n" not in block and block.startswith(b"data: "):
        return block[6:]
    lines = (line.partition(b":") for line in block.split(b"\n"))
    return b"\n".join(value.removeprefix(b" ") for name, _, value in lines if name == b"data")
