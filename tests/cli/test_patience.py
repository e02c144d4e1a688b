"""How long a command waits for an answer that comes in pieces."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import pytest

from caxton_cli.client import Caller
from caxton_cli.leaving import Leave

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
SIGN_OF_LIFE = b": working\n\n"


@contextmanager
def alive_and_silent() -> Iterator[str]:
    """The address of a server that gives one sign of life and then says nothing."""
    over = Event()

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65_536)
            connection.sendall(HEAD + SIGN_OF_LIFE)
            over.wait(60)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=serve, args=(listener,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            over.set()
            thread.join()


@pytest.mark.timeout(30)
def test_nobody_waits_longer_in_all_because_of_a_sign_of_life() -> None:
    with (
        alive_and_silent() as url,
        pytest.raises(Leave, match=r"did not answer in 0\.3 s"),
        Caller(url, None).stream("POST", "/", {}, timeout=60.0, in_all=0.3) as events,
    ):
        list(events)
