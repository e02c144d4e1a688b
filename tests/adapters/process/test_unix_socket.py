"""The UNIX socket: for its owner alone, never in the place of one that answers."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from returns.result import Failure, Success

from caxton_adapters.process.refusals import SocketTaken, SocketUnusable
from caxton_adapters.process.unix_socket import LONGEST, UnixSocket, open_unix_socket


@contextmanager
def opened(path: Path) -> Iterator[UnixSocket]:
    result = open_unix_socket(path)
    assert isinstance(result, Success), result
    with result.unwrap().listener:
        yield result.unwrap()
        result.unwrap().close()


def refused(path: Path) -> SocketUnusable | SocketTaken:
    result = open_unix_socket(path)
    assert isinstance(result, Failure)
    return result.failure()


def connects(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(path)) == 0


def test_nobody_but_its_owner_may_open_it_whatever_the_umask_says(tmp_path: Path) -> None:
    usual = os.umask(0)
    try:
        with opened(tmp_path / "caxton.sock") as made:
            assert made.path.stat().st_mode & 0o777 == 0o600
            assert connects(made.path)
        assert os.umask(0) == 0
    finally:
        os.umask(usual)


def test_its_file_goes_with_it(tmp_path: Path) -> None:
    with opened(tmp_path / "caxton.sock") as made:
        assert made.url == f"unix://{made.path}"
    assert not made.path.exists()


def test_what_an_ended_server_left_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "caxton.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    assert path.is_socket()
    with opened(path):
        assert connects(path)


def test_a_server_that_answers_keeps_its_socket(tmp_path: Path) -> None:
    path = tmp_path / "caxton.sock"
    with opened(path):
        assert refused(path) == SocketTaken(path)
        assert connects(path)


def test_another_program_that_answers_keeps_its_socket(tmp_path: Path) -> None:
    path = tmp_path / "caxton.sock"
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        other.listen()
        assert refused(path) == SocketTaken(path)
        assert connects(path)


def test_what_is_no_socket_stays(tmp_path: Path) -> None:
    path = tmp_path / "caxton.sock"
    path.write_text("a letter")
    assert refused(path) == SocketUnusable(path, "what is there is no socket")
    assert path.read_text() == "a letter"


def test_what_somebody_put_in_its_place_stays(tmp_path: Path) -> None:
    with opened(tmp_path / "caxton.sock") as made:
        made.path.unlink()
        made.path.write_text("a letter")
    assert made.path.read_text() == "a letter"


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o1777])
def test_a_folder_that_others_may_write_is_refused(tmp_path: Path, mode: int) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(mode)
    why = refused(folder / "caxton.sock")
    assert why == SocketUnusable(
        folder / "caxton.sock", f"others may write its folder {folder.resolve()}"
    )


def test_a_folder_above_that_others_may_write_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "shared" / "mine"
    folder.mkdir(parents=True)
    folder.parent.chmod(0o777)
    why = refused(folder / "caxton.sock")
    assert isinstance(why, SocketUnusable)
    assert why.reason == f"others may write its folder {folder.parent.resolve()}"


def test_a_link_on_the_way_that_others_may_replace_is_refused(tmp_path: Path) -> None:
    mine, shared = tmp_path / "mine", tmp_path / "shared"
    mine.mkdir()
    shared.mkdir()
    (shared / "there").symlink_to(mine)
    shared.chmod(0o777)
    why = refused(shared / "there" / "caxton.sock")
    assert isinstance(why, SocketUnusable)
    assert why.reason == f"others may write its folder {shared.resolve()}"


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    why = refused(tmp_path / "nowhere" / "caxton.sock")
    assert isinstance(why, SocketUnusable)
    assert "nowhere: No such file" in why.reason


def test_a_path_that_is_too_long_is_told_with_the_longest(tmp_path: Path) -> None:
    path = tmp_path / ("x" * LONGEST)
    why = refused(path)
    assert isinstance(why, SocketUnusable)
    assert f"has {len(str(path))} bytes, and the longest of a socket has {LONGEST}" in why.reason
