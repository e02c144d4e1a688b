"""What the server has of its machine: room on the disk, and a clock that is not set under it."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from caxton_adapters.health.component import Component, Part, Status

MIB: Final = 1024 * 1024
LEAST_FREE: Final = 64 * MIB
"""Bytes of the data directory's disk below which nothing new is taken."""
LITTLE_FREE: Final = 512 * MIB
LARGEST_STEP: Final = 2.0
"""Seconds by which the machine's time of day may be away from ours."""


def disk(directory: Path, least: int = LEAST_FREE, little: int = LITTLE_FREE) -> Part:
    """The room that is left where the server keeps everything, in bytes."""

    def look() -> Component:
        try:
            found = os.statvfs(directory)
        except OSError as error:
            reason = f"the disk of {directory} cannot be looked at: {error.strerror}"
            return Component("disk", Status.FAIL, reason)
        free = found.f_bavail * found.f_frsize
        facts = {"free_bytes": free, "total_bytes": found.f_blocks * found.f_frsize}
        if free < least:
            reason = f"{free // MIB} MiB are free, and {least // MIB} MiB are needed"
            return Component("disk", Status.FAIL, reason, facts)
        if free < little:
            return Component("disk", Status.WARN, f"only {free // MIB} MiB are free", facts)
        return Component("disk", facts=facts)

    return look


def clock(stepped: Callable[[], float]) -> Part:
    """Whether somebody has set the machine's time of day since the start, and by how much."""

    def look() -> Component:
        seconds = round(stepped(), 3)
        facts = {"stepped_seconds": seconds}
        if abs(seconds) <= LARGEST_STEP:
            return Component("clock", facts=facts)
        where = "ahead of" if seconds > 0 else "behind"
        reason = (
            f"the machine's time of day was set and is {abs(seconds):.0f} s {where} the server's; "
            "a restart takes it over"
        )
        return Component("clock", Status.WARN, reason, facts)

    return look
