"""The ways into the server beside plain TCP: TLS, and a UNIX socket."""

import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import anyio
import httpx2
import pytest
from returns.result import Success

from caxton_adapters.process.certificate import open_certificate
from caxton_adapters.process.certificate_place import CertificatePlace
from caxton_adapters.process.unix_socket import UnixSocket, open_unix_socket
from caxton_adapters.rest.settings import RestSettings
from caxton_adapters.secrets import Secret
from tests.adapters.rest.conftest import Served, raw, serving
from tests.adapters.rest.lines import Lines
from tests.certificates import Files, issued

HEALTH = b"GET /health/live HTTP/1.1\r\nhost: %b\r\nconnection: close\r\n\r\n"


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return issued(tmp_path)


@pytest.fixture
def certificate(files: Files) -> ssl.SSLContext:
    """What the server shows."""
    opened = open_certificate(CertificatePlace(files.certificate, files.key))
    assert isinstance(opened, Success)
    return opened.unwrap().context


@pytest.fixture
async def secure(certificate: ssl.SSLContext) -> AsyncIterator[Served]:
    async with serving(tls=certificate) as served:
        yield served


@pytest.fixture
def beside(tmp_path: Path) -> Iterator[UnixSocket]:
    opened = open_unix_socket(tmp_path / "caxton.sock")
    assert isinstance(opened, Success)
    yield opened.unwrap()
    opened.unwrap().close()


async def through(beside: UnixSocket, sent: bytes) -> bytes:
    """Everything that comes back through the socket until it ends."""
    received = b""
    async with await anyio.connect_unix(beside.path) as stream:
        await stream.send(sent)
        with anyio.fail_after(20):
            async for piece in stream:
                received += piece
    return received


async def test_every_route_is_behind_the_certificate(secure: Served, files: Files) -> None:
    trusted = ssl.create_default_context(cafile=files.authority)
    async with httpx2.AsyncClient(base_url=secure.url, verify=trusted, trust_env=False) as client:
        assert (await client.get("/health")).status_code == 200
        assert (await client.get("/agents")).status_code == 200
        said = await client.post("/agents/greeter/message", json={"text": "x" * 500_000})
        assert said.json()["text"] == "You said: " + "x" * 500_000


async def test_what_is_not_encrypted_is_not_answered(secure: Served) -> None:
    assert b"HTTP" not in await raw(secure, HEALTH % b"localhost")


async def test_a_handshake_that_does_not_come_is_ended(certificate: ssl.SSLContext) -> None:
    settings = RestSettings(request_timeout=0.3)
    async with serving(settings=settings, tls=certificate) as server:
        assert await raw(server, b"") == b""
        assert await raw(server, b"\x16\x03\x01\x00") == b""


async def test_handshakes_have_a_limit_of_their_own(
    certificate: ssl.SSLContext, files: Files
) -> None:
    trusted = ssl.create_default_context(cafile=files.authority)
    settings = RestSettings(max_connections=1, request_timeout=600)
    async with (
        serving(settings=settings, tls=certificate) as server,
        httpx2.AsyncClient(base_url=server.url, verify=trusted, trust_env=False) as client,
    ):
        async with await anyio.connect_tcp("127.0.0.1", server.port):
            assert await raw(server, b"") == b""
            with pytest.raises(httpx2.ConnectError):
                await client.get("/health")

        async def answered() -> bool:
            try:
                return (await client.get("/health")).is_success
            except httpx2.ConnectError:
                return False

        with anyio.fail_after(20):
            while not await answered():  # noqa: ASYNC110 - nothing else tells of it
                await anyio.sleep(0.01)


async def test_a_server_that_ends_leaves_no_client_waiting(secure: Served, files: Files) -> None:
    trusted = ssl.create_default_context(cafile=files.authority)
    async with await anyio.connect_tcp(
        "127.0.0.1", secure.port, ssl_context=trusted, tls_standard_compatible=False
    ) as stream:
        await stream.send((HEALTH % b"localhost").replace(b"connection: close\r\n", b""))
        assert (await stream.receive()).startswith(b"HTTP/1.1 200")
        secure.server.stop("the test")
        with anyio.fail_after(20), pytest.raises(anyio.EndOfStream):
            await stream.receive()


async def test_a_socket_answers_to_its_names_only(beside: UnixSocket) -> None:
    async with serving(beside=(beside.listener,)):
        assert b" 200 OK" in await through(beside, HEALTH % b"localhost")
        assert b"CX3009" in await through(beside, HEALTH % b"elsewhere.example")


async def test_a_socket_asks_for_a_token_as_loopback_does(beside: UnixSocket) -> None:
    asked = b"GET /agents HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n%b\r\n"
    async with serving(settings=RestSettings(token=Secret("a-token")), beside=(beside.listener,)):
        assert b" 401 " in await through(beside, asked % b"")
        shown = b"authorization: Bearer a-token\r\n"
        assert b" 200 OK" in await through(beside, asked % shown)


async def test_who_comes_through_a_socket_is_named_in_the_audit(beside: UnixSocket) -> None:
    log = Lines()
    stop = b"POST /agents/greeter/stop HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
    async with serving(log=log, beside=(beside.listener,)):
        assert b" 200 OK" in await through(beside, stop)
    assert [(event, facts["peer"]) for _, event, facts in log.lines] == [("audit.changed", "unix")]
