"""The connection of one call: through a port, through TLS, or through a UNIX socket."""

import http.client
import os
import socket
import ssl
from typing import final
from urllib.parse import urlsplit

from caxton_cli import places


def connection_to(url: str, timeout: float) -> tuple[http.client.HTTPConnection, str]:
    """A connection that is not open yet, and what stands before each path; raises ValueError.

    Raises OSError where the file of trusted authorities cannot be read.
    """
    path = places.socket_path(url)
    if path is not None:
        return _UnixConnection(path, timeout), ""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or parts.hostname is None:
        message = f"not the address of a server: {url}"
        raise ValueError(message)
    if parts.scheme == "http":
        return http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout), parts.path
    secure = http.client.HTTPSConnection(
        parts.hostname, parts.port, timeout=timeout, context=trusting()
    )
    return secure, parts.path


def trusting() -> ssl.SSLContext:
    """Trust the authorities in CAXTON_CA_FILE and nobody else, or those that the system knows."""
    return ssl.create_default_context(cafile=os.environ.get("CAXTON_CA_FILE") or None)


@final
class _UnixConnection(http.client.HTTPConnection):
    """HTTP through a UNIX socket, under the name that such a server goes by."""

    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        """Open the socket."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)
