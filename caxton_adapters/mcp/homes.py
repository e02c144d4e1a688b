"""A directory of its own for each program that is a server of tools.

It is the program's home and its working directory, and outlives it, for the sake of what it keeps
there; below it lies its place for temporary files, which is empty at each start.
"""

import contextlib
import errno
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, final

from attrs import frozen

from caxton_adapters.mcp.registration import Registration
from caxton_adapters.process.private import DIRECTORY_MODE

HOMES: Final = "tool-servers"
"""Where they are, below the data directory."""

_TEMPORARY: Final = "tmp"
_OPENING: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_PATIENCE: Final = 30.0
"""So many seconds something is deleted for: a program that lives on may write as fast."""


@final
@frozen
class Home:
    """The directory of one program; what is made or deleted in it is found through no link."""

    path: Path

    @property
    def temporary(self) -> Path:
        """Where the program's temporary files lie."""
        return self.path / _TEMPORARY

    def make(self) -> None:
        """Have it there, for our own eyes and without temporary files; raises OSError."""
        self.path.parent.mkdir(mode=DIRECTORY_MODE, parents=True, exist_ok=True)
        with (
            _opened(self.path.parent) as beside,
            _made(self.path.name, beside) as home,
            _made(_TEMPORARY, home) as temporary,
        ):
            _empty(temporary)

    def delete(self) -> None:
        """Have nothing of it left; raises OSError."""
        if not self.path.is_symlink() and not self.path.exists():
            return
        with _opened(self.path.parent) as beside:
            with _opened(self.path.name, beside) as home:
                _empty(home)
            os.rmdir(self.path.name, dir_fd=beside)


def begins_in(written: Registration, home: Home) -> Path:
    """The working directory of the program."""
    return home.path if written.cwd is None else Path(written.cwd.value).expanduser()


@contextlib.contextmanager
def _made(name: str, within: int) -> Iterator[int]:
    with contextlib.suppress(FileExistsError):
        os.mkdir(name, DIRECTORY_MODE, dir_fd=within)
    with _opened(name, within) as directory:
        yield directory


@contextlib.contextmanager
def _opened(name: str | Path, within: int | None = None) -> Iterator[int]:
    """The directory, which we may read and change whatever its mode was."""
    directory = os.open(name, _OPENING, dir_fd=within)
    try:
        os.fchmod(directory, DIRECTORY_MODE)
        yield directory
    finally:
        os.close(directory)


def _empty(directory: int) -> None:
    """Delete all that is in it, level by level: no depth takes memory or descriptors."""
    until = time.monotonic() + _PATIENCE
    while names := os.listdir(directory):
        for name in names:
            if time.monotonic() > until:
                raise TimeoutError(errno.ETIMEDOUT, "it takes too long")
            if _is_directory(name, directory):
                _take_apart(name, directory)
            else:
                os.unlink(name, dir_fd=directory)


def _take_apart(name: str, directory: int) -> None:
    """Delete a directory, and put those that are in it beside it."""
    with _opened(name, directory) as inner:
        for each in os.listdir(inner):  # noqa: PTH208 - of a descriptor
            if _is_directory(each, inner):
                with _opened(each, inner):  # one that may not be changed is not moved either
                    os.rename(each, os.urandom(16).hex(), src_dir_fd=inner, dst_dir_fd=directory)
            else:
                os.unlink(each, dir_fd=inner)
    os.rmdir(name, dir_fd=directory)


def _is_directory(name: str, within: int) -> bool:
    return stat.S_ISDIR(os.stat(name, dir_fd=within, follow_symlinks=False).st_mode)
