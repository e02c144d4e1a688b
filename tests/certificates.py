"""Certificates for servers under test, in files as an operator has them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import final

import trustme
from attrs import frozen


@final
@frozen
class Files:
    """An authority, and what it gave to a server."""

    authority: Path
    certificate: Path
    key: Path

    def flags(self) -> tuple[str, ...]:
        """What tells `caxton server start` of them."""
        return "--tls-certificate", str(self.certificate), "--tls-key", str(self.key)

    def trust(self) -> dict[str, str]:
        """What tells a command whom to trust."""
        return {"CAXTON_CA_FILE": str(self.authority)}


def issued(
    folder: Path,
    *names: str,
    authority: trustme.CA | None = None,
    ends: timedelta = timedelta(days=30),
) -> Files:
    """A certificate for the names, else for this machine, which ends after so long."""
    authority = authority or trustme.CA()
    now = datetime.now(UTC)
    leaf = authority.issue_cert(
        *(names or ("127.0.0.1", "localhost")),
        not_before=now - timedelta(days=60),
        not_after=now + ends,
    )
    files = Files(folder / "authority.pem", folder / "certificate.pem", folder / "key.pem")
    authority.cert_pem.write_to_path(str(files.authority))
    write(leaf, files)
    return files


def write(leaf: trustme.LeafCert, files: Files) -> None:
    """Put a certificate and its key in the place of those before."""
    files.key.unlink(missing_ok=True)
    files.key.touch(mode=0o600)
    files.key.write_bytes(leaf.private_key_pem.bytes())
    files.certificate.write_bytes(b"".join(each.bytes() for each in leaf.cert_chain_pems))
