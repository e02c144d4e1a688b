"""Files and directories that only the server's own user can read."""

import errno
import os
import resource
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final, final

from attrs import frozen
from returns.result import Failure, Result, Success

from caxton_adapters.process.refusals import DirectoryUnusable

DIRECTORY_MODE = 0o700
FILE_MODE = 0o600
UMASK = 0o077
WRITTEN_BY_OTHERS: Final = stat.S_IWGRP | stat.S_IWOTH
MOST_LINKS: Final = 40
"""As many links of one path are followed, as Linux does."""


@final
@frozen
class Replaceable:
    """Somebody else could put something of theirs in a folder; `fix` is what to do about it."""

    reason: str
    fix: str


def make_directory(path: Path) -> Result[Path, DirectoryUnusable]:
    """The directory, made where it is missing and proven to take a file."""
    probe = path / f".probe-{os.getpid()}"
    try:
        path.mkdir(mode=DIRECTORY_MODE, parents=True, exist_ok=True)
        os.close(os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE))
        probe.unlink()
    except OSError as error:
        return Failure(DirectoryUnusable(path, error.strerror or str(error)))
    return Success(path)


def replaceable(folder: Path, known: os.stat_result) -> Replaceable | None:
    """Who else could put another file, or a whole folder, in the place of what is in this one."""
    if known.st_uid not in (0, os.geteuid()):
        reason = f"its folder {folder} belongs to the user {known.st_uid}"
        return Replaceable(reason, f"chown root {folder}")
    # Where the sticky bit is set, as in /tmp, nobody moves what is another's.
    if known.st_mode & WRITTEN_BY_OTHERS and not known.st_mode & stat.S_ISVTX:
        return Replaceable(f"others may write its folder {folder}", f"chmod go-w {folder}")
    return None


def divertible(step: Path) -> Replaceable | None:
    """Who else could have a step of a path lead elsewhere; raises OSError."""
    unfit, known = replaceable(step.parent, step.parent.stat()), step.lstat()
    if unfit is None and stat.S_ISLNK(known.st_mode) and known.st_uid not in (0, os.geteuid()):
        reason = f"the link {step} belongs to the user {known.st_uid}"
        return Replaceable(reason, f"chown -h root {step}")
    return unfit


def steps_to(path: Path) -> Iterator[Path]:
    """Every name that is looked up on the way to a file, links followed; raises OSError."""
    way, links, names = Path("/"), 0, _backwards(path.absolute())
    while names:
        step = way / names.pop()
        if step.name == "..":
            way = way.parent
            continue
        yield step
        if not step.is_symlink():
            way = step
            continue
        links += 1
        if links > MOST_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        target = step.readlink()
        way = Path("/") if target.is_absolute() else way
        names += _backwards(target)


def _backwards(path: Path) -> list[str]:
    return [part for part in reversed(path.parts) if part != path.root]


def leave_no_core_dump() -> None:
    """Have a crash write no file with the memory of the process, in which there are keys."""
    _, highest = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, highest))


def open_to_append(path: Path) -> int:
    """A descriptor of the file, whose writes go to its end whoever else writes; raises OSError."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
    return os.open(path, flags, FILE_MODE)


def replace_text(path: Path, text: str) -> None:
    """Put the text in place of the file at once, so that no reader sees half of it."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)  # a killed process left it, or somebody a link to another file
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)
