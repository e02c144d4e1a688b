"""The body of a request, read whole within its limit."""

import re
from typing import Final

import anyio
from returns.result import Failure, Result, Success

from caxton_adapters.rest import problem
from caxton_adapters.rest.exchange import Message, Receive
from caxton_adapters.rest.problem import Refused

_LINGER: Final = 2.0
_MOST_DISCARDED: Final = 8 * 1024 * 1024
_DIGITS: Final = re.compile(rb"[0-9]{1,18}")


class ClientGoneError(Exception):
    """The client hung up in the middle of its request: there is nobody to answer."""


async def read_body(
    receive: Receive, announced: bytes | None, limit: int
) -> Result[bytes, Refused]:
    """The whole body; raises ClientGoneError where there is nobody left to answer."""
    if announced is not None and (_DIGITS.fullmatch(announced) is None or int(announced) > limit):
        return Failure(_too_large(limit))
    message = await _next(receive)
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False) and len(body) <= limit:
        return Success(body)
    read = bytearray(body)
    while message.get("more_body", False):
        if len(read) > limit:
            return Failure(_too_large(limit))
        message = await _next(receive)
        read += message.get("body", b"")
    return Failure(_too_large(limit)) if len(read) > limit else Success(bytes(read))


async def discard_rest(receive: Receive) -> None:
    """Read what the client goes on sending, for a while: else it may never see our answer."""
    discarded = 0
    with anyio.move_on_after(_LINGER):
        while discarded < _MOST_DISCARDED:
            message = await receive()
            discarded += len(message.get("body", b""))
            if message["type"] == "http.disconnect" or not message.get("more_body", False):
                return


async def _next(receive: Receive) -> Message:
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientGoneError
    return message


def _too_large(limit: int) -> Refused:
    return Refused(
        413,
        problem.BODY_TOO_LARGE,
        f"The body is larger than the {limit} bytes that the server reads.",
        headers=((b"connection", b"close"),),
    )
