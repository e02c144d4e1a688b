"""What the machine has: memory and processors that this process may use."""

import os
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup/memory.max")


def memory() -> int | None:
    """Bytes of memory, within the limit of a container; None where the system does not tell."""
    try:
        whole = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return None
    limit = _limit()
    return whole if limit is None else min(whole, limit)


def _limit() -> int | None:
    try:
        written = _CGROUP.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return int(written) if written.isdecimal() else None


def cores() -> float | None:
    """Processors on which this process may run; None where the system does not tell."""
    if hasattr(os, "sched_getaffinity"):
        return float(len(os.sched_getaffinity(0)))
    count = os.cpu_count()
    return None if count is None else float(count)
