"""A port with TLS: clients shake hands beside one another, and not too many at a time.

A loop's own servers count nobody who has not finished the handshake, so anybody could take all file
descriptors without a word.
"""

import asyncio
import ssl
from collections.abc import Callable
from socket import socket
from typing import Final, final

import anyio
from anyio.abc import TaskGroup

from caxton_adapters.rest.settings import RestSettings

_FAREWELL: Final = 2.0
_PAUSE: Final = 1.0


@final
class Door:
    """Lets clients in who shake hands; whoever comes while too many do so is turned away.

    `connection` is made for each client that is let in.
    """

    def __init__(
        self,
        listener: socket,
        tls: ssl.SSLContext,
        settings: RestSettings,
        connection: Callable[[], asyncio.BaseProtocol],
    ) -> None:
        listener.setblocking(False)
        self._listener = listener
        self._tls = tls
        self._settings = settings
        self._connection = connection
        self._shaking_hands = 0
        self._open = anyio.CancelScope()
        self._closed = anyio.Event()

    async def admit(self) -> None:
        """Let clients in until the door is closed."""
        try:
            with self._open:
                async with anyio.create_task_group() as greeting:
                    while True:
                        await self._next(greeting)
        finally:
            self._closed.set()

    async def aclose(self) -> None:
        """Let nobody in any more, and leave whoever is still shaking hands."""
        self._open.cancel()
        await self._closed.wait()

    async def _next(self, greeting: TaskGroup) -> None:
        try:
            client, _ = await asyncio.get_running_loop().sock_accept(self._listener)
        except OSError:  # no file descriptor is left, perhaps
            await anyio.sleep(_PAUSE)
            return
        if self._shaking_hands >= self._settings.max_connections:
            client.close()
            return
        self._shaking_hands += 1
        greeting.start_soon(self._greet, client)

    async def _greet(self, client: socket) -> None:
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                self._connection,
                client,
                ssl=self._tls,
                ssl_handshake_timeout=self._settings.request_timeout,
                ssl_shutdown_timeout=_FAREWELL,
            )
        except OSError:  # it does not speak TLS, went away, or took too long
            return
        finally:
            self._shaking_hands -= 1
