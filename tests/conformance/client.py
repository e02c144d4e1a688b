"""The client that the conformance suite starts, once for each scenario: our code, told by ours.

The suite says what it wants in the environment, and where its server is in the last argument.
"""

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import httpx2

from caxton_adapters.mcp.ending import Ending
from caxton_adapters.mcp.http import http_transport
from caxton_adapters.mcp.listed import ListedTool
from caxton_adapters.mcp.oauth.login import interactive
from caxton_adapters.mcp.oauth.loopback import loopback
from caxton_adapters.mcp.oauth.providers import auth_for
from caxton_adapters.mcp.oauth.table import ClientId, Grant, OAuthTable, OAuthUrl
from caxton_adapters.mcp.registration import Elicitation, Registration, ServerUrl
from caxton_adapters.mcp.said import Said
from caxton_adapters.mcp.session import Session, Watcher, session
from caxton_adapters.setting_values import WrittenSecret
from caxton_core.primitives import ServerName

NAME = ServerName("conformance")
DOCUMENT = "https://conformance-test.local/client-metadata.json"
SAMPLES: Mapping[str, object] = {"number": 5, "integer": 5, "string": "x", "boolean": True}


async def main(url: str, scenario: str, context: Mapping[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        async with authentication(url, scenario, context, Path(directory)) as auth:
            async with connected(url, auth) as conversation:
                await use(conversation, context)


async def use(conversation: Session, context: Mapping[str, Any]) -> None:
    """Call every tool that is listed, with the arguments that the scenario wants where it does."""
    tools = await conversation.tools()
    wanted = context.get("toolCalls")
    calls = (
        [(call["name"], call["arguments"]) for call in wanted]
        if wanted
        else [(tool.name, sample(tool, tools)) for tool in tools]
    )
    for name, arguments in calls:
        print(name, arguments, await conversation.call(name, arguments))


def sample(tool: ListedTool, tools: tuple[ListedTool, ...]) -> dict[str, Any]:
    """Arguments that the tool's schema allows; an echo of a schema is sent the schema."""
    if tool.name == "json_schema_echo":
        return {"schema": next(each.parameters for each in tools if each is not tool)}
    properties = cast("Mapping[str, Any]", tool.parameters.get("properties", {}))
    required = cast("list[str]", tool.parameters.get("required", []))
    return {name: SAMPLES.get(properties[name].get("type")) for name in required}


@asynccontextmanager
async def connected(url: str, auth: httpx2.Auth | None) -> AsyncIterator[Session]:
    written = Registration(url=ServerUrl(url), elicitation=Elicitation.DEFAULTS)
    transport = http_transport(
        url,
        headers={},
        connect_timeout=written.connect_timeout.value,
        max_bytes=written.max_frame.value,
        private_network=False,
        auth=auth,
    )
    watcher = Watcher(Said(NAME.value), Ending(), lambda: None)
    async with session(NAME.value, written, transport, watcher) as conversation:
        yield conversation


@asynccontextmanager
async def authentication(
    url: str, scenario: str, context: Mapping[str, Any], directory: Path
) -> AsyncIterator[httpx2.Auth | None]:
    if not scenario.startswith("auth/"):
        yield None
        return
    table = await oauth_of(url, scenario, context)
    if table.grant is Grant.CLIENT_CREDENTIALS:
        yield auth_for(NAME, url, table, directory)
        return
    async with loopback(0) as waiting:
        yield interactive(url, table, directory / "login.json", waiting, browse)


async def oauth_of(url: str, scenario: str, context: Mapping[str, Any]) -> OAuthTable:
    """What an operator would write who was told what the scenario tells."""
    alone = scenario.startswith("auth/client-credentials")
    client_id, secret = context.get("client_id"), context.get("client_secret")
    return OAuthTable(
        grant=Grant.CLIENT_CREDENTIALS if alone else Grant.AUTHORIZATION_CODE,
        client_id=ClientId(client_id) if client_id else None,
        client_secret=WrittenSecret(secret) if secret else None,
        issuer=OAuthUrl(await issuer_of(url)) if alone else None,
        client_metadata_url=OAuthUrl(DOCUMENT),
    )


async def issuer_of(url: str) -> str:
    """The authorization server that the operator would have been told."""
    async with httpx2.AsyncClient() as client:
        refusal = await client.post(url, json={})
        challenge = refusal.headers["www-authenticate"]
        where = challenge.partition('resource_metadata="')[2].partition('"')[0]
        found = (await client.get(where)).json()
    return str(found["authorization_servers"][0])


async def browse(authorization_url: str) -> None:
    """The person's browser, which follows the redirect back to this machine."""
    async with httpx2.AsyncClient(follow_redirects=True) as browser:
        await browser.get(authorization_url)


if __name__ == "__main__":
    told = os.environ.get("MCP_CONFORMANCE_CONTEXT")
    asyncio.run(
        main(
            sys.argv[-1],
            os.environ["MCP_CONFORMANCE_SCENARIO"],
            json.loads(told) if told else {},
        )
    )
