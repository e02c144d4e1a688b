"""A connected socket to whichever address of a host answers first (RFC 8305).

asyncio's own race loses a socket that connects in the moment in which its caller is cancelled.
"""

import asyncio
import socket
from collections import defaultdict
from collections.abc import Sequence
from itertools import chain, zip_longest
from typing import Any, TypeAlias

from anyio import Event, create_task_group, move_on_after

HEAD_START = 0.25

Address: TypeAlias = tuple[int, int, int, str, Any]


async def connected_socket(host: str, port: int) -> socket.socket:
    """Connect to the first address that answers, each with a head start; raises OSError."""
    loop = asyncio.get_running_loop()
    addresses = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    connected: list[socket.socket] = []
    errors: list[OSError] = []
    try:
        async with create_task_group() as race:

            async def attempt(address: Address, over: Event) -> None:
                try:
                    connected.append(await _connected(address))
                    race.cancel_scope.cancel()
                except OSError as error:
                    errors.append(error)
                over.set()

            for address in by_turns(addresses):
                over = Event()
                race.start_soon(attempt, address, over)
                with move_on_after(HEAD_START):
                    await over.wait()
    except BaseException:
        _close(connected)
        raise
    if not connected:
        raise errors[0]
    _close(connected[1:])
    return connected[0]


def by_turns(addresses: Sequence[Address]) -> list[Address]:
    """The addresses, their families taking turns, the preferred one first."""
    families: dict[int, list[Address]] = defaultdict(list)
    for address in addresses:
        families[address[0]].append(address)
    turns = chain.from_iterable(zip_longest(*families.values()))
    return [address for address in turns if address is not None]


async def _connected(address: Address) -> socket.socket:
    family, kind, protocol, _, where = address
    connecting = socket.socket(family, kind, protocol)
    try:
        connecting.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connecting, where)
    except BaseException:
        connecting.close()
        raise
    return connecting


def _close(sockets: Sequence[socket.socket]) -> None:
    for opened in sockets:
        opened.close()
