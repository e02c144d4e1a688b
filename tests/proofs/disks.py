"""Disks of our own: small ones that fill up, and ones that can lose their power."""

import os
import resource
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, final

import psutil
from attrs import define, field

from tests.proofs.installation import Installation

IMAGE_SIZE = 256 * 1024 * 1024
MOUNT = shutil.which("mount")
LOSETUP = shutil.which("losetup")


def _command(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True, timeout=30)


def may_mount() -> bool:
    """Whether this user may mount a file system in memory."""
    return os.geteuid() == 0 and MOUNT is not None and _mounts("-t", "tmpfs", "tmpfs")


def has_loop_devices() -> bool:
    """Whether this user may mount an image."""
    if os.geteuid() != 0 or LOSETUP is None or shutil.which("mkfs.ext4") is None:
        return False
    free = subprocess.run(["losetup", "--find"], check=False, capture_output=True, timeout=30)
    return free.returncode == 0


def _mounts(*what: str) -> bool:
    """Try it: in a container root may be too little."""
    with tempfile.TemporaryDirectory(prefix="caxton-may-mount-") as place:
        tried = subprocess.run(["mount", *what, place], check=False, capture_output=True)
        if tried.returncode == 0:
            _command("umount", place)
        return tried.returncode == 0


class Room(Protocol):
    """A place for the data directory where space can be taken away."""

    def take(self) -> None:
        """Leave no space for anything more."""
        ...

    def give_back(self) -> None:
        """There is space again."""
        ...


@final
@define
class SmallDisk:
    """A file system in memory, filled up to its last byte."""

    place: Path

    def take(self) -> None:
        """Fill it, with ever smaller pieces."""
        with (self.place / "filler").open("ab", buffering=0) as filler:
            piece = 1 << 20
            while piece:
                try:
                    filler.write(b"\0" * piece)
                except OSError:
                    piece >>= 1

    def give_back(self) -> None:
        """Remove what filled it."""
        (self.place / "filler").unlink()


@final
@define
class FileSizeLimit:
    """No file of the server may grow: the same for users that may not mount (EFBIG)."""

    here: Installation
    _kept: tuple[int, int] = field(default=(0, 0), init=False)

    def take(self) -> None:
        """No file may be longer than a byte."""
        self._kept = self._process.rlimit(resource.RLIMIT_FSIZE)
        self._process.rlimit(resource.RLIMIT_FSIZE, (1, self._kept[1]))

    def give_back(self) -> None:
        """Files may grow as before."""
        self._process.rlimit(resource.RLIMIT_FSIZE, self._kept)

    @property
    def _process(self) -> psutil.Process:
        assert self.here.process is not None
        return psutil.Process(self.here.process.pid)


@contextmanager
def small_disk(place: Path, size: str = "160m") -> Iterator[SmallDisk]:
    """A file system of that size, mounted while it is needed."""
    place.mkdir(parents=True, exist_ok=True)
    _command("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place))
    try:
        yield SmallDisk(place)
    finally:
        _command("umount", "--lazy", str(place))


@final
@define
class LoopDisk:
    """An image on a loop device: what the kernel was not told to write is lost with the power."""

    image: Path
    place: Path

    def freeze(self) -> Path:
        """What is on the device at this moment."""
        copy = self.image.with_name("frozen.img")
        _command("cp", "--sparse=always", str(self.image), str(copy))
        return copy

    def replace(self, copy: Path) -> None:
        """Go on with the copy, after the file system has repaired itself as after a power loss."""
        self.unmount()
        copy.replace(self.image)
        self.mount()

    def abort(self) -> None:
        """Have the file system meet an error: from now on it can only be read."""
        _command("mount", "-o", "remount,abort", str(self.place))

    def mount(self) -> None:
        """Mount the image."""
        _command("mount", "-o", "loop", str(self.image), str(self.place))

    def unmount(self) -> None:
        """Unmount it; the device is given back."""
        _command("umount", str(self.place))


@contextmanager
def loop_disk(directory: Path, place: Path) -> Iterator[LoopDisk]:
    """A file system in an image, mounted while it is needed."""
    place.mkdir(parents=True, exist_ok=True)
    image = directory / "disk.img"
    with image.open("wb") as file:
        file.truncate(IMAGE_SIZE)
    _command("mkfs.ext4", "-q", str(image))
    disk = LoopDisk(image, place)
    disk.mount()
    try:
        yield disk
    finally:
        _command("umount", "--lazy", str(place))
