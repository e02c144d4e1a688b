"""uvicorn's server under our own rules: our signals, our drain, our ending."""

import asyncio
import logging
import signal
import ssl
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from socket import AF_UNIX, socket
from typing import Final, final

import anyio
import uvicorn
from uvicorn.config import Config

from caxton_adapters.rest.connection import Connection
from caxton_adapters.rest.door import Door
from caxton_adapters.rest.exchange import Application
from caxton_adapters.rest.settings import RestSettings

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
_TICK: Final = 1.0
_LINGER: Final = 1.0
_GLANCE: Final = 0.005


async def _nothing() -> None:
    """Nothing has to be drained."""


@final
class RestServer(uvicorn.Server):
    """Serves on sockets that are bound already, until it is told to stop; then drains.

    Made inside the running loop. With `tls` whatever comes through a port is encrypted; a UNIX
    socket stays on the machine.
    `drain` runs while connections are still answered: whoever asks then is told to come back.
    `on_started` and `on_stopping` tell the composition root where the server is.
    `ended_by` is the signal that cut the drain short, None where it ran to its end.
    """

    def __init__(
        self,
        application: Application,
        settings: RestSettings,
        *,
        tls: ssl.SSLContext | None = None,
        drain: Callable[[], Awaitable[None]] = _nothing,
        on_started: Callable[[], object] = lambda: None,
        on_stopping: Callable[[str], object] = lambda _: None,
    ) -> None:
        super().__init__(_config(application, settings))
        self._settings = settings
        self._tls = tls
        self._doors: list[Door] = []
        self._drain = drain
        self._on_started = on_started
        self._on_stopping = on_stopping
        self._stop = anyio.Event()
        self._draining = anyio.CancelScope()
        self.ended_by: signal.Signals | None = None

    def stop(self, cause: str) -> None:
        """Begin to end; a second call changes nothing."""
        if not self._stop.is_set():
            self._stop.set()
            self._on_stopping(cause)

    def stop_at_once(self) -> None:
        """End without waiting for anybody."""
        self.stop("told to end at once")
        self.force_exit = True
        self._draining.cancel()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Let the loop see the signals: the first drains, the second ends."""
        loop = asyncio.get_running_loop()
        try:
            for number in _SIGNALS:
                loop.add_signal_handler(number, self._signalled, number)
        except (RuntimeError, ValueError, NotImplementedError):
            yield  # not the main thread, or a platform without signals: `stop` is the way
            return
        try:
            yield
        finally:
            for number in _SIGNALS:
                loop.remove_signal_handler(number)

    async def serve(self, sockets: list[socket] | None = None) -> None:
        """Serve until told to stop."""
        async with anyio.create_task_group() as self._admitting:
            await super().serve(sockets)

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Answer at every socket."""
        loop, backlog = asyncio.get_running_loop(), self.config.backlog
        connection = partial(Connection, self.config, self.server_state, {}, limits=self._settings)
        self.servers = []
        for listener in sockets or ():
            if listener.family == AF_UNIX:
                at = await loop.create_unix_server(connection, sock=listener, backlog=backlog)
                self.servers.append(at)
            elif self._tls is None:
                at = await loop.create_server(connection, sock=listener, backlog=backlog)
                self.servers.append(at)
            else:
                door = Door(listener, self._tls, self._settings, connection)
                self._doors.append(door)
                self._admitting.start_soon(door.admit)
        self.started = True

    async def main_loop(self) -> None:
        """Serve until told to stop."""
        self._on_started()
        async with anyio.create_task_group() as watching:
            watching.start_soon(self._watch)
            await self._stop.wait()
            watching.cancel_scope.cancel()

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """Drain while still answering, then take no more clients and let the last ones go."""
        async with anyio.create_task_group() as watching:
            watching.start_soon(self._watch)
            with self._draining, anyio.move_on_after(self._settings.drain_timeout):
                await self._drain()
            watching.cancel_scope.cancel()
        for server in self.servers:
            server.close()
        for door in self._doors:
            await door.aclose()
        for listener in sockets or ():
            listener.close()
        with anyio.move_on_after(0 if self.force_exit else _LINGER):
            await self._let_go()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        for task in list(self.server_state.tasks):
            task.cancel()

    async def _let_go(self) -> None:
        """Wait until every client has the answer that it waits for."""
        while self.server_state.connections:
            for connection in list(self.server_state.connections):
                connection.shutdown()
            await anyio.sleep(_GLANCE)

    async def _watch(self) -> None:
        """Keep the date of the answers and end clients that neither send nor read."""
        while True:
            await self.on_tick(0)
            self._end_slow_clients()
            await anyio.sleep(_TICK)

    def _signalled(self, number: signal.Signals) -> None:
        if self._stop.is_set():
            self.ended_by = number
            self.stop_at_once()
        self.stop(number.name)

    def _end_slow_clients(self) -> None:
        latest = asyncio.get_running_loop().time() - self._settings.request_timeout
        for connection in list(self.server_state.connections):
            if not isinstance(connection, Connection):
                continue
            if connection.waiting_since is not None and connection.waiting_since < latest:
                connection.give_up()
            elif connection.blocked_since is not None and connection.blocked_since < latest:
                connection.transport.abort()


def _config(application: Application, settings: RestSettings) -> Config:
    # It has a line for every request that is none, so that anybody could fill the log.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    return Config(
        application,
        http=Connection,
        loop="none",
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=settings.keep_alive,
    )
