"""Why a server cannot start: facts, and one function that turns them into sentences."""

from pathlib import Path
from typing import ClassVar, TypeAlias, final

from attrs import frozen

HIGHEST_PORT = 65535


@final
@frozen
class DirectoryLocked:
    """Another server works in the data directory."""

    code: ClassVar[str] = "CX2101"
    path: Path
    pid: int | None
    url: str | None


@final
@frozen
class DirectoryUnusable:
    """The data directory cannot be made, read or written."""

    code: ClassVar[str] = "CX2102"
    path: Path
    reason: str


@final
@frozen
class PortTaken:
    """Something else listens on the port; its PID where the operating system shows it to us."""

    code: ClassVar[str] = "CX2103"
    host: str
    port: int
    pid: int | None


@final
@frozen
class AddressUnusable:
    """The address does not belong to this machine, or may not be bound by this user."""

    code: ClassVar[str] = "CX2104"
    host: str
    port: int
    reason: str


@final
@frozen
class PublicWithoutToken:
    """The server would answer the network without asking who calls."""

    code: ClassVar[str] = "CX2105"
    host: str


@final
@frozen
class LogUnusable:
    """The log file cannot be opened for writing."""

    code: ClassVar[str] = "CX2106"
    path: Path
    reason: str


@final
@frozen
class SettingsUnreadable:
    """A settings file that was named, or that stands in its usual place, cannot be read."""

    code: ClassVar[str] = "CX2107"
    path: Path
    reason: str


StartRefusal: TypeAlias = (
    DirectoryLocked
    | DirectoryUnusable
    | PortTaken
    | AddressUnusable
    | PublicWithoutToken
    | LogUnusable
    | SettingsUnreadable
)


@final
@frozen
class Sentences:
    """A refusal in words: what happened, why it matters, what to do about it."""

    code: str
    what: str
    why: str
    advice: str


def in_words(refusal: StartRefusal) -> Sentences:
    """The refusal as an operator reads it."""
    match refusal:
        case DirectoryLocked(path, pid, url):
            return _locked(path, pid, url)
        case DirectoryUnusable(path, reason):
            return Sentences(
                refusal.code,
                f"the data directory {path} cannot be used: {reason}",
                "agents, conversations and the lock of the server are kept there",
                "give it to this user, or name another one with --data-dir or CAXTON_DATA_DIR",
            )
        case PortTaken(host, port, pid):
            holder = "" if pid is None else f" by the process with PID {pid}"
            return Sentences(
                refusal.code,
                f"port {port} of {host} is in use{holder}",
                "one address can be answered by one program only",
                f"choose another one with --port {_another(port)}"
                " (--port 0 takes a free one), or stop the other program",
            )
        case AddressUnusable(host, port, reason):
            return Sentences(
                refusal.code,
                f"cannot listen on {host}:{port}: {reason}",
                "a server can only answer at an address of this machine that its user may use",
                "use --host 127.0.0.1 and a port above 1023",
            )
        case PublicWithoutToken(host):
            return Sentences(
                refusal.code,
                f"{host} is reachable from the network, and no token is set",
                "whoever reaches the server could run agents and spend your money",
                "set CAXTON_API_TOKEN (or CAXTON_API_TOKEN_FILE), or listen on 127.0.0.1",
            )
        case LogUnusable(path, reason):
            return Sentences(
                refusal.code,
                f"the log file {path} cannot be written: {reason}",
                "a server without a log cannot be looked after",
                "give it to this user, or name another one with [logging] file or CAXTON_LOG_FILE",
            )
        case SettingsUnreadable(path, reason):
            return Sentences(
                refusal.code,
                f"the settings {path} cannot be read: {reason}",
                "a server that ignores its settings would do what nobody asked for",
                "correct the path (--config, CAXTON_CONFIG), or let this user read the file",
            )


def _locked(path: Path, pid: int | None, url: str | None) -> Sentences:
    known = [f"PID {pid}"] if pid is not None else []
    known += [url] if url is not None else []
    holder = f" ({', '.join(known)})" if known else ""
    return Sentences(
        DirectoryLocked.code,
        f"a server is already running in {path}{holder}",
        "two servers in one data directory would overwrite each other's work",
        "use it, end it with `caxton server stop`, or start this one with another --data-dir",
    )


def _another(port: int) -> int:
    return port + 1 if port < HIGHEST_PORT else port - 1
