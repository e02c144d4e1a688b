from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caxton_adapters.process import pid_file
from caxton_adapters.process.pid_file import Owner

OWNER = Owner(17, "http://127.0.0.1:8080", "0.8.0", "2026-11-22T12:00:00+00:00")


def test_who_wrote_the_file_is_read_from_it(tmp_path: Path) -> None:
    pid_file.write(tmp_path, OWNER)
    assert pid_file.read(tmp_path) == OWNER
    assert (tmp_path / pid_file.FILE_NAME).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", ["", "{", "17", '{"pid": "17"}', "[]", "\0"])
def test_a_damaged_file_says_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / pid_file.FILE_NAME).write_text(text)
    assert pid_file.read(tmp_path) is None


@given(content=st.binary(max_size=60))
def test_reading_never_raises(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    directory = tmp_path_factory.mktemp("pid")
    (directory / pid_file.FILE_NAME).write_bytes(content)
    pid_file.read(directory)


def test_a_file_is_removed_once_and_again(tmp_path: Path) -> None:
    pid_file.write(tmp_path, OWNER)
    pid_file.remove(tmp_path)
    pid_file.remove(tmp_path)
    assert pid_file.read(tmp_path) is None
