from pathlib import Path

import pytest
from returns.result import Failure, Success

from caxton_adapters.key_sources import SecretPlace, UnreadableSecret, find_secret

PLACE = SecretPlace("SOME_KEY", "some-key", "from settings")


def found(environ: dict[str, str], place: SecretPlace = PLACE) -> tuple[str, str] | None:
    result = find_secret(place, environ, keyring=False)
    assert isinstance(result, Success)
    secret = result.unwrap()
    return None if secret is None else (secret.secret.reveal(), secret.source)


def test_the_environment_comes_first(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("from file\n")
    environ = {"SOME_KEY": "from variable", "SOME_KEY_FILE": str(file)}
    assert found(environ) == ("from variable", "SOME_KEY")
    assert found({"SOME_KEY_FILE": str(file)}) == ("from file", "SOME_KEY_FILE")


def test_settings_stand_above_systemds_credentials(tmp_path: Path) -> None:
    (tmp_path / "some-key").write_text("from systemd")
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert found(environ) == ("from settings", "settings")
    unwritten = SecretPlace("SOME_KEY", "some-key")
    assert found(environ, unwritten) == ("from systemd", "systemd credential some-key")


def test_nowhere_is_no_failure() -> None:
    assert found({}, SecretPlace("SOME_KEY", "some-key")) is None


def test_an_empty_variable_says_nothing() -> None:
    assert found({"SOME_KEY": ""}) == ("from settings", "settings")


@pytest.mark.parametrize("content", [None, b"", b"  \n", b"\xff"])
def test_a_file_without_a_secret_is_told(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "key"
    if content is not None:
        file.write_bytes(content)
    result = find_secret(PLACE, {"SOME_KEY_FILE": str(file)})
    assert isinstance(result, Failure)
    assert isinstance(result.failure(), UnreadableSecret)


def test_a_secret_never_appears_in_what_was_found() -> None:
    result = find_secret(PLACE, {"SOME_KEY": "canary"})
    assert "canary" not in repr(result)
