"""The lean process from which agents' processes are forked: the core is loaded, nothing else is.

It obeys one socket. Every request is a memory limit, with one end of the new agent's socket passed
along; every answer tells of a process that began or ended. It never runs an agent's turn itself.
When its socket closes, the server is gone: it ends its children and itself.
"""

import gc
import os
import select
import signal
import socket
import struct
import sys
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

_HAS_LIMITS: Final = sys.platform.startswith("linux")

DEFECT: Final = 70
OUT_OF_MEMORY: Final = 137


def main(descriptor: int) -> None:
    """Serve the server at the other end of the socket until it closes."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    warm_up()
    gc.collect()
    gc.freeze()
    zygote = _Zygote(socket.socket(fileno=descriptor))
    try:
        zygote.serve()
    except (BrokenPipeError, ConnectionResetError):
        return
    finally:
        zygote.end_children()


@final
@define
class _Zygote:
    control: socket.socket
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
        """Never returns: whatever happens here ends the child."""
        status = DEFECT
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self.control.close()
            limit_memory(memory)
            work(socket.socket(fileno=descriptor))
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


def limit_memory(memory: int) -> None:
    """Let this process take so many bytes beyond what it has mapped already, where that works."""
    if not _HAS_LIMITS:
        return
    import resource  # noqa: PLC0415 - is not there on every platform; the worker has loaded it

    statm = os.open("/proc/self/statm", os.O_RDONLY)  # pathlib would touch half a megabyte
    mapped = int(os.read(statm, 128).split()[0]) * os.sysconf("SC_PAGE_SIZE")
    os.close(statm)
    resource.setrlimit(resource.RLIMIT_AS, (mapped + memory, mapped + memory))
