"""One request after another: what is sent, what is read, and when a connection is used again."""

import asyncio

import pytest
from anyio import create_task_group, fail_after

from caxton_adapters.http_client import (
    ClientClosed,
    ConnectionLost,
    HttpClient,
    HttpFailure,
    Limits,
    MalformedResponse,
    NameNotResolved,
    NotConnected,
    RedirectRefused,
    RequestFailed,
    Response,
    ResponseTooLarge,
)
from tests.raw_server import Act, Script, chunked, raw_server, response
from tests.waiting import PATIENCE

HELLO = response(b"hello")


async def asked(*scripts: Script, times: int = 1, limits: Limits | None = None) -> Response:
    """The last of so many answers that the scripts give."""
    async with raw_server(*scripts) as server, HttpClient(limits=limits, environment={}) as client:
        endpoint = client.endpoint("POST", server.url, {})
        for _ in range(times - 1):
            await endpoint.fetch(b"x")
        return await endpoint.fetch(b"x")


async def failure(*scripts: Script, times: int = 1, limits: Limits | None = None) -> HttpFailure:
    with pytest.raises(RequestFailed) as raised:
        await asked(*scripts, times=times, limits=limits)
    return raised.value.failure


async def test_a_request_arrives_as_it_was_asked() -> None:
    async with raw_server((HELLO,)) as server, HttpClient(environment={}) as client:
        endpoint = client.endpoint("POST", f"{server.url}/a/b?c=d", {"X-One": "1"})
        answer = await endpoint.fetch(b"body")
        received = server.requests[0]
        assert (received.target, received.body) == (b"/a/b?c=d", b"body")
        assert received.headers["x-one"] == "1"
        assert received.headers["accept-encoding"] == "identity"
        assert received.headers["host"] == server.url.removeprefix("http://")
        assert (answer.status, answer.body) == (200, b"hello")
        assert answer.header(b"content-type") == "application/json"


async def test_one_connection_serves_many_requests() -> None:
    async with raw_server((HELLO,)) as server, HttpClient(environment={}) as client:
        endpoint = client.endpoint("GET", server.url, {})
        bodies = [(await endpoint.fetch()).body for _ in range(20)]
        assert bodies == [b"hello"] * 20
        assert server.accepted == 1


@pytest.mark.parametrize(
    "script",
    [
        (chunked(b"hel", b"lo"),),
        (b"HTTP/1.1 200 OK\r\n\r\nhello", Act.CLOSE),
        (b"HTTP/1.0 200 OK\r\ncontent-length: 5\r\n\r\nhello", Act.CLOSE),
        (b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n", HELLO),
        (chunked(b"hello", end=b"0\r\nx-trailer: 1\r\n\r\n"),),
        (HELLO[:40], HELLO[40:]),
    ],
    ids=["chunks", "until closed", "HTTP/1.0", "interim responses", "trailers", "two segments"],
)
async def test_every_framing_of_a_body_is_read(script: Script) -> None:
    assert (await asked(script)).body == b"hello"


async def test_an_interim_response_leaves_no_headers_behind() -> None:
    early = b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n"
    assert (await asked((early + HELLO,))).header(b"link") is None


async def test_an_announced_close_is_honoured() -> None:
    closing = response(b"hello", "connection: close")
    async with raw_server((closing,)) as server, HttpClient(environment={}) as client:
        endpoint = client.endpoint("GET", server.url, {})
        await endpoint.fetch()
        await server.until_open(0)
        await endpoint.fetch()
        assert server.accepted == 2


async def test_a_kept_connection_that_died_is_replaced_without_a_word() -> None:
    scripts = ((HELLO,), (Act.CLOSE,), (HELLO,))
    async with raw_server(*scripts) as server, HttpClient(environment={}) as client:
        endpoint = client.endpoint("POST", server.url, {})
        await endpoint.fetch(b"first")
        assert (await endpoint.fetch(b"second")).body == b"hello"
        assert [request.body for request in server.requests] == [b"first", b"second", b"second"]


async def test_a_server_that_went_away_between_requests_is_reached_again() -> None:
    async with raw_server((HELLO,)) as server, HttpClient(environment={}) as client:
        endpoint = client.endpoint("POST", server.url, {})
        await endpoint.fetch()
        server.drop()
        await server.until_open(0)
        assert (await endpoint.fetch()).body == b"hello"


async def test_a_new_connection_that_closes_at_once_is_not_tried_again() -> None:
    assert isinstance(await failure((Act.CLOSE,), (HELLO,)), ConnectionLost)


async def test_a_request_is_not_repeated_once_a_byte_of_its_response_has_come() -> None:
    lost = await failure((HELLO,), (b"H", Act.CLOSE), (HELLO,), times=2)
    assert lost == ConnectionLost(1, "closed by the server")


@pytest.mark.parametrize("ending", [Act.CLOSE, Act.RESET])
@pytest.mark.parametrize("cut", [HELLO[:-2], chunked(b"hel", end=b""), HELLO[:20]])
async def test_a_response_that_ends_too_early_is_lost(cut: bytes, ending: Act) -> None:
    assert isinstance(await failure((cut, ending)), ConnectionLost)


@pytest.mark.parametrize(
    "garbage",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: five\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n\0",
        response(b"\x1f\x8b", "content-encoding: gzip"),
    ],
    ids=["another protocol", "length", "chunk size", "upgrade", "compressed"],
)
async def test_what_is_no_response_is_malformed(garbage: bytes) -> None:
    assert isinstance(await failure((garbage, Act.CLOSE)), MalformedResponse)


async def test_bytes_after_a_response_cost_the_connection() -> None:
    scripts = ((HELLO + b"HTTP/1.1 2",), (HELLO,))
    async with raw_server(*scripts) as server, HttpClient(environment={}) as client:
        endpoint = client.endpoint("GET", server.url, {})
        assert (await endpoint.fetch()).body == b"hello"
        assert (await endpoint.fetch()).body == b"hello"
        assert server.accepted == 2


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_refused(status: int) -> None:
    redirect = response(b"", "location: http://elsewhere/", status=f"{status} Elsewhere")
    assert await failure((redirect,)) == RedirectRefused(status, "http://elsewhere/")


@pytest.mark.parametrize(
    ("script", "part"),
    [
        ((b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 1000, Act.HANG), "headers"),
        ((b"HTTP/1.1 200 OK\r\nx: " + b"y" * 5000, Act.HANG), "headers"),
        ((b"HTTP/1.1 100 Continue\r\n\r\n" * 200, Act.HANG), "headers"),
        ((b"HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n", Act.HANG), "body"),
        ((chunked(*[b"x" * 100] * 50), Act.HANG), "body"),
    ],
    ids=["many headers", "long header", "interim", "length", "chunks"],
)
async def test_nothing_grows_without_end(script: Script, part: str) -> None:
    limits = Limits(framing=2048, body=4096)
    assert await failure(script, limits=limits) in (
        ResponseTooLarge(part, 2048),
        ResponseTooLarge(part, 4096),
    )


async def test_a_refused_connection_is_told() -> None:
    async with raw_server((HELLO,)) as server:
        url = server.url
    async with HttpClient(environment={}) as client:
        with pytest.raises(RequestFailed) as raised:
            await client.endpoint("GET", url, {}).fetch()
    assert isinstance(raised.value.failure, NotConnected)


async def test_an_unknown_name_is_told() -> None:
    async with HttpClient(environment={}) as client:
        with pytest.raises(RequestFailed) as raised:
            await client.endpoint("GET", "http://nobody.invalid", {}).fetch()
    assert raised.value.failure == NameNotResolved("nobody.invalid")


async def test_ipv6_addresses_are_reached() -> None:
    async with HttpClient(environment={}) as client:
        listening = await asyncio.start_server(_greet, "::1", 0)
        port = listening.sockets[0].getsockname()[1]
        answer = await client.endpoint("GET", f"http://[::1]:{port}/", {}).fetch()
        assert answer.body == f"[::1]:{port}".encode()
        listening.close()
        await listening.wait_closed()


async def _greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    host = head.split(b"Host: ")[1].split(b"\r\n")[0]
    writer.write(response(host, "connection: close"))
    writer.close()


@pytest.mark.parametrize("value", ["a\r\nb: c", "a\0", "ü"])
def test_a_header_that_would_break_the_request_is_refused_unseen(value: str) -> None:
    with pytest.raises(ValueError, match="X-Key") as raised:
        HttpClient(environment={}).endpoint("GET", "http://host", {"X-Key": value})
    assert value not in str(raised.value)


async def test_a_closed_client_ends_what_runs_and_refuses_what_comes() -> None:
    async with raw_server((Act.HANG,)) as server, HttpClient(environment={}) as client:
        endpoint = client.endpoint("GET", server.url, {})
        failures: list[HttpFailure] = []

        async def ask() -> None:
            with pytest.raises(RequestFailed) as raised:
                await endpoint.fetch()
            failures.append(raised.value.failure)

        with fail_after(PATIENCE):
            async with create_task_group() as tasks:
                tasks.start_soon(ask)
                await server.until_asked(1)
                await client.aclose()
            await ask()
        assert isinstance(failures[0], ConnectionLost)
        assert failures[1] == ClientClosed()
