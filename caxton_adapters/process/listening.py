"""The socket that the server answers at, bound before anything heavy is loaded."""

import errno
import ipaddress
import os
import re
import socket
from pathlib import Path

from returns.result import Failure, Result, Success

from caxton_adapters.process.refusals import AddressUnusable, PortTaken

_LISTEN = "0A"


def bind(host: str, port: int) -> Result[socket.socket, PortTaken | AddressUnusable]:
    """A bound socket that does not listen yet; port 0 takes a free one."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        return Failure(AddressUnusable(host, port, error.strerror or str(error)))
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        # Two sockets with SO_REUSEADDR may both bind; only one may listen, so ask now.
        listener.listen(socket.SOMAXCONN)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            return Failure(PortTaken(host, port, owner_of(port)))
        return Failure(AddressUnusable(host, port, error.strerror or str(error)))
    listener.setblocking(False)
    # A forked child that kept the socket would keep the port after our death.
    os.register_at_fork(after_in_child=listener.close)
    return Success(listener)


def url_of(listener: socket.socket, scheme: str = "http") -> str:
    """The address of the socket for a client on this machine."""
    host, port = listener.getsockname()[:2]
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    shown = f"[{reachable}]" if ":" in reachable else reachable
    return f"{scheme}://{shown}:{port}"


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches the host."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def owner_of(port: int) -> int | None:
    """The process that listens on a TCP port, where Linux lets us see it."""
    inodes = _listening_inodes(port)
    if not inodes:
        return None
    for process in Path("/proc").iterdir():
        if process.name.isdecimal() and inodes & _socket_inodes(process):
            return int(process.name)
    return None


def _listening_inodes(port: int) -> frozenset[str]:
    rows: list[list[str]] = []
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        try:
            rows += [line.split() for line in table.read_text("ascii").splitlines()[1:]]
        except OSError:
            continue
    wanted = f"{port:04X}"
    return frozenset(
        row[9] for row in rows if row[3] == _LISTEN and row[1].rpartition(":")[2] == wanted
    )


def _socket_inodes(process: Path) -> set[str]:
    inodes = set()
    try:
        for descriptor in (process / "fd").iterdir():
            found = re.fullmatch(r"socket:\[(\d+)\]", str(descriptor.readlink()))
            if found:
                inodes.add(found[1])
    except OSError:
        return inodes
    return inodes
