"""A remote server of tools on a free port of this machine, open or protected, ended by its context.

    async with remote_tools() as server:
        ...                       # server.url, server.requests, await server.vanish()

The protected one has its authorization server beside it: `Protected` holds what was granted.
"""

import asyncio
import base64
import hashlib
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager, nullcontext
from typing import Any, TypeAlias, cast, final
from urllib.parse import parse_qs, urlencode

import uvicorn
from attrs import define, field
from mcp.server import Server, ServerRequestContext
from mcp_types import (
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
    Tool,
)

from tests.waiting import until

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Message, Receive, Send], Awaitable[None]]

NUMBER = {"type": "object", "properties": {"bytes": {"type": "integer"}}}
TOOLS = [
    Tool(name="echo", input_schema={"type": "object"}),
    Tool(name="long", input_schema=NUMBER),
    Tool(name="hang", input_schema={"type": "object"}),
]


async def listed(
    _: ServerRequestContext[Any], __: PaginatedRequestParams | None
) -> ListToolsResult:
    return ListToolsResult(tools=TOOLS)


@final
@define(eq=False)
class RemoteTools:
    """What was asked, and the way to end it."""

    url: str = ""
    requests: list[tuple[str, dict[str, str]]] = field(factory=list)
    forgetful: bool = False
    hanging: int = 0
    _serving: uvicorn.Server | None = None
    _task: "asyncio.Task[None] | None" = None

    async def called(
        self, _: ServerRequestContext[Any], params: CallToolRequestParams
    ) -> CallToolResult:
        """Say as much as is asked for, or nothing ever."""
        if params.name == "hang":
            self.hanging += 1
            await asyncio.Event().wait()
        size = cast("int", (params.arguments or {}).get("bytes", 5))
        return CallToolResult(content=[TextContent(type="text", text="x" * size)])

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.url.rpartition(":")[2].partition("/")[0])

    async def vanish(self) -> None:
        """Close every connection and the port."""
        assert self._serving is not None
        assert self._task is not None
        self._serving.should_exit = self._serving.force_exit = True
        for connection in list(self._serving.server_state.connections):
            connection.transport.abort()
        await self._task


@asynccontextmanager
async def remote_tools(
    *,
    json_response: bool = False,
    around: Callable[[App, str], App] | None = None,
    port: int = 0,
) -> AsyncIterator[RemoteTools]:
    """Serve; `around` may stand before the tools, and is told the server's own address."""
    server = RemoteTools()
    tools = Server("small", version="1.0", on_list_tools=listed, on_call_tool=server.called)
    mcp = cast("App", tools.streamable_http_app(json_response=json_response))
    bound = socket.create_server(("127.0.0.1", port))
    base = f"http://127.0.0.1:{bound.getsockname()[1]}"
    app = mcp if around is None else around(mcp, base)
    server.url = f"{base}/mcp"

    async def noted(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = {name.decode(): value.decode() for name, value in scope["headers"]}
            server.requests.append((f"{scope['method']} {scope['path']}", headers))
            if server.forgetful and "mcp-session-id" in headers:
                await answer(send, 404, {})
                return
        await app(scope, receive, send)

    config = uvicorn.Config(noted, log_config=None, timeout_graceful_shutdown=1)
    serving = uvicorn.Server(config)
    serving.capture_signals = nullcontext  # type: ignore[assignment] # signals are the tests' own
    task = asyncio.create_task(serving.serve([bound]))
    server._serving, server._task = serving, task
    try:
        await until(lambda: serving.started)
        yield server
    finally:
        if not task.done():
            await server.vanish()


async def answer(send: Send, status: int, body: object, **headers: str) -> None:
    """A response in JSON."""
    content = (body if isinstance(body, str) else json.dumps(body)).encode()
    named = {"content_type": "application/json", **headers}
    pairs = [(key.replace("_", "-").encode(), value.encode()) for key, value in named.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": content})


@final
@define(eq=False)
class Protected:
    """An authorization server, and the door that it guards."""

    lasts: int = 3600
    refuses: bool = False
    documents: bool = False
    secret: str = ""
    registered: list[dict[str, Any]] = field(factory=list)
    grants: list[str] = field(factory=list)
    valid: set[str] = field(factory=set)
    refreshing: set[str] = field(factory=set)
    _codes: dict[str, str] = field(factory=dict)
    _count: int = 0

    def around(self, app: App, base: str) -> App:
        """Stand before the tools."""

        async def guarded(scope: Message, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            path = scope["path"]
            if path == "/mcp":
                await self._door(scope, receive, send, app, base)
            elif path.startswith("/.well-known/oauth-protected-resource"):
                await answer(
                    send, 200, {"resource": f"{base}/mcp", "authorization_servers": [base]}
                )
            elif path == "/.well-known/oauth-authorization-server":
                await answer(send, 200, self._metadata(base))
            elif path == "/tokens/register":
                about = json.loads(await _body(receive))
                self.registered.append(about)
                await answer(send, 201, {**about, "client_id": "registered"})
            elif path == "/tokens/authorize":
                await self._authorize(scope, send)
            elif path == "/tokens/token":
                await self._token(await _body(receive), dict(scope["headers"]), send)
            else:
                await answer(send, 404, {})

        return guarded

    async def _door(
        self, scope: Message, receive: Receive, send: Send, app: App, base: str
    ) -> None:
        shown = dict(scope["headers"]).get(b"authorization", b"").decode().removeprefix("Bearer ")
        if shown in self.valid:
            await app(scope, receive, send)
            return
        where = f"{base}/.well-known/oauth-protected-resource/mcp"
        await answer(
            send, 401, {}, www_authenticate=f'Bearer resource_metadata="{where}", scope="tools"'
        )

    def _metadata(self, base: str) -> dict[str, object]:
        return {
            "issuer": base,
            "authorization_endpoint": f"{base}/tokens/authorize",
            "token_endpoint": f"{base}/tokens/token",
            "registration_endpoint": f"{base}/tokens/register",
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"],
            "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
            "token_endpoint_auth_methods_supported": ["none", "client_secret_basic"],
            "client_id_metadata_document_supported": self.documents,
        }

    async def _authorize(self, scope: Message, send: Send) -> None:
        asked = {key: each[0] for key, each in parse_qs(scope["query_string"].decode()).items()}
        assert asked["code_challenge_method"] == "S256"
        self._codes["code"] = asked["code_challenge"]
        said = {"error": "access_denied"} if self.refuses else {"code": "code"}
        query = urlencode({**said, "state": asked["state"]})
        await answer(send, 302, {}, location=f"{asked['redirect_uri']}?{query}")

    async def _token(self, body: bytes, headers: dict[bytes, bytes], send: Send) -> None:
        asked = {key: each[0] for key, each in parse_qs(body.decode()).items()}
        grant = asked["grant_type"]
        good = {
            "authorization_code": lambda: (
                self._codes.pop(asked["code"]) == _challenge(asked["code_verifier"])
            ),
            "refresh_token": lambda: asked["refresh_token"] in self.refreshing,
            "client_credentials": lambda: _password(headers) == self.secret,
        }[grant]()
        if not good:
            await answer(send, 400, {"error": "invalid_grant"})
            return
        self._count += 1
        self.grants.append(grant)
        token, refresh = f"access-{self._count}", f"refresh-{self._count}"
        self.valid.add(token)
        granted = {"access_token": token, "token_type": "Bearer", "expires_in": self.lasts}
        if grant != "client_credentials":
            self.refreshing = {refresh}
            granted["refresh_token"] = refresh
        await answer(send, 200, granted)


def _challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _password(headers: dict[bytes, bytes]) -> str:
    given = headers.get(b"authorization", b"Basic ").decode().removeprefix("Basic ")
    return base64.b64decode(given).decode().partition(":")[2]


async def _body(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += cast("bytes", message.get("body", b""))
        if not message.get("more_body"):
            return body
