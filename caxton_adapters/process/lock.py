"""One server for each data directory: a kernel lock that dies with its holder."""

import fcntl
import os
from pathlib import Path
from typing import final

from returns.result import Failure, Result, Success

from caxton_adapters.process import pid_file
from caxton_adapters.process.private import FILE_MODE
from caxton_adapters.process.refusals import DirectoryLocked, DirectoryUnusable

FILE_NAME = "caxton.lock"


@final
class DirectoryLock:
    """The right to work in a data directory, held until `release` or the end of the process."""

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
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        descriptor = os.open(directory / FILE_NAME, flags, FILE_MODE)
    except OSError as error:
        return Failure(DirectoryUnusable(directory, error.strerror or str(error)))
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        owner = pid_file.read(directory)
        if owner is None:
            return Failure(DirectoryLocked(directory, None, None))
        return Failure(DirectoryLocked(directory, owner.pid, owner.url))
    return Success(DirectoryLock(descriptor))


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
