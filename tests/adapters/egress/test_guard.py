"""The guard against real servers: what is sent, where it goes, how much comes back."""

import gzip
import socket
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_address

import httpx2
import pytest
import trustme
from anyio import fail_after
from returns.result import Failure

from caxton_adapters.egress import (
    BodyRefused,
    EgressRefused,
    Guard,
    Resolve,
    guarded_client,
    resolved,
)
from caxton_core.egress import IpAddress, OutOfReach, Zone
from tests.raw_server import Act, Drip, chunked, raw_server, response

HELLO = response(b"hello")
PLAIN = ssl.create_default_context()
MOST = 10_000


def redirect(location: str, status: str = "307 Temporary Redirect") -> bytes:
    return response(b"", f"location: {location}", status=status)


def answers(*addresses: Sequence[str]) -> Resolve:
    """A resolver whose answers change from one look-up to the next."""
    left = list(addresses)

    async def resolve(_: str, __: int) -> Sequence[IpAddress]:
        found = left.pop(0) if len(left) > 1 else left[0]
        return tuple(ip_address(each) for each in found)

    return resolve


@asynccontextmanager
async def guarded(
    url: str,
    *,
    headers: dict[str, str] | None = None,
    private_network: bool = False,
    tls: ssl.SSLContext = PLAIN,
    resolve: Resolve = resolved,
) -> AsyncIterator[httpx2.AsyncClient]:
    guard = Guard.over(
        url,
        headers=headers or {},
        connect_timeout=2,
        max_bytes=MOST,
        private_network=private_network,
    )
    async with guarded_client(guard.unwrap(), tls, resolve=resolve) as client:  # type: ignore[union-attr]
        yield client


async def test_a_server_on_this_machine_is_reached() -> None:
    async with raw_server((HELLO,)) as server, guarded(server.url) as client:
        assert (await client.get(server.url)).text == "hello"
        assert server.requests[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    "url", ["http://169.254.169.254/latest/", "https://10.0.0.1/", "http://x.org"]
)
def test_an_address_out_of_reach_gets_no_guard(url: str) -> None:
    guard = Guard.over(url, headers={}, connect_timeout=1, max_bytes=MOST, private_network=False)
    assert isinstance(guard, Failure)


async def test_a_redirect_to_a_private_address_is_not_followed() -> None:
    async with (
        raw_server((redirect("http://169.254.169.254/latest/meta-data/"),)) as server,
        guarded(server.url) as client,
    ):
        with pytest.raises(EgressRefused) as refused:
            await client.get(server.url, follow_redirects=True)
    assert isinstance(refused.value.refusal, OutOfReach)
    assert refused.value.refusal.zone is Zone.METADATA


@pytest.mark.parametrize(
    "location",
    [
        "http://0x7f.1/",
        "http://2130706433/",
        "http://[::ffff:127.0.0.1]/",
        "http://user@127.0.0.1/",
        "https://[64:ff9b::10.0.0.1]/",
        "http://example.org/",
        "//10.0.0.1/",
        "https://10.0.0.1:22/",
    ],
)
async def test_a_redirect_in_disguise_is_not_followed(location: str) -> None:
    async with raw_server((redirect(location),)) as server, guarded(server.url) as client:
        with pytest.raises((EgressRefused, httpx2.RemoteProtocolError, httpx2.InvalidURL)):
            await client.get(server.url, follow_redirects=True)
        assert len(server.requests) == 1


async def test_at_most_three_redirects_are_followed() -> None:
    async with raw_server((redirect("/again"),)) as server, guarded(server.url) as client:
        with pytest.raises(httpx2.TooManyRedirects):
            await client.get(server.url, follow_redirects=True)
        assert len(server.requests) == 4


async def test_credentials_stay_with_the_server_that_they_are_for() -> None:
    async with raw_server((HELLO,)) as other, raw_server((redirect(other.url),)) as server:
        async with guarded(server.url, headers={"X-Api-Key": "secret"}) as client:
            await client.get(server.url, follow_redirects=True)
        assert server.requests[0].headers["x-api-key"] == "secret"
        assert "x-api-key" not in other.requests[0].headers


async def test_a_name_that_resolves_to_a_private_address_is_refused() -> None:
    resolve = answers(["8.8.8.8", "10.0.0.1"])
    async with guarded("https://rebinding.example/", resolve=resolve) as client:
        with pytest.raises(EgressRefused, match=r"rebinding\.example is 10\.0\.0\.1, a private"):
            await client.get("https://rebinding.example/")


async def test_a_public_name_cannot_point_to_this_machine() -> None:
    async with raw_server((HELLO,)) as server:
        port = server.address[1]
        url = f"https://rebinding.example:{port}/"
        async with guarded(url, resolve=answers(["127.0.0.1"])) as client:
            with pytest.raises(EgressRefused):
                await client.get(url)
        assert server.accepted == 0


async def test_a_link_local_address_of_the_resolver_is_refused_within_private_networks() -> None:
    url = "https://intranet.example/"
    async with guarded(url, private_network=True, resolve=answers(["fe80::1%lo"])) as client:
        with pytest.raises(EgressRefused):
            await client.get(url)


async def test_the_connection_goes_to_the_address_that_was_checked() -> None:
    """The second look-up of a name would answer otherwise; there is none."""
    authority = trustme.CA()
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("tools.example").configure_cert(serving)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    names: list[str | None] = []
    serving.sni_callback = lambda _, name, __: names.append(name)
    resolve = answers(["127.0.0.1"], ["169.254.169.254"])
    last = response(b"hello", "connection: close")
    async with raw_server((last,), tls=serving) as server:
        url = f"https://tools.example:{server.address[1]}/"
        async with guarded(url, private_network=True, tls=trusting, resolve=resolve) as client:
            assert (await client.get(url)).text == "hello"
            assert server.requests[0].headers["host"] == f"tools.example:{server.address[1]}"
            assert names == ["tools.example"]
            with pytest.raises(EgressRefused):
                await client.get(url)


async def test_the_next_address_is_tried_where_one_is_silent() -> None:
    with socket.socket(socket.AF_INET6) as taken:
        taken.bind(("::1", 0))
        async with raw_server((HELLO,)) as server:
            url = f"http://localhost:{server.address[1]}/"
            async with guarded(url, resolve=answers(["::1", "127.0.0.1"])) as client:
                assert (await client.get(url)).text == "hello"


async def test_a_name_without_an_address_is_an_error_of_the_connection() -> None:
    url = "https://nowhere.invalid/"
    async with guarded(url) as client:
        with pytest.raises(httpx2.ConnectError, match=r"nowhere\.invalid is unknown"):
            await client.get(url)


@pytest.mark.parametrize(
    "script",
    [
        (response(b"x" * (MOST + 1)),),
        (chunked(*[b"x" * 1000] * 11, kind="application/json"),),
        (response(gzip.compress(b"x" * 10_000_000), "content-encoding: gzip"),),
        (response(b"", "content-encoding: br"),),
        (chunked(*[b"x" * 1000] * 11, kind="text/event-stream"),),
        (chunked(*[b"x" * 1000] * 11, kind="text/event-stream", status="307 Temporary Redirect"),),
        (chunked(*[b"x" * 1000] * 11, kind="text/event-stream", status="500 Oops"),),
    ],
    ids=["length", "chunks", "bomb", "encoding", "unasked", "redirect", "error"],
)
async def test_a_body_that_is_larger_than_agreed_or_encoded_is_not_read(
    script: tuple[bytes, ...],
) -> None:
    async with raw_server(script) as server, guarded(server.url) as client:
        with pytest.raises(BodyRefused):
            await client.get(server.url)
        await server.until_open(0)


async def test_an_error_is_no_stream_though_one_was_asked_for() -> None:
    endless = chunked(*[b"x" * 1000] * 11, kind="text/event-stream", status="500 Oops")
    async with raw_server((endless,)) as server, guarded(server.url) as client:
        with pytest.raises(BodyRefused):
            await client.get(server.url, headers={"accept": "application/json, text/event-stream"})


async def test_a_stream_that_was_asked_for_may_be_long() -> None:
    pieces = chunked(*[b"x" * 1000] * 11, kind="text/event-stream")
    async with raw_server((pieces,)) as server, guarded(server.url) as client:
        answer = await client.get(server.url, headers={"accept": "text/event-stream"})
        assert len(answer.content) == 11_000


async def test_a_body_may_be_as_large_as_agreed() -> None:
    async with raw_server((response(b"x" * MOST),)) as server, guarded(server.url) as client:
        assert len((await client.get(server.url)).content) == MOST


async def test_headers_without_end_are_not_read() -> None:
    endless = (b"HTTP/1.1 200 OK\r\n", *[b"x-filler: %b\r\n" % (b"y" * 8000)] * 40)
    async with raw_server(endless) as server, guarded(server.url) as client:
        with pytest.raises(httpx2.RemoteProtocolError):
            await client.get(server.url)


async def test_a_silent_server_is_given_up_by_the_deadline_of_the_caller() -> None:
    async with raw_server((Act.HANG,)) as server, guarded(server.url) as client:
        with pytest.raises(TimeoutError), fail_after(0.2):
            await client.get(server.url)
        await server.until_open(0)


async def test_a_dripping_body_is_given_up_by_the_deadline_of_the_caller() -> None:
    script = (b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n", Drip(b"x" * 1000, 0.05))
    async with raw_server(script) as server, guarded(server.url) as client:
        with pytest.raises(TimeoutError), fail_after(0.3):
            await client.get(server.url)


async def test_proxies_of_the_environment_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    async with raw_server((HELLO,)) as proxy, raw_server((HELLO,)) as server:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("ALL_PROXY", proxy.url)
        async with guarded(server.url) as client:
            await client.get(server.url)
        assert not proxy.requests


def test_a_guard_does_not_show_its_credentials() -> None:
    guard = Guard.over(
        "https://example.org",
        headers={"Authorization": "Bearer secret"},
        connect_timeout=1,
        max_bytes=MOST,
        private_network=False,
    )
    assert "secret" not in repr(guard)
