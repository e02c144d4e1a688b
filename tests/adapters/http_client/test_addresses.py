"""Addresses, and which proxy stands before them."""

import pytest

from caxton_adapters.http_client import ProxyFailed, RequestFailed, Url
from caxton_adapters.http_client.proxies import proxy_for
from caxton_adapters.http_client.url import Origin


@pytest.mark.parametrize(
    ("text", "host_header", "authority", "path"),
    [
        ("http://host", "host", "host:80", "/"),
        ("https://HOST:443/v1", "host", "host:443", "/v1"),
        ("https://host:8443/v1/?a=b", "host:8443", "host:8443", "/v1/?a=b"),
        ("http://[::1]:80/", "[::1]", "[::1]:80", "/"),
        ("http://bücher.example/", "xn--bcher-kva.example", "xn--bcher-kva.example:80", "/"),
    ],
)
def test_an_address_is_read(text: str, host_header: str, authority: str, path: str) -> None:
    url = Url.parse(text)
    assert (url.origin.host_header, url.origin.authority, url.path) == (
        host_header,
        authority,
        path,
    )


@pytest.mark.parametrize(
    "text", ["", "host", "ftp://host", "http://", "http://h:99999", "http://h/a b", "http://h\r\nx"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Url.parse(text)


PROXY = "http://proxy:3128"


@pytest.mark.parametrize(
    ("scheme", "environment", "goes_through"),
    [
        ("https", {"HTTPS_PROXY": PROXY}, True),
        ("https", {"https_proxy": PROXY}, True),
        ("https", {"HTTP_PROXY": PROXY}, False),
        ("http", {"HTTP_PROXY": "proxy:3128"}, True),
        ("http", {"HTTP_PROXY": PROXY, "REQUEST_METHOD": "GET"}, False),
        ("http", {"ALL_PROXY": PROXY}, True),
        ("https", {"HTTPS_PROXY": PROXY, "NO_PROXY": "*"}, False),
        ("https", {"HTTPS_PROXY": PROXY, "NO_PROXY": "other.test, api.example.test"}, False),
        ("https", {"HTTPS_PROXY": PROXY, "no_proxy": ".example.test"}, False),
        ("https", {"HTTPS_PROXY": PROXY, "no_proxy": "example.test:443"}, False),
        ("https", {"HTTPS_PROXY": PROXY, "no_proxy": "example.test:8443"}, True),
        ("https", {"HTTPS_PROXY": PROXY, "no_proxy": "ample.test"}, True),
        ("https", {}, False),
    ],
)
def test_the_environment_says_which_proxy(
    scheme: str, environment: dict[str, str], *, goes_through: bool
) -> None:
    port = 443 if scheme == "https" else 80
    proxy = proxy_for(Origin(scheme, "api.example.test", port), environment)
    assert proxy == (Url.parse(PROXY) if goes_through else None)


def test_networks_are_exempt_from_the_proxy() -> None:
    environment = {"http_proxy": PROXY, "no_proxy": "10.0.0.0/8,::1"}
    assert proxy_for(Origin("http", "10.1.2.3", 80), environment) is None
    assert proxy_for(Origin("http", "::1", 80), environment) is None
    assert proxy_for(Origin("http", "11.1.2.3", 80), environment) is not None


def test_an_unusable_proxy_is_told_without_its_password() -> None:
    with pytest.raises(RequestFailed) as raised:
        proxy_for(Origin("http", "host", 80), {"http_proxy": "socks5://me:secret@proxy:1080"})
    failure = raised.value.failure
    assert isinstance(failure, ProxyFailed)
    assert failure.proxy == "proxy:1080"
