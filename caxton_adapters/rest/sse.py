"""Server-sent events: how they are written, and what ends every stream."""

from typing import Final

import anyio
import msgspec

from caxton_adapters.rest.exchange import WriteChunk

_encode: Final = msgspec.json.Encoder().encode

SHUTDOWN: Final = b"event: shutdown\ndata: {}\n\n"
KEEP_ALIVE: Final = b": keep-alive\n\n"


def event(name: bytes, value: object) -> bytes:
    """One event; JSON holds no line break, so its data is one line."""
    return b"event: %s\ndata: %s\n\n" % (name, _encode(value))


def numbered(number: int, name: bytes, value: object) -> bytes:
    """One event that a client can go on from: it sends the number as `Last-Event-ID`."""
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (number, name, _encode(value))


async def keep_alive(write: WriteChunk, every: float) -> None:
    """Show proxies that a silent stream lives."""
    while True:
        await anyio.sleep(every)
        await write(KEEP_ALIVE)
