"""The server's certificate and key: read, tried, and shown to whoever connects.

Files that somebody renews are noticed, so that a new certificate needs no restart.
"""

import errno
import os
import re
import ssl
import stat
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol, TypeAlias, final

import anyio
from anyio import to_thread
from attrs import frozen
from returns.result import Failure, Result, Success

from caxton_adapters.process.certificate_place import CertificatePlace
from caxton_adapters.process.refusals import (
    CertificateTrouble,
    CertificateUnusable,
    KeyUnprotected,
    KeyUnusable,
)

_BETWEEN_LOOKS: Final = 2.0
_LARGEST: Final = 1024 * 1024
_FLIGHTS: Final = 4
_ANYBODY_ELSE: Final = stat.S_IRWXG | stat.S_IRWXO
_GROUP_MAY_READ: Final = stat.S_IRGRP
_CERTIFICATE: Final = re.compile(
    "-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----", re.ASCII
)
_OF_CERTIFICATE: Final = {
    "EE_KEY_TOO_SMALL": "its key is too small to be trusted",
    "CA_MD_TOO_WEAK": "it is signed in a way that is too weak to be trusted",
}
_OF_KEY: Final = {"KEY_VALUES_MISMATCH": "it belongs to another certificate"}

Signature: TypeAlias = tuple[tuple[int, int, int] | None, ...]


class Log(Protocol):
    """Where it is told what became of files that were renewed."""

    def info(self, event: str, **facts: object) -> None:
        """What somebody may want to know later."""
        ...

    def warning(self, event: str, **facts: object) -> None:
        """What somebody should look at."""
        ...


@final
@frozen
class Doubt:
    """Why clients will not accept a certificate that is whole: it has ended, most likely."""

    why: str


@final
@frozen
class Validity:
    """From when until when a certificate holds."""

    begins: datetime
    ends: datetime


@final
@frozen
class Pair:
    """A certificate with its key, ready to be shown."""

    context: ssl.SSLContext
    holds: Validity | Doubt


class _PasswordNeeded(Exception):
    """The key has a password."""


@final
class Certificate:
    """What a server shows; `context` is for its listener, and always shows the newest pair."""

    def __init__(self, place: CertificatePlace, pair: Pair, seen: Signature) -> None:
        self.place = place
        self.pair = pair
        self.context = pair.context
        self._seen = seen
        self.context.sni_callback = self._show

    @property
    def doubt(self) -> str:
        """Why clients will not accept it; empty where they will."""
        holds = self.pair.holds
        return holds.why if isinstance(holds, Doubt) else ""

    async def watch(self, log: Log) -> None:
        """Take over what is written into the files, until cancelled; what is wrong is told."""
        while True:
            await anyio.sleep(_BETWEEN_LOOKS)
            await to_thread.run_sync(self.refresh, log)

    def refresh(self, log: Log) -> None:
        """Read the files again if they are others now; what is wrong with them changes nothing."""
        seen = _signature(self.place)
        if seen == self._seen:
            return
        self._seen = seen
        fresh = read(self.place)
        if isinstance(fresh, Failure):
            why = fresh.failure()
            log.warning("tls.not_renewed", code=why.code, path=str(why.path), reason=why.reason)
        else:
            self.pair = fresh.unwrap()
            self.tell(log, "tls.renewed")

    def tell(self, log: Log, event: str) -> None:
        """Say what is shown, and until when it holds."""
        path = str(self.place.certificate)
        match self.pair.holds:
            case Validity(_, ends):
                log.info(event, path=path, ends=ends.isoformat())
            case Doubt(why):
                log.warning(event, path=path, doubt=why)

    def _show(self, connection: ssl.SSLObject, _: str | None, __: ssl.SSLContext) -> None:
        """Called in each handshake, whether the client names a host or not."""
        if self.pair.context is not self.context:
            connection.context = self.pair.context


def open_certificate(place: CertificatePlace) -> Result[Certificate, CertificateTrouble]:
    """The certificate of a server, or why it cannot be used."""
    seen = _signature(place)
    return read(place).map(lambda pair: Certificate(place, pair, seen))


def read(place: CertificatePlace) -> Result[Pair, CertificateTrouble]:
    """The certificate and its key as they are in their files now."""
    certificates = _certificates(place.certificate)
    if isinstance(certificates, Failure):
        return certificates
    key = _protected(place.key)
    if isinstance(key, Failure):
        return key
    context = _server_side()
    try:
        context.load_cert_chain(place.certificate, place.key, _nobody_to_ask)
    except _PasswordNeeded:
        return Failure(KeyUnusable(place.key, "it has a password, and nobody is there to give it"))
    except OSError as error:
        return Failure(_at_fault(place, error))
    return Success(Pair(context, _tried(context, certificates.unwrap())))


def _certificates(path: Path) -> Result[str, CertificateUnusable]:
    """What the file has of certificates, without what stands between them."""
    try:
        _, content = _read(path)
    except OSError as error:
        return Failure(CertificateUnusable(path, error.strerror or str(error)))
    found = "\n".join(_CERTIFICATE.findall(content.decode("ascii", "replace")))
    if not found:
        return Failure(CertificateUnusable(path, "it holds no certificate in PEM form"))
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=found)
    except ssl.SSLError:
        return Failure(CertificateUnusable(path, "what it holds as a certificate is none"))
    return Success(found)


def _protected(path: Path) -> Result[None, KeyUnusable | KeyUnprotected]:
    """Whether nobody else can read the key; the group of one that belongs to root may."""
    try:
        known, _ = _read(path)
    except OSError as error:
        return Failure(KeyUnusable(path, error.strerror or str(error)))
    if known.st_uid not in (0, os.geteuid()):
        reason = f"it belongs to the user {known.st_uid}"
        return Failure(KeyUnprotected(path, reason, f"chown {os.geteuid()} {path}"))
    allowed = _GROUP_MAY_READ if known.st_uid == 0 else 0
    if known.st_mode & _ANYBODY_ELSE & ~allowed:
        reason = f"its mode is {stat.S_IMODE(known.st_mode):04o}"
        return Failure(KeyUnprotected(path, reason, f"chmod 600 {path}"))
    return Success(None)


def _read(path: Path) -> tuple[os.stat_result, bytes]:
    """What the file is, and what it holds; raises `OSError`."""
    # Whoever opens a pipe waits for its writer, unless told not to.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        known = os.fstat(descriptor)
        if not stat.S_ISREG(known.st_mode):
            raise OSError(errno.EINVAL, "it is not a file")
        return known, file.read(_LARGEST)


def _server_side() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(["http/1.1"])
    return context


def _nobody_to_ask() -> str:
    raise _PasswordNeeded


def _at_fault(place: CertificatePlace, error: OSError) -> CertificateUnusable | KeyUnusable:
    """Which of the two files made OpenSSL refuse the pair; the certificates can be read."""
    known = getattr(error, "reason", None) or ""
    if known in _OF_CERTIFICATE:
        return CertificateUnusable(place.certificate, _OF_CERTIFICATE[known])
    return KeyUnusable(place.key, _OF_KEY.get(known, "it holds no key in PEM form"))


def _tried(context: ssl.SSLContext, certificates: str) -> Validity | Doubt:
    """Until when the certificate holds, or what a client that trusts it has against it."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    client.load_verify_locations(cadata=certificates)
    try:
        shown = _shaken_hands(client, context)
    except ssl.SSLCertVerificationError as error:
        return Doubt(error.verify_message)
    except ssl.SSLError as error:
        return Doubt(error.reason or str(error))
    return Validity(_time(shown["notBefore"]), _time(shown["notAfter"]))


def _time(written: object) -> datetime:
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(written)), UTC)


def _shaken_hands(client: ssl.SSLContext, server: ssl.SSLContext) -> dict[str, object]:
    """What the server shows the client, in memory; raises what the client has against it."""
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = (client.wrap_bio(back, there), server.wrap_bio(there, back, server_side=True))
    for _ in range(_FLIGHTS):
        for side in sides:
            with suppress(ssl.SSLWantReadError):
                side.do_handshake()
    return dict(sides[0].getpeercert() or {})


def _signature(place: CertificatePlace) -> Signature:
    return tuple(map(_signature_of, (place.certificate, place.key)))


def _signature_of(path: Path) -> tuple[int, int, int] | None:
    try:
        known = path.stat()
    except OSError:
        return None
    return known.st_ino, known.st_mtime_ns, known.st_size
