"""A server's claim on its machine: lock, sockets, PID file, log, and who waits for its words."""

import os
import socket
from collections.abc import Callable, MutableMapping
from contextlib import ExitStack
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, final

from attrs import field, frozen
from returns.result import Failure, Result, Success

from caxton_adapters.process import listening, lock, notify, pid_file
from caxton_adapters.process.certificate_place import CertificatePlace
from caxton_adapters.process.log import Log, LogFormat, LogLevel, open_log
from caxton_adapters.process.pid_file import Owner
from caxton_adapters.process.private import UMASK, leave_no_core_dump, make_directory
from caxton_adapters.process.readiness import ReadinessPipe, Ready, Refused
from caxton_adapters.process.refusals import (
    CertificateTrouble,
    LogUnusable,
    PublicInTheOpen,
    PublicWithoutToken,
    Sentences,
    StartRefusal,
)
from caxton_adapters.process.unix_socket import UnixSocket, open_unix_socket
from caxton_adapters.secrets import Secret

if TYPE_CHECKING:
    from caxton_adapters.process.certificate import Certificate

CANNOT_START = 6
LOG_NAME = "server.log"


def _now() -> datetime:
    return datetime.now(UTC)


@final
@frozen(kw_only=True)
class Wanted:
    """What a server asks of its machine; `log_file` absent means standard error.

    `behind_proxy` says that a proxy in front of the server encrypts what comes from elsewhere.
    """

    host: str
    port: int
    directory: Path
    token: Secret | None = None
    certificate: CertificatePlace | None = None
    behind_proxy: bool = False
    unix_socket: Path | None = None
    log_file: Path | None = None
    log_level: LogLevel = LogLevel.INFO
    log_format: LogFormat = LogFormat.AUTO
    secrets: tuple[Secret, ...] = ()


@final
@frozen(kw_only=True)
class ServerProcess:
    """What a running server holds; its forked children lose the locks, the sockets and the pipe."""

    directory: Path
    listener: socket.socket
    unix_socket: UnixSocket | None
    certificate: "Certificate | None"
    log: Log
    url: str
    started: datetime
    watchdog_period: float | None
    _lock: lock.DirectoryLock = field(alias="lock")
    _pipe: ReadinessPipe = field(alias="pipe")
    _supervisor: notify.Supervisor | None = field(alias="supervisor")
    _clock: Callable[[], datetime] = field(alias="clock", default=_now)

    @property
    def listeners(self) -> list[socket.socket]:
        """Where requests come in."""
        beside = self.unix_socket
        return [self.listener] if beside is None else [self.listener, beside.listener]

    def ready(self, agents: int = 0, providers: int = 0) -> None:
        """Tell everyone who waits that the server answers, and how many of these it has."""
        pid = os.getpid()
        since = self.started.isoformat(timespec="milliseconds")
        unix_socket = None if self.unix_socket is None else self.unix_socket.url
        owner = Owner(pid, self.url, version("caxton"), since, unix_socket)
        pid_file.write(self.directory, owner)
        took = round((self._clock() - self.started).total_seconds(), 3)
        beside = {} if unix_socket is None else {"socket": unix_socket}
        self.log.info("server.ready", url=self.url, **beside, pid=pid, startup_seconds=took)
        self._tell(READY=1, STATUS=f"answers at {self.url}", MAINPID=pid)
        doubt = "" if self.certificate is None else self.certificate.doubt
        self._pipe.say(Ready(self.url, pid, agents, providers, doubt))

    def refuse(self, sentences: Sentences) -> int:
        """Say why the server cannot start after all; the exit code to end with."""
        self.log.error("server.refused", code=sentences.code, reason=sentences.what)
        self._tell(STATUS=sentences.what, ERRNO=1)
        message = f"{sentences.what}\n  {sentences.why}"
        self._pipe.say(Refused(message, CANNOT_START, sentences.code, sentences.advice))
        return CANNOT_START

    def stopping(self, cause: str) -> None:
        """Say that the server drains and will end."""
        self.log.info("server.stopping", cause=cause, pid=os.getpid())
        self._tell(STOPPING=1, STATUS=f"stopping: {cause}")

    def alive(self) -> None:
        """A sign of life for the supervisor's watchdog."""
        self._tell(WATCHDOG=1)

    def close(self) -> None:
        """Give everything back, the lock last: whoever waits for it finds nothing left of us."""
        self._pipe.close()
        self.listener.close()
        if self.unix_socket is not None:
            self.unix_socket.close()
        pid_file.remove(self.directory)
        uptime = round((self._clock() - self.started).total_seconds(), 3)
        self.log.info("server.stopped", pid=os.getpid(), uptime_seconds=uptime)
        self._lock.release()

    def _tell(self, **facts: str | int) -> None:
        if self._supervisor is not None:
            self._supervisor.tell(**facts)


def claim(
    wanted: Wanted, pipe: ReadinessPipe, environ: MutableMapping[str, str]
) -> Result[ServerProcess, StartRefusal]:
    """Take what a server needs from the machine, or nothing of it and the reason."""
    os.umask(UMASK)
    leave_no_core_dump()
    started = _now()
    exposed = exposure(wanted)
    if exposed is not None:
        return Failure(exposed)
    shown = _certificate(wanted.certificate)
    if isinstance(shown, Failure):
        return shown
    made = make_directory(wanted.directory)
    if isinstance(made, Failure):
        return made
    locked = lock.take(wanted.directory)
    if isinstance(locked, Failure):
        return locked
    # What a killed server left names a process that may by now be anybody's.
    pid_file.remove(wanted.directory)
    opened = _open(wanted)
    if isinstance(opened, Failure):
        locked.unwrap().release()
        return opened
    listener, unix_socket, log = opened.unwrap()
    certificate = shown.unwrap()
    url = listening.url_of(listener, "http" if certificate is None else "https")
    log.info("server.starting", url=url, pid=os.getpid(), directory=str(wanted.directory))
    if certificate is not None:
        certificate.tell(log, "tls.certificate")
    supervisor, period = notify.take_from(environ, os.getpid())
    return Success(
        ServerProcess(
            directory=wanted.directory,
            listener=listener,
            unix_socket=unix_socket,
            certificate=certificate,
            log=log,
            url=url,
            started=started,
            watchdog_period=period,
            lock=locked.unwrap(),
            pipe=pipe,
            supervisor=supervisor,
        )
    )


def exposure(wanted: Wanted) -> PublicWithoutToken | PublicInTheOpen | None:
    """Why the server must not listen where it would, if others can reach it there."""
    if listening.is_loopback(wanted.host):
        return None
    if wanted.token is None:
        return PublicWithoutToken(wanted.host)
    if wanted.certificate is None and not wanted.behind_proxy:
        return PublicInTheOpen(wanted.host)
    return None


def _certificate(
    place: CertificatePlace | None,
) -> Result["Certificate | None", CertificateTrouble]:
    if place is None:
        return Success(None)
    from caxton_adapters.process.certificate import open_certificate  # noqa: PLC0415 (loads ssl)

    return open_certificate(place)


def _open(
    wanted: Wanted,
) -> Result[tuple[socket.socket, UnixSocket | None, Log], StartRefusal]:
    """Both sockets and the log, or none of them."""
    with ExitStack() as undo:
        bound = listening.bind(wanted.host, wanted.port)
        if isinstance(bound, Failure):
            return bound
        undo.callback(bound.unwrap().close)
        unix_socket = _unix_socket(wanted.unix_socket)
        if isinstance(unix_socket, Failure):
            return unix_socket
        if (beside := unix_socket.unwrap()) is not None:
            undo.callback(beside.close)
        try:
            log = open_log(wanted.log_file, wanted.log_level, wanted.log_format, wanted.secrets)
        except OSError as error:
            path = wanted.log_file or Path("standard error")
            return Failure(LogUnusable(path, error.strerror or str(error)))
        undo.pop_all()
        return Success((bound.unwrap(), beside, log))


def _unix_socket(path: Path | None) -> Result[UnixSocket | None, StartRefusal]:
    return Success(None) if path is None else open_unix_socket(path)
