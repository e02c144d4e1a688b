"""Connections to the very address that was checked: a name is resolved once, and never again.

TLS and the Host header keep the name; only the socket goes to the number.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from ipaddress import IPv6Address, ip_address
from typing import Final, TypeAlias, final

import httpcore2
from anyio import CancelScope, Event, create_task_group, fail_after, move_on_after

from caxton_adapters.egress.failures import EgressRefused
from caxton_core.egress import IpAddress, OutOfReach, Reach, within, zone_of

Resolve: TypeAlias = Callable[[str, int], Awaitable[Sequence[IpAddress]]]
SocketOption: TypeAlias = (
    tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]
)

HEAD_START: Final = 0.25


async def resolved(host: str, port: int) -> Sequence[IpAddress]:
    """The addresses of a name, the preferred one first; raises OSError."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(ip_address(where[0]) for *_, where in found))


@final
class PinnedBackend(httpcore2.AsyncNetworkBackend):
    """Opens the sockets of the HTTP library, where `reach` allows it."""

    def __init__(self, reach: Reach, resolve: Resolve) -> None:
        self._reach = reach
        self._resolve = resolve
        self._sockets = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 (the signature is the library's)
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Resolve, check every address that came, and connect to one of them."""
        try:
            with fail_after(timeout):
                addresses = await self._checked(host, port)
                return await self._first(addresses, port, local_address, socket_options)
        except TimeoutError as error:
            message = f"{host} did not answer in time"
            raise httpcore2.ConnectTimeout(message) from error

    async def sleep(self, seconds: float) -> None:
        """Wait between attempts."""
        await self._sockets.sleep(seconds)

    async def _checked(self, host: str, port: int) -> Sequence[IpAddress]:
        """One address out of reach spoils them all: no honest name has both kinds."""
        try:
            addresses = await self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            message = f"the name {host} is unknown"
            raise httpcore2.ConnectError(message) from error
        for address in addresses:
            zone = zone_of(address)
            if not within(zone, self._reach) or _scoped(address):
                raise EgressRefused(OutOfReach(host, address, zone))
        return addresses

    async def _first(
        self,
        addresses: Sequence[IpAddress],
        port: int,
        local_address: str | None,
        socket_options: Iterable[SocketOption] | None,
    ) -> httpcore2.AsyncNetworkStream:
        """Whichever answers first, each with a head start before the next."""
        opened: list[httpcore2.AsyncNetworkStream] = []
        errors: list[httpcore2.ConnectError] = []
        try:
            async with create_task_group() as race:

                async def attempt(address: IpAddress, over: Event) -> None:
                    try:
                        opened.append(
                            await self._sockets.connect_tcp(
                                str(address), port, None, local_address, socket_options
                            )
                        )
                        race.cancel_scope.cancel()
                    except httpcore2.ConnectError as error:
                        errors.append(error)
                    over.set()

                for address in addresses:
                    over = Event()
                    race.start_soon(attempt, address, over)
                    with move_on_after(HEAD_START):
                        await over.wait()
        except BaseException:
            await _close(opened)
            raise
        await _close(opened[1:])
        if not opened:
            raise errors[0] if errors else httpcore2.ConnectError("the name has no address")
        return opened[0]


async def _close(streams: Sequence[httpcore2.AsyncNetworkStream]) -> None:
    with CancelScope(shield=True):
        for stream in streams:
            await stream.aclose()


def _scoped(address: IpAddress) -> bool:
    return isinstance(address, IPv6Address) and address.scope_id is not None
