"""Where a secret is looked for: environment, file, settings, systemd's credentials, OS keyring."""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import final

from attrs import frozen
from returns.result import Failure, Result, Success

from caxton_adapters.secrets import Secret

KEYRING_SERVICE = "caxton"
IN_SETTINGS = "settings"


@final
@frozen
class FoundSecret:
    """A secret, and in words where it was found."""

    secret: Secret
    source: str


@final
@frozen
class UnreadableSecret:
    """A file that should hold a secret and cannot be read, or is empty."""

    named_by: str
    path: Path
    reason: str


@final
@frozen
class SecretPlace:
    """Where one secret may stand.

    `variable` (or `variable` with `_FILE`) is its environment variable, `credential` its name for
    systemd and the keyring, `written` what the settings say.
    """

    variable: str
    credential: str
    written: str | None = None


SecretResult = Result[FoundSecret | None, UnreadableSecret]


def find_secret(
    place: SecretPlace, environ: Mapping[str, str], *, keyring: bool = True
) -> SecretResult:
    """The secret from the first place that has it; None where no place does."""
    if environ.get(place.variable):
        return Success(FoundSecret(Secret(environ[place.variable].strip()), place.variable))
    pointer = f"{place.variable}_FILE"
    if environ.get(pointer):
        return _from_file(Path(environ[pointer]), pointer)
    if place.written:
        return Success(FoundSecret(Secret(place.written), IN_SETTINGS))
    credential = Path(environ.get("CREDENTIALS_DIRECTORY", "/nonexistent"), place.credential)
    if credential.is_file():
        return _from_file(credential, f"systemd credential {place.credential}")
    return Success(_from_keyring(place.credential) if keyring else None)


def _from_file(path: Path, named_by: str) -> SecretResult:
    try:
        text = path.read_text("utf-8").strip()
    except OSError as error:
        return Failure(UnreadableSecret(named_by, path, error.strerror or str(error)))
    except UnicodeDecodeError:
        return Failure(UnreadableSecret(named_by, path, "it is not text"))
    if not text:
        return Failure(UnreadableSecret(named_by, path, "it is empty"))
    return Success(FoundSecret(Secret(text), named_by))


def _from_keyring(credential: str) -> FoundSecret | None:
    if find_spec("keyring") is None:
        return None
    from keyring import get_password  # noqa: PLC0415 - an extra
    from keyring.errors import KeyringError  # noqa: PLC0415 - an extra

    try:
        text = get_password(KEYRING_SERVICE, credential)
    except KeyringError:
        # No keyring on this machine, or a locked one: the same as having no key in it.
        return None
    return FoundSecret(Secret(text), "OS keyring") if text else None
