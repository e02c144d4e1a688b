"""The lean process from which agents' processes are forked: the core is loaded, nothing else is.

It obeys one socket. Every request is a memory limit, with one end of the new agent's socket passed
along; every answer tells of a process that began or ended. It never runs an agent's turn itself.
When its socket closes, the server is gone: it ends its children and itself.
"""

import gc
import mmap
import os
import select
import signal
import socket
import struct
import sys
from pathlib import Path
from typing import Final, NoReturn, final

from attrs import define, field

from caxton_adapters.runtime.isolation.worker import warm_up, work

REQUEST: Final = struct.Struct("!QQ")
"""Number of the request, memory in bytes that the process may take."""
REPORT: Final = struct.Struct("!cQqq")
"""What happened, number of the request, process id, exit status (negative: a signal)."""
READY: Final = b"R"
STARTED: Final = b"S"
ENDED: Final = b"E"
REFUSED: Final = b"X"

_HAS_LIMITS: Final = sys.platform == "linux"
if sys.platform == "linux":
    import resource

_EMPTY: Final = sys.getsizeof(b"")

DEFECT: Final = 70
OUT_OF_MEMORY: Final = 137


def main(descriptor: int) -> None:
    """Serve the server at the other end of the socket until it closes."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    warm_up()
    gc.collect()
    filling = _small_holes()
    gc.freeze()
    zygote = _Zygote(socket.socket(fileno=descriptor), _mapped_bytes())
    try:
        zygote.serve()
    except (BrokenPipeError, ConnectionResetError):
        return
    finally:
        zygote.end_children()
        del filling


def _small_holes() -> object:
    """Objects that fill what imports have left free between others.

    An agent's own objects then stand together in new pages, instead of each making a shared page
    its own: 0.25 MB less for every agent, for 2 MB here.
    """
    return [bytes(size - _EMPTY) for size in range(48, 512, 16) for _ in range(300)]


@final
@define
class _Zygote:
    control: socket.socket
    mapped: int
    children: dict[int, int] = field(factory=dict)

    def serve(self) -> None:
        woken, wakes = os.pipe()
        os.set_blocking(wakes, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
        self.report(READY, 0, os.getpid())
        control = self.control.fileno()
        while True:
            ready, _, _ = select.select([control, woken], [], [])
            if woken in ready:
                os.read(woken, 4096)
                self.bury()
            if control in ready and not self.obey():
                return

    def end_children(self) -> None:
        for child in self.children:
            os.kill(child, signal.SIGKILL)

    def obey(self) -> bool:
        request, descriptors, _, _ = socket.recv_fds(self.control, REQUEST.size, 1)
        if len(request) < REQUEST.size or not descriptors:
            return False
        number, memory = REQUEST.unpack(request)
        try:
            child = os.fork()
        except OSError as error:
            self.report(REFUSED, number, -1, error.errno or 0)
        else:
            if child == 0:
                self.become_agent(descriptors[0], memory)
            self.children[child] = number
            self.report(STARTED, number, child)
        os.close(descriptors[0])
        return True

    def become_agent(self, descriptor: int, memory: int) -> NoReturn:
        """Never returns: whatever happens here ends the child.

        Descriptors in place of objects, and nothing that can be known before: every object that
        is looked at is a page that is shared no longer.
        """
        status = DEFECT
        try:
            os.close(self.control.detach())
            if _HAS_LIMITS:
                most = self.mapped + memory
                resource.setrlimit(resource.RLIMIT_AS, (most, most))
            work(descriptor)
            status = 0
        except MemoryError:
            status = OUT_OF_MEMORY
        except (BrokenPipeError, ConnectionResetError):
            status = 0
        finally:
            os._exit(status)

    def bury(self) -> None:
        while self.children:
            child, status = os.waitpid(-1, os.WNOHANG)
            if child == 0:
                return
            number = self.children.pop(child)
            self.report(ENDED, number, child, os.waitstatus_to_exitcode(status))

    def report(self, what: bytes, number: int, pid: int, status: int = 0) -> None:
        self.control.sendall(REPORT.pack(what, number, pid, status))


def _mapped_bytes() -> int:
    """What this process has mapped, and every process that is forked from it with it."""
    if not _HAS_LIMITS:
        return 0
    return int(Path("/proc/self/statm").read_bytes().split()[0]) * mmap.PAGESIZE
