"""TLS: whom the client trusts, and that it resumes its sessions."""

import ssl
from pathlib import Path

import pytest
import trustme

from caxton_adapters.http_client import (
    HttpClient,
    ProxyFailed,
    RequestFailed,
    Timeouts,
    TlsFailed,
)
from tests.raw_server import chunked, raw_server, response
from tests.small_proxy import small_proxy

HELLO = response(b"hello")


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    """An authority that `SSL_CERT_FILE` names."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    return authority


def server_side(authority: trustme.CA, name: str = "127.0.0.1") -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


async def test_a_certificate_of_a_trusted_authority_is_accepted(authority: trustme.CA) -> None:
    async with (
        raw_server((HELLO,), (chunked(b"a", b"b"),), tls=server_side(authority)) as server,
        HttpClient(environment={}) as client,
    ):
        endpoint = client.endpoint("POST", server.url, {})
        assert (await endpoint.fetch(b"x" * 100_000)).body == b"hello"
        assert (await endpoint.fetch()).body == b"ab"
        assert server.accepted == 1


@pytest.mark.usefixtures("authority")
async def test_a_certificate_of_an_unknown_authority_is_refused() -> None:
    async with (
        raw_server((HELLO,), tls=server_side(trustme.CA())) as server,
        HttpClient(environment={}) as client,
    ):
        with pytest.raises(RequestFailed) as raised:
            await client.endpoint("GET", server.url, {}).fetch()
    failure = raised.value.failure
    assert isinstance(failure, TlsFailed)
    assert "certificate" in failure.why


async def test_a_certificate_of_another_host_is_refused(authority: trustme.CA) -> None:
    async with (
        raw_server((HELLO,), tls=server_side(authority, "other.test")) as server,
        HttpClient(environment={}) as client,
    ):
        with pytest.raises(RequestFailed) as raised:
            await client.endpoint("GET", server.url, {}).fetch()
    assert isinstance(raised.value.failure, TlsFailed)


@pytest.mark.usefixtures("authority")
async def test_a_server_without_tls_is_told_from_one_that_is_down() -> None:
    async with raw_server((HELLO,)) as server, HttpClient(Timeouts(connect=1.0)) as client:
        url = server.url.replace("http", "https")
        with pytest.raises(RequestFailed) as raised:
            await client.endpoint("GET", url, {}).fetch()
    assert isinstance(raised.value.failure, TlsFailed)


async def test_a_second_connection_resumes_the_session_of_the_first(authority: trustme.CA) -> None:
    context = server_side(authority)
    closing = response(b"hello", "connection: close")
    async with (
        raw_server((closing,), tls=context) as server,
        HttpClient(environment={}) as client,
    ):
        endpoint = client.endpoint("GET", server.url, {})
        for _ in range(3):
            await endpoint.fetch()
    assert context.session_stats()["hits"] == 2


async def test_a_tunnel_is_opened_with_the_proxys_credentials(authority: trustme.CA) -> None:
    async with raw_server((HELLO,), tls=server_side(authority)) as server, small_proxy() as proxy:
        environment = {"HTTPS_PROXY": f"http://me:s%3Ct@{proxy.authority}"}
        async with HttpClient(environment=environment) as client:
            endpoint = client.endpoint("GET", server.url, {"Authorization": "Bearer secret"})
            assert [(await endpoint.fetch()).body for _ in range(2)] == [b"hello"] * 2
        assert "authorization" in server.requests[0].headers
        assert proxy.heads[0].startswith(f"CONNECT {server.url.removeprefix('https://')} HTTP/1.1")
        assert "Proxy-Authorization: Basic bWU6czx0" in proxy.heads[0]
        assert "secret" not in proxy.heads[0]


async def test_a_proxy_that_refuses_is_told_from_the_server(authority: trustme.CA) -> None:
    async with (
        raw_server((HELLO,), tls=server_side(authority)) as server,
        small_proxy(refuse="407 Proxy Authentication Required") as proxy,
    ):
        environment = {"https_proxy": proxy.authority}
        async with HttpClient(environment=environment) as client:
            with pytest.raises(RequestFailed) as raised:
                await client.endpoint("GET", server.url, {}).fetch()
    why = "it answers CONNECT with status 407"
    assert raised.value.failure == ProxyFailed(proxy.authority, why)


async def test_plain_requests_go_to_the_proxy_with_their_whole_address() -> None:
    async with raw_server((HELLO,)) as proxy:
        environment = {"http_proxy": f"http://me:pw@127.0.0.1:{proxy.address[1]}"}
        async with HttpClient(environment=environment) as client:
            await client.endpoint("GET", "http://far.invalid/path", {}).fetch()
        received = proxy.requests[0]
        assert received.target == b"http://far.invalid/path"
        assert received.headers["host"] == "far.invalid"
        assert received.headers["proxy-authorization"] == "Basic bWU6cHc="


@pytest.mark.parametrize("far", ["http://far.invalid", "https://far.invalid"])
@pytest.mark.parametrize("proxy", ["http://127.0.0.1:1", "http://nobody.invalid:3128"])
async def test_a_proxy_that_is_away_is_told_from_the_server(proxy: str, far: str) -> None:
    async with HttpClient(environment={"all_proxy": proxy}) as client:
        with pytest.raises(RequestFailed) as raised:
            await client.endpoint("GET", far, {}).fetch()
    failure = raised.value.failure
    assert isinstance(failure, ProxyFailed)
    assert failure.proxy == proxy.removeprefix("http://")


@pytest.mark.usefixtures("authority")
async def test_an_untrusted_certificate_is_refused_through_a_tunnel_too() -> None:
    context = server_side(trustme.CA())
    async with raw_server((HELLO,), tls=context) as server, small_proxy() as proxy:
        environment = {"https_proxy": proxy.authority}
        async with HttpClient(environment=environment) as client:
            with pytest.raises(RequestFailed) as raised:
                await client.endpoint("GET", server.url, {}).fetch()
    assert isinstance(raised.value.failure, TlsFailed)
