"""Bytes of a pipe cut into lines, of which none may be too long."""

from typing import final

from attrs import define, field


@final
class FrameTooLong(ValueError):
    """A line is longer than allowed, as far as it has come."""


@final
@define(eq=False)
class Frames:
    """Collects chunks until they make a line; every byte is looked at once."""

    _longest: int
    _begun: bytearray = field(factory=bytearray, init=False)

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that the chunk completes; raises `FrameTooLong`."""
        first, *others = chunk.split(b"\n")
        lines = []
        for part in others:
            lines.append(self._completed(first))
            first = part
        self._check(first)
        self._begun += first
        return lines

    def _completed(self, last: bytes) -> bytes:
        self._check(last)
        if not self._begun:
            return last
        self._begun += last
        line, self._begun = bytes(self._begun), bytearray()
        return line

    def _check(self, part: bytes) -> None:
        if len(self._begun) + len(part) > self._longest:
            raise FrameTooLong
