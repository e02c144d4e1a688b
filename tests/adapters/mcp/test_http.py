"""The way to a remote server, over both wires, and what its failures are to others."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

import anyio
import pytest
from anyio.lowlevel import checkpoint
from mcp.client import Client
from mcp.shared.exceptions import MCPError

from caxton_adapters.egress import EgressRefused
from caxton_adapters.mcp.answering_client import BETWEEN_STREAMS
from caxton_adapters.mcp.http import http_transport
from tests.acceptance.criteria import criterion
from tests.raw_server import Act, chunked, raw_server, response
from tests.remote_tools import App, Message, Receive, Send, answer, remote_tools
from tests.waiting import until

Wire = Literal["legacy", "auto"]
WIRES: tuple[tuple[Wire, str], ...] = (("legacy", "2025-11-25"), ("auto", "2026-07-28"))
both_wires = pytest.mark.parametrize(("mode", "revision"), WIRES)
MOST = 50_000


@asynccontextmanager
async def connected(url: str, mode: Wire = "auto", **headers: str) -> AsyncIterator[Client]:
    transport = http_transport(
        url, headers=headers, connect_timeout=5, max_bytes=MOST, private_network=False
    )
    async with Client(transport, mode=mode, cache=None) as client:
        yield client


async def echoed(client: Client, size: int = 5) -> str:
    content = (await client.call_tool("long", {"bytes": size})).content[0]
    assert content.type == "text"
    return content.text


@criterion("STORY-020.2")
@both_wires
async def test_tools_of_a_remote_server_are_listed_and_called(mode: Wire, revision: str) -> None:
    async with remote_tools() as server, connected(server.url, mode) as client:
        assert client.protocol_version == revision
        assert "echo" in {tool.name for tool in (await client.list_tools()).tools}
        assert await echoed(client) == "xxxxx"


async def test_the_headers_of_the_registration_go_with_every_request() -> None:
    async with remote_tools() as server, connected(server.url, authorization="Bearer a") as client:
        await echoed(client)
        assert server.requests
        assert all(headers["authorization"] == "Bearer a" for _, headers in server.requests)


@both_wires
@pytest.mark.parametrize("json_response", [True, False])
async def test_a_message_that_is_too_long_fails_its_call_alone(
    mode: Wire, revision: str, *, json_response: bool
) -> None:
    del revision
    async with (
        remote_tools(json_response=json_response) as server,
        connected(server.url, mode) as client,
    ):
        with pytest.raises(MCPError, match=r"larger than|exceeded"):
            await echoed(client, 10 * MOST)
        assert await echoed(client) == "xxxxx"


async def test_what_a_server_sends_wrong_does_not_fill_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with remote_tools(json_response=True) as server, connected(server.url) as client:
        with pytest.raises(MCPError):
            await echoed(client, 10 * MOST)
    assert not [record for record in caplog.records if record.name.startswith("mcp.client")]


@both_wires
async def test_a_server_that_vanishes_fails_the_calls_that_wait_and_nobody_else(
    mode: Wire, revision: str
) -> None:
    del revision
    failures: list[str] = []

    async def wait(client: Client) -> None:
        try:
            await client.call_tool("hang", {})
        except MCPError as error:
            failures.append(error.message)

    with anyio.fail_after(10):
        async with remote_tools() as server, connected(server.url, mode) as client:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(wait, client)
                await until(lambda: server.hanging == 1)
                await server.vanish()
            with pytest.raises(MCPError):
                await echoed(client)
            await checkpoint()  # which raises where the owner was cancelled
    assert len(failures) == 1


@both_wires
async def test_a_server_that_is_gone_ends_the_stream_of_messages(mode: Wire, revision: str) -> None:
    del revision
    async with remote_tools() as server, connected(server.url, mode) as client:
        await server.vanish()
        messages = []
        for _ in range(2):
            with pytest.raises(MCPError) as failed:
                await echoed(client)
            messages.append(failed.value.message)
            await anyio.sleep(0.05)
        assert messages[-1] == "Connection closed"


async def test_a_server_that_forgot_the_session_ends_the_stream_of_messages() -> None:
    async with remote_tools() as server, connected(server.url, "legacy") as client:
        await echoed(client)
        server.forgetful = True
        with pytest.raises(MCPError):
            await echoed(client)
        await anyio.sleep(0.05)
        with pytest.raises(MCPError, match="Connection closed"):
            await echoed(client)


async def test_where_nobody_listens_the_reason_is_told() -> None:
    async with raw_server((Act.CLOSE,)) as server:
        url = server.url
    assert "connection attempts failed" in await refusal_of(url)


async def test_a_refusal_that_is_no_message_of_the_protocol_is_told() -> None:
    refusal = response(b"who are you?", status="403 Forbidden", kind="text/html")
    async with raw_server((refusal,)) as server:
        assert await refusal_of(server.url) == "the server answers 403 Forbidden"


async def test_a_refusal_without_end_is_not_read_to_its_end() -> None:
    endless = chunked(*[b"x" * 10_000] * 6, end=b"", status="500 Oops")
    async with raw_server((endless, Act.HANG)) as server:
        assert await refusal_of(server.url) == "the server answers 500 Oops"


async def test_an_answer_in_halves_is_an_error_and_no_exception() -> None:
    half = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{"
    async with raw_server((half, Act.CLOSE)) as server:
        assert "closed connection" in await refusal_of(server.url)


async def test_a_redirect_elsewhere_is_not_followed() -> None:
    async with raw_server((response(b"{}"),)) as other:
        location = f"location: {other.url}/mcp"
        moved = response(b"", location, status="307 Temporary Redirect")
        async with raw_server((moved,)) as server:
            assert "not followed" in await refusal_of(server.url)
        assert not other.requests


async def refusal_of(url: str) -> str:
    """Why there is no connection."""
    with pytest.RaisesGroup(MCPError, flatten_subgroups=True) as failed:
        async with connected(url):
            pass
    return str(leaf(failed.value))


def leaf(error: BaseException) -> BaseException:
    return leaf(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error


@pytest.mark.parametrize(
    "url", ["http://169.254.169.254/mcp", "https://10.0.0.1/mcp", "http://x.org"]
)
def test_an_address_out_of_reach_is_no_server(url: str) -> None:
    with pytest.raises(EgressRefused):
        http_transport(url, headers={}, connect_timeout=1, max_bytes=1, private_network=False)


async def test_closing_does_not_wait_for_a_server_that_is_silent() -> None:
    """A farewell is polite, and has two seconds."""
    async with remote_tools(around=lambda app, _: _deaf_to_farewells(app)) as server:
        with anyio.fail_after(8):
            async with connected(server.url, "legacy") as client:
                await echoed(client)


async def test_a_server_that_wants_to_be_heard_again_at_once_is_made_to_wait() -> None:
    async with (
        remote_tools(around=lambda app, _: _breathless(app)) as server,
        connected(server.url, "legacy") as client,
    ):
        began = anyio.current_time()
        await until(lambda: asked(server.requests, "GET /mcp") == 5)
        assert anyio.current_time() - began > 3 * BETWEEN_STREAMS
        await echoed(client)


def asked(requests: list[tuple[str, dict[str, str]]], what: str) -> int:
    return [each for each, _ in requests].count(what)


def _breathless(app: App) -> App:
    async def breathless(scope: Message, receive: Receive, send: Send) -> None:
        if scope.get("method") == "GET":
            await answer(send, 200, "retry: 0\n\n", content_type="text/event-stream")
            return
        await app(scope, receive, send)

    return breathless


def _deaf_to_farewells(app: App) -> App:
    async def deaf(scope: Message, receive: Receive, send: Send) -> None:
        if scope.get("method") == "DELETE":
            await anyio.sleep_forever()
        await app(scope, receive, send)

    return deaf
