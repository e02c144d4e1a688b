"""Bytes of a pipe cut into lines, of which none may be too long."""

from typing import final

from attrs import define, field


@final
class FrameTooLong(ValueError):
    """A line is longer than allowed, as far as it has come."""


@final
@define(eq=False)
class Frames:
    """Collects chunks until they make a line; every byte is looked at once and copied once."""

    _longest: int
    _parts: list[bytes] = field(factory=list, init=False)
    _size: int = field(default=0, init=False)

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that the chunk completes; raises `FrameTooLong`."""
        first, *others = chunk.split(b"\n")
        lines = []
        for part in others:
            lines.append(self._completed(first))
            first = part
        self._add(first)
        return lines

    def _completed(self, last: bytes) -> bytes:
        self._add(last)
        line = b"".join(self._parts)
        self._parts.clear()
        self._size = 0
        return line

    def _add(self, part: bytes) -> None:
        self._size += len(part)
        if self._size > self._longest:
            raise FrameTooLong
        if part:
            self._parts.append(part)
