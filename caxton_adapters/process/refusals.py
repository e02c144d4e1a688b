"""Why a server cannot start: facts, and their sentences from the table of codes."""

from pathlib import Path
from typing import ClassVar, TypeAlias, final

from attrs import asdict, frozen

from caxton_core.codes.catalogue import EXPLANATIONS

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
class PublicInTheOpen:
    """The server would talk with the network, and everybody on the way could read it."""

    code: ClassVar[str] = "CX2113"
    host: str


@final
@frozen
class CertificateUnusable:
    """The certificate of the server cannot be read, or is none."""

    code: ClassVar[str] = "CX2114"
    path: Path
    reason: str


@final
@frozen
class KeyUnusable:
    """The key of the certificate cannot be read, is none, or is that of another certificate."""

    code: ClassVar[str] = "CX2115"
    path: Path
    reason: str


@final
@frozen
class KeyUnprotected:
    """Others can read the key of the certificate; `fix` is what to do about it."""

    code: ClassVar[str] = "CX2116"
    path: Path
    reason: str
    fix: str


@final
@frozen
class SocketUnusable:
    """The UNIX socket cannot be made where it is wanted, or not safely."""

    code: ClassVar[str] = "CX2117"
    path: Path
    reason: str


@final
@frozen
class SocketTaken:
    """Something answers at the UNIX socket."""

    code: ClassVar[str] = "CX2118"
    path: Path


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


@final
@frozen
class DatabaseUnusable:
    """The database in the data directory cannot be opened."""

    code: ClassVar[str] = "CX2108"
    path: Path
    reason: str


@final
@frozen
class DatabaseInUse:
    """Another server has the database, from whichever data directory."""

    code: ClassVar[str] = "CX2112"
    path: Path


@final
@frozen
class ScenarioUnusable:
    """The scenario of a scripted provider cannot be read or has problems."""

    code: ClassVar[str] = "CX2109"
    provider: str
    path: Path
    reason: str


@final
@frozen
class ToolLockUnusable:
    """The file with the approved definitions of tools cannot be read or has problems."""

    code: ClassVar[str] = "CX3033"
    path: Path
    reason: str


CertificateTrouble: TypeAlias = CertificateUnusable | KeyUnusable | KeyUnprotected
StartRefusal: TypeAlias = (
    DirectoryLocked
    | DirectoryUnusable
    | PortTaken
    | AddressUnusable
    | PublicWithoutToken
    | PublicInTheOpen
    | CertificateTrouble
    | SocketUnusable
    | SocketTaken
    | LogUnusable
    | SettingsUnreadable
    | DatabaseUnusable
    | DatabaseInUse
    | ScenarioUnusable
    | ToolLockUnusable
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
    explained = EXPLANATIONS[refusal.code]
    facts = _facts(refusal)
    return Sentences(
        refusal.code,
        explained.message.format_map(facts),
        explained.why.format_map(facts),
        explained.advice.format_map(facts),
    )


def _facts(refusal: StartRefusal) -> dict[str, object]:
    facts: dict[str, object] = asdict(refusal, recurse=False)
    match refusal:
        case DirectoryLocked(_, pid, url):
            known = [f"PID {pid}"] if pid is not None else []
            known += [url] if url is not None else []
            return {**facts, "holder": f" ({', '.join(known)})" if known else ""}
        case PortTaken(_, port, pid):
            holder = "" if pid is None else f" by the process with PID {pid}"
            another = port + 1 if port < HIGHEST_PORT else port - 1
            return {**facts, "holder": holder, "another": another}
        case (
            DirectoryUnusable()
            | AddressUnusable()
            | PublicWithoutToken()
            | PublicInTheOpen()
            | CertificateUnusable()
            | KeyUnusable()
            | KeyUnprotected()
            | SocketUnusable()
            | SocketTaken()
            | LogUnusable()
            | SettingsUnreadable()
            | DatabaseUnusable()
            | DatabaseInUse()
            | ScenarioUnusable()
            | ToolLockUnusable()
        ):
            return facts
