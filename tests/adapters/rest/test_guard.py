"""Who is answered at all: hosts, origins, tokens, sizes, times."""

import json
from itertools import product

import anyio
import pytest

from caxton_adapters.auth.token import STRANGER
from caxton_adapters.rest.guard import Guard
from caxton_adapters.rest.settings import RestSettings
from caxton_adapters.secrets import Secret
from tests.adapters.rest.conftest import Served, raw, serving

TOKEN = RestSettings(token=Secret("s3cret"), origins=frozenset({"https://ui.example"}))
HEALTH = b"GET /health HTTP/1.1\r\n%s\r\n"
SMUGGLED = (
    b"POST /agents HTTP/1.1\r\nhost: localhost\r\ncontent-length: 3\r\n"
    b"transfer-encoding: chunked\r\n\r\nabc"
)
CLOSE = b"connection: close\r\n"


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def problem_of(answer: bytes) -> str:
    code: str = json.loads(answer.partition(b"\r\n\r\n")[2])["code"]
    return code


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "LOCALHOST:1234", "[::1]:8080"])
async def test_a_name_of_this_machine_is_answered(server: Served, host: str) -> None:
    answer = await server.client.get("/health", headers={"host": host})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127x0x0x1", "127.0.0.1.nip.io", "[::2]"]
)
async def test_a_foreign_name_is_refused(server: Served, host: str) -> None:
    answer = await server.client.get("/health", headers={"host": host})
    assert (answer.status_code, answer.json()["code"]) == (403, "CX3009")


async def test_a_forwarded_host_counts_for_nothing(server: Served) -> None:
    names = {"host": "evil.example", "x-forwarded-host": "localhost"}
    assert (await server.client.get("/health", headers=names)).status_code == 403


@pytest.mark.parametrize(
    "heads",
    [
        b"",
        b"host:\r\n",
        b"host: localhost\r\nhost: localhost\r\n",
        b"host: a\r\nHost: localhost\r\n",
    ],
)
async def test_a_request_names_one_host(server: Served, heads: bytes) -> None:
    answer = await raw(server, HEALTH % (heads + CLOSE))
    assert (status_of(answer), problem_of(answer)) == (400, "CX3008")


async def test_a_url_with_another_host_is_refused(server: Served) -> None:
    answer = await raw(
        server, b"GET http://evil.example/health HTTP/1.1\r\nhost: localhost\r\n\r\n"
    )
    assert (status_of(answer), problem_of(answer)) == (400, "CX3008")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost.evil"])
async def test_a_foreign_page_changes_nothing(server: Served, method: str, origin: str) -> None:
    answer = await server.client.request(method, "/agents", headers={"origin": origin})
    assert (answer.status_code, answer.json()["code"]) == (403, "CX3010")


async def test_a_foreign_page_hears_no_events(server: Served) -> None:
    page = {"origin": "https://evil.example", "accept": "text/event-stream"}
    assert (await server.client.get("/events", headers=page)).status_code == 403


async def test_a_foreign_page_without_an_origin_changes_nothing(server: Served) -> None:
    page = {"sec-fetch-site": "cross-site"}
    assert (await server.client.post("/agents", headers=page)).status_code == 403


async def test_our_own_page_may_send_messages(server: Served) -> None:
    answer = await server.client.post(
        "/agents/greeter/message", json={"text": "x"}, headers={"origin": server.url}
    )
    assert answer.status_code == 200


async def test_a_trusted_page_may_read_answers() -> None:
    page = {"origin": "https://ui.example"}
    asks = {**page, "access-control-request-method": "POST"}
    async with serving(settings=TOKEN) as server:
        before = await server.client.options("/agents", headers=asks)
        told = {**page, "authorization": "Bearer s3cret"}
        answer = await server.client.get("/agents", headers=told)
    assert before.status_code == 204
    assert "POST" in before.headers["access-control-allow-methods"]
    assert answer.headers["access-control-allow-origin"] == "https://ui.example"


@pytest.mark.parametrize(
    "credentials", ["", "Bearer", "Bearer wrong", "Basic s3cret", "bearer s3cre", "s3cret"]
)
async def test_without_the_token_nothing_is_answered(credentials: str) -> None:
    async with serving(settings=TOKEN) as server:
        headers = {"authorization": credentials} if credentials else {}
        answers = [
            await server.client.request(method, path, headers=headers)
            for method, path in (
                ("GET", "/agents"),
                ("POST", "/agents"),
                ("DELETE", "/agents/greeter"),
                ("POST", "/agents/greeter/message"),
                ("GET", "/events"),
                ("GET", "/nothing"),
            )
        ]
    assert {answer.status_code for answer in answers} == {401}
    assert {answer.headers["www-authenticate"] for answer in answers} == {'Bearer realm="caxton"'}


async def test_with_the_token_everything_is_answered() -> None:
    async with serving(settings=TOKEN) as server:
        headers = {"authorization": "Bearer s3cret"}
        answer = await server.client.get("/agents", headers=headers)
        health = await server.client.get("/health", headers=headers)
    assert answer.status_code == 200
    assert health.json()["agents"] == {"running": 1}


async def test_a_probe_without_the_token_hears_a_word() -> None:
    async with serving(settings=TOKEN) as server:
        health = await server.client.get("/health")
        ready = await server.client.get("/health/ready")
    assert health.json() == {"status": "pass"}
    assert ready.status_code == 200


def test_every_path_but_those_of_probes_and_pages_needs_the_token() -> None:
    guard = Guard(TOKEN)
    host = [(b"host", b"localhost")]
    open_paths = {
        path
        for method, path in product(
            ("GET", "POST", "PUT", "DELETE"),
            (
                "/",
                "/health",
                "/schema",
                "/agents",
                "/providers",
                "/events",
                "/messages/x",
                "/validate",
            ),
        )
        if guard.refusal(method, path, host, dict(host), STRANGER) is None
    }
    assert open_paths == {"/", "/health", "/schema"}


async def test_a_body_that_says_it_is_too_large_is_not_read(server: Served) -> None:
    head = b"POST /agents HTTP/1.1\r\nhost: localhost\r\ncontent-length: 99999999\r\n"
    answer = await raw(server, head + b"connection: close\r\n\r\n")
    assert (status_of(answer), problem_of(answer)) == (413, "CX3005")


async def test_a_body_that_turns_out_too_large_is_refused() -> None:
    async with serving(settings=RestSettings(max_body=100)) as server:
        sent = b"POST /agents HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n"
        answer = await raw(server, sent + b"40\r\n" + b"a" * 64 + b"\r\n" + b"40\r\n" + b"a" * 64)
    assert (status_of(answer), problem_of(answer)) == (413, "CX3005")


async def test_a_client_that_sends_on_still_sees_the_refusal() -> None:
    async with serving(settings=RestSettings(max_body=1000)) as server:
        answer = await server.client.post("/agents", content=b"a" * 3_000_000)
    assert answer.status_code == 413


async def test_a_compressed_body_is_refused(server: Served) -> None:
    answer = await server.client.post(
        "/agents/greeter/message", content=b"x", headers={"content-encoding": "gzip"}
    )
    assert (answer.status_code, answer.json()["code"]) == (415, "CX3006")


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nhost: localhost\r\n\r\n", 414, "CX3013"),
        (HEALTH % (b"host: localhost\r\nx: " + b"a" * 40_000 + b"\r\n"), 431, "CX3014"),
        (HEALTH[:-4].replace(b"%s", b"") + b"x: " + b"a" * 60_000, 431, "CX3014"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01", 400, "CX3016"),
        (b"nonsense\r\n\r\n", 400, "CX3016"),
        (SMUGGLED, 400, "CX3016"),
    ],
)
async def test_a_broken_head_is_refused_as_a_problem(
    server: Served, sent: bytes, status: int, code: str
) -> None:
    answer = await raw(server, sent)
    assert (status_of(answer), problem_of(answer)) == (status, code)
    assert b"x-request-id: " in answer


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /health HTTP/1.1\r\nhost: loc",
        b"POST /agents/greeter/message HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\n{",
    ],
)
async def test_a_request_that_does_not_arrive_is_ended(sent: bytes) -> None:
    async with serving(settings=RestSettings(request_timeout=0.3)) as server:
        answer = await raw(server, sent)
    assert (status_of(answer), problem_of(answer)) == (408, "CX3012")


async def test_a_connection_without_a_request_is_closed() -> None:
    async with serving(settings=RestSettings(request_timeout=0.3)) as server:
        assert await raw(server, b"") == b""


async def test_one_connection_too_many_is_refused() -> None:
    async with (
        serving(settings=RestSettings(max_connections=1)) as server,
        await anyio.connect_tcp("127.0.0.1", server.port) as first,
    ):
        await first.send(HEALTH % b"host: localhost\r\n")
        await first.receive()
        answer = await raw(server, HEALTH % b"host: localhost\r\n")
    assert (status_of(answer), problem_of(answer)) == (503, "CX3015")


async def test_pipelined_requests_are_answered_in_order(server: Served) -> None:
    ask = b"GET /health/live HTTP/1.1\r\nhost: localhost\r\n\r\n"
    last = b"GET /nothing HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
    answer = await raw(server, ask * 3 + last)
    assert [part[:3] for part in answer.split(b"HTTP/1.1 ")[1:]] == [b"200"] * 3 + [b"404"]
