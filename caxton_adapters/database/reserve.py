"""Room on the disk that is kept for those who delete: else a full disk would keep itself full."""

import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Final, final

KIB: Final = 1024
WHOLE: Final = 8 * KIB * KIB
"""Bytes: enough for the log of a few large deletions."""
GIVEN: Final = KIB * KIB
TAKEN: Final = 64 * KIB
"""Small, so that of what a deletion did not need nearly everything comes back."""
PAUSE: Final = 1.0
"""Seconds between two attempts to make it whole."""
FILE_MODE: Final = 0o600


@final
class Reserve:
    """A file beside the database that holds nothing but room; one thread uses it."""

    def __init__(self, database: Path) -> None:
        self._path = database.with_name(f"{database.name}-reserve")
        self._missing = WHOLE
        self._next = 0.0

    def fill(self) -> None:
        """Take what is missing, as far as there is room now."""
        now = time.monotonic()
        if not self._missing or now < self._next:
            return
        self._next = now + PAUSE
        with suppress(OSError):
            self._take()

    def give(self) -> bool:
        """Give some of it back to the disk; False where nothing is left to give."""
        try:
            size = self._path.stat().st_size
            if not size:
                return False
            os.truncate(self._path, max(0, size - GIVEN))
        except OSError:
            return False
        self._missing = WHOLE
        self._next = 0.0
        return True

    def _take(self) -> None:
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
        try:
            size = os.fstat(file).st_size
            try:
                while size < WHOLE:
                    _allocate(file, size)
                    size += TAKEN
            finally:
                self._missing = max(0, WHOLE - size)
                os.ftruncate(file, min(size, WHOLE))  # also of what was allocated in part
        finally:
            os.close(file)


def _allocate(file: int, offset: int) -> None:
    if sys.platform == "darwin":
        os.pwrite(file, bytes(TAKEN), offset)
    else:
        os.posix_fallocate(file, offset, TAKEN)
