"""One server for each data directory, database, socket: kernel locks that die with their holder."""

import fcntl
import os
from pathlib import Path
from typing import final

from returns.result import Failure, Result, Success

from caxton_adapters.process import pid_file
from caxton_adapters.process.private import FILE_MODE, make_directory
from caxton_adapters.process.refusals import (
    DatabaseInUse,
    DirectoryLocked,
    DirectoryUnusable,
    SocketTaken,
    SocketUnusable,
)

FILE_NAME = "server.lock"
BESIDE = "-lock"


@final
class DirectoryLock:
    """The right to work in a place, held until `release` or the end of the process."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor
        # A forked child shares the open file: while it lives, our death would not free the lock.
        os.register_at_fork(after_in_child=self.release_copy)

    def release(self) -> None:
        """Let another server in."""
        if self._descriptor is not None:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        self.release_copy()

    def release_copy(self) -> None:
        """Close this process's descriptor; the lock itself stays with whoever else has it open."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def take(directory: Path) -> Result[DirectoryLock, DirectoryLocked | DirectoryUnusable]:
    """The lock of the directory, or who has it."""
    try:
        taken = _taken(directory / FILE_NAME)
    except OSError as error:
        return Failure(DirectoryUnusable(directory, error.strerror or str(error)))
    if taken is not None:
        return Success(taken)
    owner = pid_file.read(directory)
    if owner is None:
        return Failure(DirectoryLocked(directory, None, None))
    return Failure(DirectoryLocked(directory, owner.pid, owner.url))


def take_database(path: Path) -> Result[DirectoryLock, DatabaseInUse | DirectoryUnusable]:
    """The lock of a database, which need not lie in the data directory; its folder is made."""
    made = make_directory(path.parent)
    if isinstance(made, Failure):
        return made
    try:
        taken = _taken(path.with_name(path.name + BESIDE))
    except OSError as error:
        return Failure(DirectoryUnusable(path.parent, error.strerror or str(error)))
    return Failure(DatabaseInUse(path)) if taken is None else Success(taken)


def take_socket(path: Path) -> Result[DirectoryLock, SocketTaken | SocketUnusable]:
    """The lock of a UNIX socket: only one server looks whether another has left it."""
    try:
        taken = _taken(path.with_name(path.name + BESIDE))
    except OSError as error:
        return Failure(SocketUnusable(path, error.strerror or str(error)))
    return Failure(SocketTaken(path)) if taken is None else Success(taken)


def _taken(path: Path) -> DirectoryLock | None:
    """The lock, or None where somebody else has it; raises `OSError`."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return DirectoryLock(descriptor)


def is_held(directory: Path) -> bool:
    """Whether a server works in the directory now."""
    try:
        descriptor = os.open(directory / FILE_NAME, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
