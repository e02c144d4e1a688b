"""The supervised connection with a remote server: what it survives, and what it says meanwhile."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import final

import anyio
import anyio.lowlevel
import pytest
from attrs import define

from caxton_adapters.clock import SystemClock
from caxton_adapters.mcp.connection import Connection, Means
from caxton_adapters.mcp.listed import Answered, Declined, ListedTool, Lost, Unreachable
from caxton_adapters.mcp.oauth.authenticating import with_logins
from caxton_adapters.mcp.oauth.table import OAuthTable
from caxton_adapters.mcp.registration import Registration, ServerUrl
from caxton_adapters.runtime.toolbox import ServerState
from caxton_core.primitives import Duration, Size
from tests.remote_tools import App, Message, Protected, Receive, Send, remote_tools
from tests.waiting import until


@asynccontextmanager
async def supervised(
    url: str, *, data_dir: Path | None = None, max_frame: int = 100_000, connect_timeout: float = 10
) -> AsyncIterator[Connection]:
    async def on_tools(_: tuple[ListedTool, ...]) -> None: ...

    oauth = None if data_dir is None else OAuthTable()
    written = Registration(
        url=ServerUrl(url),
        oauth=oauth,
        max_frame=Size(max_frame),
        connect_timeout=Duration(connect_timeout),
    )
    authenticate = with_logins(data_dir or Path("/nowhere"))
    means = Means(SystemClock(), Path("/nowhere"), jitter=lambda: 0.1, authenticate=authenticate)
    connection = Connection("small", written, means, on_tools)
    with anyio.fail_after(60):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(connection.run)
            yield connection
            tasks.cancel_scope.cancel()


async def test_a_server_that_comes_back_is_used_again() -> None:
    async with remote_tools() as server, supervised(server.url) as connection:
        assert await connection.call("echo", {}, "1") == Answered("xxxxx")
        await server.vanish()
        assert isinstance(await connection.call("echo", {}, "2"), Lost | Unreachable)
        async with remote_tools(port=server.port):
            await until(lambda: connection.state is ServerState.CONNECTED)
            assert await connection.call("echo", {}, "3") == Answered("xxxxx")
            assert connection.connects >= 2


async def test_a_call_that_waits_is_lost_with_its_server() -> None:
    outcomes: list[object] = []

    async def wait(connection: Connection) -> None:
        outcomes.append(await connection.call("hang", {}, "1"))

    async with (
        remote_tools() as server,
        supervised(server.url) as connection,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(wait, connection)
        await until(lambda: server.hanging == 1)
        await server.vanish()
    assert isinstance(outcomes[0], Lost)


async def test_an_answer_that_is_too_long_costs_no_connection() -> None:
    async with remote_tools() as server, supervised(server.url) as connection:
        outcome = await connection.call("long", {"bytes": 1_000_000}, "1")
        assert isinstance(outcome, Declined | Lost)
        assert await connection.call("echo", {}, "2") == Answered("xxxxx")


MANY = 20_000


@final
@define(eq=False)
class Asking:
    """A server whose answer to a call is one question after the other, and that takes no answer."""

    asked: int = 0

    def around(self, app: App, _: str) -> App:
        """Stand before the tools."""

        async def asking(scope: Message, receive: Receive, send: Send) -> None:
            headers = dict(scope.get("headers", ()))
            if scope.get("method") == "POST" and b"mcp-method" not in headers:
                await anyio.sleep_forever()
            if headers.get(b"mcp-method") == b"tools/call":
                await self._ask(send)
            else:
                await app(scope, receive, send)

        return asking

    async def _ask(self, send: Send) -> None:
        long = {"_meta": {"long": "x" * 1000}}
        kind = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": kind})
        while self.asked < MANY:
            await anyio.lowlevel.checkpoint()
            self.asked += 1
            question = {"jsonrpc": "2.0", "id": f"q{self.asked}", "method": "ping", "params": long}
            event = f"data: {json.dumps(question)}\n\n".encode()
            await send({"type": "http.response.body", "body": event, "more_body": True})


async def test_a_server_that_asks_without_end_and_takes_no_answer_is_ended() -> None:
    bad = Asking()
    async with (
        remote_tools(around=bad.around) as server,
        supervised(server.url, connect_timeout=2) as connection,
    ):
        outcome = await connection.call("echo", {}, "1")
        assert outcome == Lost("it asks, and does not take the answers")
        assert bad.asked < MANY


async def test_a_server_that_wants_a_login_is_out_of_reach_and_says_how(tmp_path: Path) -> None:
    async with (
        remote_tools(around=Protected().around) as server,
        supervised(server.url, data_dir=tmp_path) as connection,
    ):
        outcome = await connection.call("echo", {}, "1")
    assert isinstance(outcome, Unreachable)
    assert "caxton mcp login small" in outcome.why


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/mcp", "https://nowhere.invalid/mcp"])
async def test_an_address_where_nobody_is_says_why(url: str) -> None:
    async with supervised(url) as connection:
        outcome = await connection.call("echo", {}, "1")
    assert isinstance(outcome, Unreachable)
    assert "connect" in outcome.why or "unknown" in outcome.why
