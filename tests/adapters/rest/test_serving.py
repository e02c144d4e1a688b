"""How a server ends: by signal, while it drains, and at once."""

import asyncio
import os
import signal
import socket

import anyio
import anyio.lowlevel
import httpx2
import pytest

from caxton_adapters.rest.exchange import Answer, Receive, Scope, Send, context_of, write
from caxton_adapters.rest.serving import RestServer
from caxton_adapters.rest.settings import RestSettings
from tests.adapters.rest.conftest import QUICK, SLOW, Served, events_of, raw, serving, until
from tests.adapters.rest.test_messages import HELLO, STREAM, started

PACED = QUICK + '\n[streaming]\ndelay = "200ms"\n'


async def draining(server: Served) -> None:
    await until(lambda: server.runtime.draining)


async def test_a_message_at_work_is_answered_before_the_server_ends() -> None:
    answers: list[httpx2.Response] = []

    async def ask(server: Served) -> None:
        answers.append(
            await server.client.post("/agents/greeter/message", json=HELLO, headers=STREAM)
        )

    async with serving(PACED) as server, anyio.create_task_group() as tasks:
        tasks.start_soon(ask, server)
        await until(lambda: server.runtime.in_flight)
        server.server.stop("a test")
        await draining(server)
    names = [name for name, _ in events_of(answers[0].text)]
    assert names[-2:] == ["message", "shutdown"]


async def test_new_work_is_refused_while_the_server_drains() -> None:
    async with serving(SLOW) as server:
        await started(server)
        server.server.stop("a test")
        await draining(server)
        refused = await server.client.post("/agents/greeter/message", json=HELLO)
        ready = await server.client.get("/health/ready")
        live = await server.client.get("/health/live")
        health = await server.client.get("/health")
        events = await server.client.get("/events")
    assert (refused.status_code, refused.json()["code"]) == (503, "CX4010")
    assert int(refused.headers["retry-after"]) >= 1
    assert refused.headers["connection"] == "close"
    assert (ready.status_code, live.status_code) == (503, 200)
    assert health.json()["status"] == "draining"
    assert events.status_code == 503


async def test_who_still_waits_at_the_end_of_the_drain_is_told() -> None:
    texts: list[str] = []

    async def ask(server: Served) -> None:
        answer = await server.client.post("/agents/greeter/message", json=HELLO, headers=STREAM)
        texts.append(answer.text)

    async with (
        serving(SLOW, RestSettings(drain_timeout=0.1)) as server,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(ask, server)
        await until(lambda: server.runtime.in_flight)
        server.server.stop("a test")
    names = [name for name, _ in events_of(texts[0])]
    assert names == ["accepted", "error", "shutdown"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_drains_the_server(number: signal.Signals) -> None:
    async with serving(PACED) as server:
        await started(server)
        os.kill(os.getpid(), number)
        await draining(server)
        await until(lambda: not server.runtime.in_flight)
    assert server.server.ended_by is None


async def test_a_second_signal_ends_the_drain() -> None:
    async with serving(SLOW) as server:
        await started(server)
        os.kill(os.getpid(), signal.SIGTERM)
        await draining(server)
        os.kill(os.getpid(), signal.SIGTERM)
        await until(lambda: server.server.ended_by is not None)
    assert server.server.ended_by is signal.SIGTERM


async def test_an_answer_is_sent_at_one_go(server: Served) -> None:
    async with await anyio.connect_tcp("127.0.0.1", server.port) as stream:
        await stream.send(b"GET /health/live HTTP/1.1\r\nhost: localhost\r\n\r\n")
        with anyio.fail_after(20):
            whole = await stream.receive()
    head, _, body = whole.partition(b"\r\n\r\n")
    assert b"content-length: %d" % len(body) in head
    assert body == b'{"status":"pass"}'


async def test_a_probe_is_answered_before_what_waits_in_the_loop() -> None:
    ran: dict[str, bool] = {}

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        ran[scope["path"]] = asyncio.current_task() is None
        await receive()
        await write(Answer(200, b"{}"), context_of({}), send)

    listener = socket.create_server(("127.0.0.1", 0))
    server = RestServer(application, RestSettings())
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with anyio.create_task_group() as tasks, httpx2.AsyncClient(trust_env=False) as client:
        tasks.start_soon(server.serve, [listener])
        for path in ("/health", "/agents", "/health/ready", "/health/live?verbose"):
            assert (await client.get(url + path)).content == b"{}"
        assert (await client.request("GET", f"{url}/health/startup", content=b"x")).content == b"{}"
        server.stop_at_once()
    assert ran == {
        "/health": True,
        "/agents": False,
        "/health/ready": True,
        "/health/live": True,
        "/health/startup": False,  # its body may still be on its way
    }


async def test_probes_are_answered_in_a_row_and_among_others(server: Served) -> None:
    ask = b"GET /%s HTTP/1.1\r\nhost: localhost\r\n%s\r\n"
    paths = (b"health", b"agents", b"health/live", b"nothing", b"health/ready")
    sent = b"".join(ask % (path, b"") for path in paths)
    answer = await raw(server, sent + ask % (b"health/live", b"connection: close\r\n"))
    parts = answer.split(b"HTTP/1.1 ")[1:]
    assert [part[:3] for part in parts] == [b"200", b"200", b"200", b"404", b"200", b"200"]
    assert b"connection: close" in parts[-1].lower()


async def test_a_client_that_does_not_read_is_left() -> None:
    ask = b"GET /schema/openapi.json HTTP/1.1\r\nhost: localhost\r\n\r\n"
    async with (
        serving(settings=RestSettings(request_timeout=0.05)) as server,
        await anyio.connect_tcp("127.0.0.1", server.port) as stream,
    ):
        connections = server.server.server_state.connections
        await stream.send(ask * 400)
        await until(lambda: connections)
        await until(lambda: not connections)
