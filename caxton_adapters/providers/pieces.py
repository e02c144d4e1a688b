"""Streams of answers that can be closed before their end."""

from collections.abc import AsyncGenerator, AsyncIterator

from caxton_core.conversation.model import TextDelta
from caxton_core.ports import Answer


def closable(
    pieces: AsyncIterator[TextDelta | Answer],
) -> AsyncGenerator[TextDelta | Answer]:
    """The stream itself if closing it frees what it holds, or one around it."""
    return pieces if isinstance(pieces, AsyncGenerator) else _generated(pieces)


async def _generated(
    pieces: AsyncIterator[TextDelta | Answer],
) -> AsyncGenerator[TextDelta | Answer]:
    async for piece in pieces:
        yield piece
