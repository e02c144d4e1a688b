"""A UNIX socket beside the port: whoever may open its file may call, and that is its owner."""

import os
import socket
import stat
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final, final

from attrs import field, frozen
from returns.result import Failure, Result, Success

from caxton_adapters.process.lock import DirectoryLock, take_socket
from caxton_adapters.process.private import WRITTEN_BY_OTHERS, divertible, replaceable, steps_to
from caxton_adapters.process.refusals import SocketTaken, SocketUnusable

LONGEST: Final = 107 if sys.platform == "linux" else 103
"""Bytes that the operating system takes as the path of a socket."""
_NO_RIGHTS_FOR_OTHERS: Final = 0o177
_PATIENCE: Final = 1.0


@final
@frozen
class UnixSocket:
    """A socket that listens; its file goes with it."""

    path: Path
    listener: socket.socket
    _identity: tuple[int, int] | None = field(alias="identity")
    _lock: DirectoryLock = field(alias="lock")

    @property
    def url(self) -> str:
        """How a client on this machine names it."""
        return f"unix://{self.path}"

    def close(self) -> None:
        """Answer no more, and take the file away unless somebody put another in its place."""
        self.listener.close()
        if _identity_of(self.path) == self._identity:
            with suppress(FileNotFoundError):
                self.path.unlink()
        self._lock.release()


def open_unix_socket(path: Path) -> Result[UnixSocket, SocketUnusable | SocketTaken]:
    """A socket at the path, for this user alone; what an ended server left there is replaced."""
    unfit = _unfit(path)
    if unfit is not None:
        return Failure(SocketUnusable(path, unfit))
    locked = take_socket(path)
    if isinstance(locked, Failure):
        return locked
    bound = _bound(path)
    if isinstance(bound, Failure):
        locked.unwrap().release()
        return bound
    listener = bound.unwrap()
    # A forked child that kept the socket would keep clients waiting after our death.
    os.register_at_fork(after_in_child=listener.close)
    return Success(UnixSocket(path, listener, _identity_of(path), locked.unwrap()))


def _unfit(path: Path) -> str | None:
    """Why there should be no socket at this path."""
    length = len(os.fsencode(path))
    if length > LONGEST:
        return f"its path has {length} bytes, and the longest of a socket has {LONGEST}"
    try:
        folder = path.parent.resolve(strict=True)
        if folder.stat().st_mode & WRITTEN_BY_OTHERS:
            return f"others may write its folder {folder}"
        found = (replaceable(folder, folder.stat()), *map(divertible, steps_to(path.parent)))
        return next((why.reason for why in found if why is not None), None)
    except OSError as error:
        return f"its folder {path.parent}: {error.strerror or error}"


def _bound(path: Path) -> Result[socket.socket, SocketUnusable | SocketTaken]:
    """A socket that listens in the place of one that nobody answers at."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    usual = os.umask(_NO_RIGHTS_FOR_OTHERS)
    try:
        taken = _freed(path)
        if taken is not None:
            listener.close()
            return Failure(taken)
        listener.bind(str(path))
        listener.listen(socket.SOMAXCONN)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        return Failure(SocketUnusable(path, error.strerror or str(error)))
    finally:
        os.umask(usual)
    return Success(listener)


def _freed(path: Path) -> SocketUnusable | SocketTaken | None:
    """Take away what an ended server left, and nothing else; what is there instead."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return None
    if not stat.S_ISSOCK(mode):
        return SocketUnusable(path, "what is there is no socket")
    if _answers(path):
        return SocketTaken(path)
    path.unlink()
    return None


def _answers(path: Path) -> bool:
    """Whether somebody listens at the path, a server of another kind perhaps."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        asking.settimeout(_PATIENCE)
        try:
            asking.connect(str(path))
        except ConnectionRefusedError:
            return False
        except OSError:  # it has no time, or is not for us: that is no reason to take its place
            return True
    return True


def _identity_of(path: Path) -> tuple[int, int] | None:
    try:
        known = path.lstat()
    except OSError:
        return None
    return known.st_dev, known.st_ino
