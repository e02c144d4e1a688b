"""A whole server that is sent bytes, and has to answer them with a problem or hang up."""

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from anyio.from_thread import start_blocking_portal

from caxton_adapters.rest.settings import RestSettings
from tests.adapters.rest.conftest import QUICK, serving
from tests.fuzz.target import Attack

PATIENCE: Final = 10.0
WELL: Final = b"GET /health/live HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
ANSWER: Final = re.compile(rb"HTTP/1\.1 ([1-4][0-9][0-9]|503) ")
SETTINGS: Final = RestSettings(request_timeout=2.0, costly_per_minute=10**9)


@contextmanager
def server_for_heads() -> Iterator[Attack]:
    """A server in a thread of its own, and what sends it bytes."""
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(serving(QUICK, SETTINGS)) as server,
    ):
        portal.call(server.api.management)

        def attack(data: bytes) -> None:
            received = exchanged(server.port, data)
            assert not received or ANSWER.match(received), received[:200]
            assert exchanged(server.port, WELL).startswith(b"HTTP/1.1 200 ")

        yield attack


def exchanged(port: int, data: bytes) -> bytes:
    """All that comes back on a connection of its own, on which nothing more is sent."""
    received = b""
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
        try:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            while piece := connection.recv(65536):
                received += piece
        except (ConnectionError, BrokenPipeError):
            pass  # the server need not read what it has refused
    return received
