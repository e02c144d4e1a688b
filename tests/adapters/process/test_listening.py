import os
import socket

import pytest
from returns.result import Failure, Success

from caxton_adapters.process import listening
from caxton_adapters.process.refusals import AddressUnusable, PortTaken


def test_port_zero_takes_a_free_one_and_tells_it() -> None:
    bound = listening.bind("127.0.0.1", 0)
    assert isinstance(bound, Success)
    with bound.unwrap() as listener:
        port = listener.getsockname()[1]
        assert port > 0
        assert listening.url_of(listener) == f"http://127.0.0.1:{port}"


def test_a_port_in_use_names_its_owner() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        refused = listening.bind("127.0.0.1", port)
    assert isinstance(refused, Failure)
    assert refused.failure() == PortTaken("127.0.0.1", port, os.getpid())


def test_a_port_is_free_again_as_soon_as_its_server_ends() -> None:
    first = listening.bind("127.0.0.1", 0)
    assert isinstance(first, Success)
    port = first.unwrap().getsockname()[1]
    first.unwrap().close()
    second = listening.bind("127.0.0.1", port)
    assert isinstance(second, Success)
    second.unwrap().close()


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
def test_an_address_of_another_machine_is_refused(host: str) -> None:
    refused = listening.bind(host, 0)
    assert isinstance(refused, Failure)
    assert isinstance(refused.failure(), AddressUnusable)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.1", False),
        ("example.org", False),
        ("", False),
    ],
)
def test_only_loopback_addresses_stay_on_the_machine(host: str, *, loopback: bool) -> None:
    assert listening.is_loopback(host) is loopback
