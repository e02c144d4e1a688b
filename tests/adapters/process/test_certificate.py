"""The server's certificate: what is refused, what is doubted, and how it is renewed."""

import os
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from attrs import define, field
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from returns.result import Failure, Success

from caxton_adapters.process.certificate import Certificate, Validity, open_certificate
from caxton_adapters.process.certificate_place import CertificatePlace
from caxton_adapters.process.refusals import CertificateTrouble, in_words
from tests.certificates import Files, issued, write


@define
class Told:
    """A log that remembers."""

    events: list[tuple[str, dict[str, object]]] = field(factory=list)

    def info(self, event: str, **facts: object) -> None:
        self.events.append((event, facts))

    warning = info


def place(files: Files) -> CertificatePlace:
    return CertificatePlace(files.certificate, files.key)


def opened(files: Files) -> Certificate:
    result = open_certificate(place(files))
    assert isinstance(result, Success), result
    return result.unwrap()


def refused(files: Files) -> CertificateTrouble:
    result = open_certificate(place(files))
    assert isinstance(result, Failure)
    return result.failure()


def shown(certificate: Certificate, *, newest: ssl.TLSVersion | None = None) -> bytes:
    """The certificate that a client gets to see, whoever vouches for it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if newest is not None:
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.maximum_version = newest
        context.set_ciphers("ALL:@SECLEVEL=0")
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(back, there)
    server = certificate.context.wrap_bio(there, back, server_side=True)
    for _ in range(4):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return client.getpeercert(binary_form=True) or b""


def first_of(files: Files) -> bytes:
    return ssl.PEM_cert_to_DER_cert(files.certificate.read_text())


def test_a_pair_is_shown_and_told_with_its_end(tmp_path: Path) -> None:
    files, log = issued(tmp_path), Told()
    certificate = opened(files)
    certificate.tell(log, "tls.certificate")
    assert shown(certificate) == first_of(files)
    holds = certificate.pair.holds
    assert isinstance(holds, Validity)
    assert timedelta(days=29) < holds.ends - datetime.now(UTC) < timedelta(days=31)
    assert log.events == [
        ("tls.certificate", {"path": str(files.certificate), "ends": holds.ends.isoformat()})
    ]


def test_one_file_may_hold_both(tmp_path: Path) -> None:
    files = issued(tmp_path)
    files.key.write_bytes(files.key.read_bytes() + files.certificate.read_bytes())
    both = Files(files.authority, files.key, files.key)
    assert shown(opened(both)) == first_of(files)


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_what_is_older_than_tls_1_2_is_not_spoken(tmp_path: Path, newest: ssl.TLSVersion) -> None:
    with pytest.raises(ssl.SSLError):
        shown(opened(issued(tmp_path)), newest=newest)


def missing_certificate(files: Files) -> None:
    files.certificate.unlink()


def no_certificate(files: Files) -> None:
    files.certificate.write_text("nothing of the kind")


def broken_certificate(files: Files) -> None:
    text = files.certificate.read_text()
    files.certificate.write_text(text.replace("MII", "MIX", 1))


def missing_key(files: Files) -> None:
    files.key.unlink()


def no_key(files: Files) -> None:
    files.key.write_text("nothing of the kind")


def another_key(files: Files) -> None:
    files.key.write_bytes(trustme.CA().issue_cert("other.test").private_key_pem.bytes())


def key_with_a_password(files: Files) -> None:
    key = load_pem_private_key(files.key.read_bytes(), None)
    files.key.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    )


def pipe_for_a_key(files: Files) -> None:
    files.key.unlink()
    os.mkfifo(files.key, 0o600)


def key_for_everybody(files: Files) -> None:
    files.key.chmod(0o644)


@pytest.mark.parametrize(
    ("spoil", "code", "named", "why"),
    [
        (missing_certificate, "CX2114", "certificate.pem", "No such file"),
        (no_certificate, "CX2114", "certificate.pem", "no certificate in PEM form"),
        (broken_certificate, "CX2114", "certificate.pem", "as a certificate is none"),
        (missing_key, "CX2115", "key.pem", "No such file"),
        (no_key, "CX2115", "key.pem", "no key in PEM form"),
        (pipe_for_a_key, "CX2115", "key.pem", "it is not a file"),
        (another_key, "CX2115", "key.pem", "belongs to another certificate"),
        (key_with_a_password, "CX2115", "key.pem", "has a password"),
        (key_for_everybody, "CX2116", "key.pem", "its mode is 0644"),
    ],
)
def test_what_cannot_be_used_is_named_with_the_reason(
    tmp_path: Path, spoil: Callable[[Files], None], code: str, named: str, why: str
) -> None:
    files = issued(tmp_path)
    spoil(files)
    words = in_words(refused(files))
    assert words.code == code
    assert named in words.what
    assert why in words.what


def test_a_certificate_that_has_ended_is_doubted(tmp_path: Path) -> None:
    log = Told()
    certificate = opened(issued(tmp_path, ends=timedelta(days=-1)))
    certificate.tell(log, "tls.certificate")
    assert log.events[0][1]["doubt"] == "certificate has expired"


def test_a_renewed_certificate_is_shown_from_then_on(tmp_path: Path) -> None:
    files, log, authority = issued(tmp_path), Told(), trustme.CA()
    certificate = opened(files)
    before = shown(certificate)
    certificate.refresh(log)
    assert (shown(certificate), log.events) == (before, [])
    write(authority.issue_cert("127.0.0.1"), files)
    certificate.refresh(log)
    assert shown(certificate) == first_of(files) != before
    assert [event for event, _ in log.events] == ["tls.renewed"]


def test_half_of_a_renewal_changes_nothing_and_is_told(tmp_path: Path) -> None:
    files, log = issued(tmp_path), Told()
    certificate = opened(files)
    before, key = shown(certificate), files.key.read_bytes()
    write(trustme.CA().issue_cert("127.0.0.1"), files)
    fresh = files.key.read_bytes()
    files.key.write_bytes(key)
    certificate.refresh(log)
    certificate.refresh(log)
    assert shown(certificate) == before
    assert [(event, facts["code"]) for event, facts in log.events] == [
        ("tls.not_renewed", "CX2115")
    ]
    files.key.write_bytes(fresh)
    certificate.refresh(log)
    assert shown(certificate) == first_of(files)
