"""Where the server's certificate and its key are; what is read from there is in `certificate`."""

from pathlib import Path
from typing import final

from attrs import frozen


@final
@frozen
class CertificatePlace:
    """Two files in PEM form; one file may hold both."""

    certificate: Path
    key: Path
