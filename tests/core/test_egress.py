"""Where requests may go: a corpus of addresses, and laws that hold for all of them."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Failure, Success

from caxton_core.egress import (
    Destination,
    OutOfReach,
    Reach,
    UnclearAddress,
    Unencrypted,
    Zone,
    destination,
    reach_to,
    refused,
    said,
    within,
    zone_of,
)

UNCLEAR = (
    "https://2130706433/",  # decimal
    "https://0x7f000001/",  # hexadecimal
    "https://0x7f.0.0.1/",
    "https://0177.0.0.1/",  # octal
    "https://017700000001/",
    "https://127.1/",  # short
    "https://127.0.1/",
    "https://127.0.0.1.5/",
    "https://127.000.000.001/",
    "https://1.2.3.4../",
    "https://user@example.org/",
    "https://user:password@example.org/",
    "https://example.org@10.0.0.1/",
    "https://example.org\\@10.0.0.1/",
    "https://example.org\\.evil.org/",
    "https:\\\\10.0.0.1/",
    "https://10.0.0.1\t/",
    "https://exa mple.org/",
    "https://example.org/\r\nHost: other",
    "https://\uff11\uff12\uff17.0.0.1/",  # full-width digits
    "https://127\u30020\u30020\u30021/",  # ideographic stops
    "https://\u24d4xample.org/",  # circled letter
    "https://ex\u00e4mple.org/",
    "https://%31%32%37.0.0.1/",
    "https://[::1%25eth0]/",
    "https://[fe80::1%eth0]/",
    "https://[::ffff:7f00:1/",
    "https://::1/",
    "https://[127.0.0.1]/",
    "https://[v1.x]/",
    "https:///path",
    "https://",
    "https://example.org:0/",
    "https://example.org:65536/",
    "https://example.org:99999999/",
    "https://example.org:80:80/",
    "https://example.org:x/",
    "https://-example.org/",
    "https://example..org/",
    "https://.example.org/",
    "ftp://example.org/",
    "file:///etc/passwd",
    "gopher://example.org/",
    "//example.org/",
    "example.org",
    "javascript:alert(1)",
    "",
)

OUT_OF_REACH = {
    "0.0.0.0": Zone.UNSPECIFIED,
    "0.1.2.3": Zone.UNSPECIFIED,
    "10.1.2.3": Zone.PRIVATE,
    "100.64.0.1": Zone.PRIVATE,
    "100.127.255.255": Zone.PRIVATE,
    "100.100.100.200": Zone.METADATA,
    "127.0.0.1": Zone.LOOPBACK,
    "127.255.255.254": Zone.LOOPBACK,
    "169.254.0.1": Zone.LINK_LOCAL,
    "169.254.169.254": Zone.METADATA,
    "169.254.170.2": Zone.METADATA,
    "168.63.129.16": Zone.METADATA,
    "172.16.0.1": Zone.PRIVATE,
    "172.31.255.255": Zone.PRIVATE,
    "192.0.0.1": Zone.RESERVED,
    "192.0.0.192": Zone.METADATA,
    "192.0.2.1": Zone.RESERVED,
    "192.88.99.1": Zone.RESERVED,
    "192.168.1.1": Zone.PRIVATE,
    "198.18.0.1": Zone.RESERVED,
    "198.51.100.1": Zone.RESERVED,
    "203.0.113.1": Zone.RESERVED,
    "224.0.0.1": Zone.MULTICAST,
    "239.255.255.255": Zone.MULTICAST,
    "240.0.0.1": Zone.RESERVED,
    "255.255.255.255": Zone.RESERVED,
    "::": Zone.UNSPECIFIED,
    "::1": Zone.LOOPBACK,
    "::7f00:1": Zone.EMBEDDED,
    "::ffff:127.0.0.1": Zone.EMBEDDED,
    "::ffff:169.254.169.254": Zone.EMBEDDED,
    "::ffff:8.8.8.8": Zone.EMBEDDED,
    "::ffff:0:10.0.0.1": Zone.EMBEDDED,
    "64:ff9b::10.0.0.1": Zone.EMBEDDED,
    "64:ff9b::169.254.169.254": Zone.EMBEDDED,
    "64:ff9b:1::10.0.0.1": Zone.EMBEDDED,
    "2002:7f00:1::": Zone.EMBEDDED,
    "2002:a9fe:a9fe::1": Zone.EMBEDDED,
    "2001:0:4136:e378:8000:63bf:3fff:fdd2": Zone.EMBEDDED,
    "2001:2::1": Zone.RESERVED,
    "2001:db8::1": Zone.RESERVED,
    "3fff::1": Zone.RESERVED,
    "100::1": Zone.RESERVED,
    "4000::1": Zone.RESERVED,
    "5f00::1": Zone.RESERVED,
    "fc00::1": Zone.PRIVATE,
    "fd12:3456::1": Zone.PRIVATE,
    "fd00:ec2::254": Zone.METADATA,
    "fd20:ce::254": Zone.METADATA,
    "fe80::1": Zone.LINK_LOCAL,
    "fec0::1": Zone.RESERVED,
    "ff02::1": Zone.MULTICAST,
}

IN_PUBLIC = (
    "1.1.1.1",
    "8.8.8.8",
    "100.63.255.255",
    "100.128.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.169.0.1",
    "223.255.255.255",
    "2606:4700:4700::1111",
    "2a00:1450:4001:830::200e",
    "64:ff9b::8.8.8.8",
)

ADDRESSES = st.ip_addresses()


def url_of(address: str, scheme: str = "https") -> str:
    return f"{scheme}://[{address}]/" if ":" in address else f"{scheme}://{address}/"


def read(url: str) -> Destination:
    return destination(url).unwrap()  # type: ignore[union-attr] # it is one


@pytest.mark.parametrize("url", UNCLEAR)
def test_an_address_that_programs_read_differently_is_none(url: str) -> None:
    assert isinstance(destination(url), Failure)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://example.org", Destination("https", "example.org", 443)),
        ("HTTPS://Example.ORG:8443/a?b#c", Destination("https", "example.org", 8443)),
        ("https://example.org./", Destination("https", "example.org.", 443)),
        ("http://localhost:3000/mcp", Destination("http", "localhost", 3000)),
        (
            "https://a_b.xn--bcher-kva.example/",
            Destination("https", "a_b.xn--bcher-kva.example", 443),
        ),
        ("https://8.8.8.8/", Destination("https", "8.8.8.8", 443)),
        ("https://[2606:4700::1]:1/", Destination("https", "2606:4700::1", 1)),
        (
            "https://example.org/?next=http://user@10.0.0.1",
            Destination("https", "example.org", 443),
        ),
    ],
)
def test_a_plain_address_is_read(url: str, expected: Destination) -> None:
    assert destination(url) == Success(expected)


@pytest.mark.parametrize(("address", "zone"), OUT_OF_REACH.items())
def test_no_request_goes_to_an_address_that_is_not_public(address: str, zone: Zone) -> None:
    assert zone_of(ip_address(address)) is zone
    url = url_of(address)
    refusal = refused(read(url), Reach.PUBLIC)
    assert refusal == OutOfReach(address, ip_address(address), zone)
    assert address in said(refusal)


@pytest.mark.parametrize("address", IN_PUBLIC)
def test_requests_go_to_public_addresses(address: str) -> None:
    assert refused(read(url_of(address)), Reach.PUBLIC) is None


@pytest.mark.parametrize(
    "address",
    [key for key, zone in OUT_OF_REACH.items() if zone not in {Zone.PRIVATE, Zone.LOOPBACK}],
)
def test_a_private_network_holds_no_metadata_and_nothing_in_disguise(address: str) -> None:
    assert isinstance(refused(read(url_of(address)), Reach.PRIVATE), OutOfReach)


@pytest.mark.parametrize("url", ["http://10.0.0.1/", "https://[fd12::1]/", "http://127.0.0.1/"])
def test_an_operator_may_open_the_private_network(url: str) -> None:
    assert refused(read(url), reach_to(read(url), private_network=True)) is None


@pytest.mark.parametrize("url", ["http://localhost:1/", "http://127.0.0.1/", "http://[::1]:80/x"])
def test_a_server_that_names_this_machine_is_reached_in_plain_text(url: str) -> None:
    assert refused(read(url), reach_to(read(url), private_network=False)) is None


@pytest.mark.parametrize("url", ["http://example.org/", "http://8.8.8.8/", "http://intranet/"])
def test_plain_text_does_not_leave_this_machine(url: str) -> None:
    refusal = refused(read(url), reach_to(read(url), private_network=False))
    assert isinstance(refusal, Unencrypted)
    assert "https://" in said(refusal)


def test_a_public_server_cannot_send_requests_to_this_machine() -> None:
    reach = reach_to(read("https://example.org/"), private_network=False)
    assert isinstance(refused(read("http://localhost/"), reach), Unencrypted)
    assert isinstance(refused(read("https://127.0.0.1/"), reach), OutOfReach)
    assert not within(Zone.LOOPBACK, reach)


@given(st.text() | st.text("htps:/.@[]0123456789abcx\\%#?-").map("https://".__add__))
def test_whatever_is_written_reading_answers(url: str) -> None:
    found = destination(url)
    if isinstance(found, Failure):
        assert isinstance(found.failure(), UnclearAddress)
    else:
        assert found.unwrap().host.isascii()


@given(ADDRESSES)
def test_every_address_has_a_zone_and_public_ones_are_global(
    address: IPv4Address | IPv6Address,
) -> None:
    if zone_of(address) is Zone.PUBLIC:
        assert (
            address.is_global
            or address in {ip_address("192.0.0.9"), ip_address("192.0.0.10")}
            or (isinstance(address, IPv6Address) and str(address).startswith("64:ff9b::"))
        )
        assert not address.is_private
        assert not address.is_multicast


@given(st.ip_addresses(v=4))
def test_an_address_within_another_is_never_more_public(address: IPv4Address) -> None:
    for prefix in ("::ffff:", "::", "64:ff9b::"):
        disguised = zone_of(ip_address(f"{prefix}{address}"))
        assert disguised is not Zone.PUBLIC or zone_of(address) is Zone.PUBLIC


@given(ADDRESSES)
def test_who_may_go_further_may_go_wherever_others_may(address: IPv4Address | IPv6Address) -> None:
    allowed = [within(zone_of(address), reach) for reach in Reach]
    assert allowed == sorted(allowed)
