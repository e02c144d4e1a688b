import os
import signal
import subprocess
import sys
from pathlib import Path

from returns.result import Failure, Success

from caxton_adapters.process import lock, pid_file
from caxton_adapters.process.pid_file import Owner
from caxton_adapters.process.refusals import DirectoryLocked, DirectoryUnusable

HOLDER = """
import sys, time, pathlib
from caxton_adapters.process import lock
taken = lock.take(pathlib.Path(sys.argv[1]))
print("held", flush=True)
time.sleep(60)
"""


def holder(directory: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(directory)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_server_is_told_who_is_first(tmp_path: Path) -> None:
    with holder(tmp_path) as first:
        pid_file.write(tmp_path, Owner(first.pid, "http://127.0.0.1:1", "0.8.0", "now"))
        refused = lock.take(tmp_path)
        first.kill()
    assert isinstance(refused, Failure)
    assert refused.failure() == DirectoryLocked(tmp_path, first.pid, "http://127.0.0.1:1")


def test_the_death_of_the_holder_frees_the_directory(tmp_path: Path) -> None:
    with holder(tmp_path) as first:
        assert lock.is_held(tmp_path)
        first.send_signal(signal.SIGKILL)
    assert not lock.is_held(tmp_path)
    assert isinstance(lock.take(tmp_path), Success)


def test_a_forked_child_does_not_keep_the_lock_of_its_parent(tmp_path: Path) -> None:
    taken = lock.take(tmp_path)
    assert isinstance(taken, Success)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.read(reading, 1)
        os._exit(0)
    taken.unwrap().release()
    try:
        assert isinstance(lock.take(tmp_path), Success)
    finally:
        os.write(writing, b"x")
        os.waitpid(child, 0)
        os.close(reading)
        os.close(writing)


def test_a_stale_pid_file_is_no_obstacle(tmp_path: Path) -> None:
    pid_file.write(tmp_path, Owner(os.getpid(), "http://127.0.0.1:1", "0.8.0", "long ago"))
    assert isinstance(lock.take(tmp_path), Success)


def test_a_released_lock_can_be_taken_again(tmp_path: Path) -> None:
    first = lock.take(tmp_path)
    assert isinstance(first, Success)
    first.unwrap().release()
    assert isinstance(lock.take(tmp_path), Success)


def test_a_directory_without_a_lock_file_is_not_held(tmp_path: Path) -> None:
    assert not lock.is_held(tmp_path)


def test_a_directory_that_takes_no_file_is_told(tmp_path: Path) -> None:
    refused = lock.take(tmp_path / "missing")
    assert isinstance(refused, Failure)
    assert isinstance(refused.failure(), DirectoryUnusable)
