"""Messages on a byte stream: a length of four bytes, then MessagePack."""

import struct
from collections.abc import Iterator
from typing import Final, final

import msgspec.msgpack
from attrs import define, field

HEADER: Final = struct.Struct("!I")
LARGEST: Final = 64 * 1024 * 1024

_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder()


class BrokenFrame(ValueError):
    """The other side does not keep to the protocol."""


def framed(content: object) -> bytes:
    """The bytes that carry plain values across."""
    body = _encoder.encode(content)
    return HEADER.pack(len(body)) + body


@final
@define
class FrameReader:
    """Cuts a stream of bytes into what was framed."""

    _unread: bytearray = field(factory=bytearray, init=False)

    def feed(self, received: bytes) -> Iterator[object]:
        """Whatever is complete with these bytes; raises `BrokenFrame`."""
        self._unread += received
        while len(self._unread) >= HEADER.size:
            (length,) = HEADER.unpack_from(self._unread)
            if length > LARGEST:
                raise BrokenFrame(length)
            end = HEADER.size + length
            if len(self._unread) < end:
                return
            body = bytes(self._unread[HEADER.size : end])
            del self._unread[:end]
            yield _decoded(body)


def _decoded(body: bytes) -> object:
    try:
        content: object = _decoder.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BrokenFrame(str(error)) from error
    return content
