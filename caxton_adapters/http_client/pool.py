"""The connections to one origin: reused newest first, waited for in order."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import final

from caxton_adapters.http_client.connection import Connection
from caxton_adapters.http_client.failures import ClientClosed, RequestFailed

Lost = Callable[[Connection], None]
Connect = Callable[[Lost], Awaitable[Connection]]


@final
class Pool:
    """Lends connections, at most `size` at a time; every operation costs the same at any size.

    A lent slot is either an open connection or one that is being opened. Who waits is given a
    connection that came back, or the slot of one that was closed.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._taken = 0
        self._idle: deque[Connection] = deque()
        self._open: set[Connection] = set()
        self._waiting: deque[asyncio.Future[Connection | None]] = deque()
        self._empty: asyncio.Future[None] | None = None
        self._closed = False

    def idle(self) -> Connection | None:
        """A connection that is ready now."""
        while self._idle:
            connection = self._idle.pop()
            if connection.usable:
                return connection
        return None

    async def fresh(self, connect: Connect) -> Connection:
        """A new connection, or one that somebody else gives back first."""
        if self._closed:
            raise RequestFailed(ClientClosed())
        if self._taken >= self._size:
            self._make_room()
            granted = await self._turn()
            if granted is not None:
                return granted
        else:
            self._taken += 1
        return await self._opened(connect)

    def give_back(self, connection: Connection) -> None:
        """End an exchange and lend the connection to the next."""
        if not connection.finish():
            return
        waiter = self._next_waiter()
        if waiter is not None:
            waiter.set_result(connection)
        elif self._closed:
            connection.abort()
        else:
            self._idle.append(connection)

    async def aclose(self) -> None:
        """Close all connections and refuse whoever waits; returns when the sockets are closed."""
        self._closed = True
        while (waiter := self._next_waiter()) is not None:
            waiter.set_exception(RequestFailed(ClientClosed()))
        for connection in tuple(self._open):
            connection.abort()
        if self._open:
            self._empty = asyncio.get_running_loop().create_future()
            await self._empty

    async def _opened(self, connect: Connect) -> Connection:
        try:
            connection = await connect(self._lost)
        except BaseException:
            self._free_slot()
            raise
        if connection.transport is None:
            self._free_slot()
            return connection
        self._open.add(connection)
        if self._closed:
            connection.abort()
        return connection

    async def _turn(self) -> Connection | None:
        waiter: asyncio.Future[Connection | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self._pass_on(waiter.result())
            raise

    def _pass_on(self, granted: Connection | None) -> None:
        if granted is None:
            self._free_slot()
        else:
            self.give_back(granted)

    def _make_room(self) -> None:
        """Close an idle connection: whoever asks for a fresh one does not trust the idle ones."""
        connection = self.idle()
        if connection is not None:
            connection.abort()

    def _lost(self, connection: Connection) -> None:
        if connection in self._open:
            self._open.discard(connection)
            self._free_slot()
        if self._empty is not None and not self._open and not self._empty.done():
            self._empty.set_result(None)

    def _free_slot(self) -> None:
        waiter = self._next_waiter()
        if waiter is None:
            self._taken -= 1
        else:
            waiter.set_result(None)

    def _next_waiter(self) -> "asyncio.Future[Connection | None] | None":
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                return waiter
        return None
