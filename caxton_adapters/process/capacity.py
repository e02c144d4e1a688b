"""What the machine has: memory and processors that this process may use."""

import os
from pathlib import Path
from typing import Final, final

from attrs import frozen

_CONTAINER: Final = Path("/sys/fs/cgroup/memory.max")


@final
@frozen
class Capacity:
    """Bytes of memory and processors; None where the system does not tell."""

    memory: int | None
    cores: float | None


def measured() -> Capacity:
    """What this process may use, within the limits of its container."""
    return Capacity(_memory(), _cores())


def _memory() -> int | None:
    try:
        whole = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return None
    limit = _limit()
    return whole if limit is None else min(whole, limit)


def _limit() -> int | None:
    try:
        written = _CONTAINER.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return int(written) if written.isdecimal() else None


def _cores() -> float | None:
    if hasattr(os, "sched_getaffinity"):
        return float(len(os.sched_getaffinity(0)))
    count = os.cpu_count()
    return None if count is None else float(count)
