import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from caxton_adapters.process import notify


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(str(tmp_path / "notify"))
        channel.settimeout(5)
        yield channel


def test_facts_arrive_as_lines(supervisor: socket.socket) -> None:
    told, _ = notify.take_from({"NOTIFY_SOCKET": supervisor.getsockname()}, 1)
    assert told is not None
    told.tell(READY=1, STATUS="answers at http://x")
    assert supervisor.recv(1000) == b"READY=1\nSTATUS=answers at http://x"


def test_an_abstract_socket_is_understood() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind("\0caxton-test-notify")
        channel.settimeout(5)
        notify.Supervisor("@caxton-test-notify").tell(STOPPING=1)
        assert channel.recv(100) == b"STOPPING=1"


def test_a_supervisor_that_is_gone_is_no_failure(tmp_path: Path) -> None:
    notify.Supervisor(str(tmp_path / "nobody")).tell(READY=1)


def test_what_is_meant_for_us_is_not_inherited_by_children() -> None:
    environ = {"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "1", "WATCHDOG_PID": "1", "PATH": "/bin"}
    notify.take_from(environ, 1)
    assert environ == {"PATH": "/bin"}


@pytest.mark.parametrize(
    ("microseconds", "pid", "period"),
    [
        ("30000000", "7", 15.0),
        ("30000000", "8", None),
        ("0", "7", None),
        ("soon", "7", None),
        ("", "7", None),
    ],
)
def test_the_watchdog_is_fed_twice_in_its_time(
    microseconds: str, pid: str, period: float | None
) -> None:
    environ = {"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": microseconds, "WATCHDOG_PID": pid}
    assert notify.take_from(environ, 7)[1] == period


@pytest.mark.parametrize("address", ["", "relative/path", "vsock:2:1"])
def test_an_address_that_is_no_unix_socket_is_ignored(address: str) -> None:
    assert notify.take_from({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "9"}, 1) == (None, None)
