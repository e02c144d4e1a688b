"""Becomes the program of a server of tools, which then dies with the process that wanted it.

A script of its own, run as `python -I -S launcher.py PARENT MEMORY OPEN_FILES FILE_SIZE COMMAND
...`: what it loads delays every start.
"""

import os
import resource
import sys

_PR_SET_PDEATHSIG = 1
_SIGKILL = 9
_NOT_EXECUTABLE = 126
_NOT_FOUND = 127
_NO_CORE_DUMP = 0
_NO_LIMIT = -1


def _die_with(parent: int) -> None:
    if sys.platform != "linux":
        return  # the warden does it alone
    import ctypes  # noqa: PLC0415 - elsewhere it would be loaded for nothing

    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(1)  # it ended before the kernel was told


def _close_inherited() -> None:
    """Leave the program its three standard files; uvloop leaves it its own as well."""
    last = max(map(int, os.listdir("/dev/fd")))  # noqa: PTH208 - pathlib costs more than the rest
    os.closerange(3, last + 1)


def _limit(memory: int, open_files: int, file_size: int) -> None:
    """Have the kernel bound it, in a way that it cannot undo."""
    for kind, wanted in (
        (resource.RLIMIT_CORE, _NO_CORE_DUMP),
        (resource.RLIMIT_DATA, memory),  # not the address space, of which node reserves much
        (resource.RLIMIT_NOFILE, open_files),
        (resource.RLIMIT_FSIZE, file_size),
    ):
        _, highest = resource.getrlimit(kind)
        if wanted != _NO_LIMIT:
            most = wanted if highest == resource.RLIM_INFINITY else min(wanted, highest)
            resource.setrlimit(kind, (most, most))


def _become(command: list[str]) -> None:
    # Python changes this one by itself (PEP 538), and the program gets only what it was given.
    environment = {name: text for name, text in os.environ.items() if name != "LC_CTYPE"}
    try:
        os.execvpe(command[0], command, environment)  # noqa: S606 - the operator's own command
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr)  # noqa: T201 - told to the caller
        sys.exit(_NOT_FOUND if isinstance(error, FileNotFoundError) else _NOT_EXECUTABLE)


if __name__ == "__main__":
    _die_with(int(sys.argv[1]))
    _close_inherited()
    _limit(*map(int, sys.argv[2:5]))
    _become(sys.argv[5:])
