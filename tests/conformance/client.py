"""The client that the conformance suite starts, once for each scenario: our code, told by ours.

The suite says what it wants in the environment, and where its server is in the last argument.
"""

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import httpx2
from anyio import create_task_group

from caxton_adapters.clock import SystemClock
from caxton_adapters.mcp.connection import Connection, Means
from caxton_adapters.mcp.listed import ListedTool
from caxton_adapters.mcp.oauth.authenticating import Authenticate, unauthenticated
from caxton_adapters.mcp.oauth.login import interactive
from caxton_adapters.mcp.oauth.loopback import loopback
from caxton_adapters.mcp.oauth.providers import auth_for
from caxton_adapters.mcp.oauth.table import ClientId, Grant, OAuthTable, OAuthUrl, Signing
from caxton_adapters.mcp.registration import Elicitation, Registration, ServerUrl
from caxton_adapters.setting_values import WrittenSecret
from caxton_core.primitives import Duration, ServerName

NAME = "conformance"
DOCUMENT = "https://conformance-test.local/client-metadata.json"
SAMPLES: Mapping[str, object] = {"number": 5, "integer": 5, "string": "x", "boolean": True}


async def main(url: str, scenario: str, context: Mapping[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        async with authenticated(url, scenario, context, Path(directory)) as authenticate:
            await use(url, authenticate, context)


async def use(url: str, authenticate: Authenticate, context: Mapping[str, Any]) -> None:
    """Connect, and call every tool that is listed, or those that the scenario wants."""
    tools: list[ListedTool] = []

    async def on_tools(listed: tuple[ListedTool, ...]) -> None:
        tools[:] = listed

    written = Registration(
        url=ServerUrl(url),
        elicitation=Elicitation.DEFAULTS,
        timeout=Duration(60),
        connect_timeout=Duration(60),
    )
    means = Means(SystemClock(), Path("/nowhere"), authenticate=authenticate)
    connection = Connection(NAME, written, means, on_tools)
    async with create_task_group() as tasks:
        tasks.start_soon(connection.run)
        unreachable = await connection.connected()
        for name, arguments in () if unreachable else calls(tools, context):
            print(name, arguments, await connection.call(name, arguments, "key"))
        tasks.cancel_scope.cancel()


def calls(
    tools: Sequence[ListedTool], context: Mapping[str, Any]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Calls with the arguments that the scenario wants, where it does.

    What it wants null is left out: a tool's schema says that the argument is a boolean or absent.
    """
    wanted = context.get("toolCalls")
    if wanted is None:
        yield from ((tool.name, sample(tool, tools)) for tool in tools)
        return
    for call in wanted:
        given = {key: value for key, value in call["arguments"].items() if value is not None}
        yield call["name"], given


def sample(tool: ListedTool, tools: Sequence[ListedTool]) -> dict[str, Any]:
    """Arguments that the tool's schema allows; an echo of a schema is sent the schema."""
    if tool.name == "json_schema_echo":
        return {"schema": next(each.parameters for each in tools if each is not tool)}
    properties = cast("Mapping[str, Any]", tool.parameters.get("properties", {}))
    required = cast("list[str]", tool.parameters.get("required", []))
    return {name: SAMPLES.get(properties[name].get("type")) for name in required}


@asynccontextmanager
async def authenticated(
    url: str, scenario: str, context: Mapping[str, Any], directory: Path
) -> AsyncIterator[Authenticate]:
    if not scenario.startswith("auth/"):
        yield unauthenticated
        return
    table = await oauth_of(url, scenario, context)
    if table.grant is Grant.CLIENT_CREDENTIALS:
        credentials = auth_for(ServerName(NAME), url, table, directory)
        yield lambda _, __: credentials
        return
    async with loopback(0) as waiting:
        person = interactive(url, table, directory / "login.json", waiting, browse)
        yield lambda _, __: person


async def oauth_of(url: str, scenario: str, context: Mapping[str, Any]) -> OAuthTable:
    """What an operator would write who was told what the scenario tells."""
    alone = scenario.startswith("auth/client-credentials")
    client_id, secret = context.get("client_id"), context.get("client_secret")
    key = context.get("private_key_pem")
    return OAuthTable(
        grant=Grant.CLIENT_CREDENTIALS if alone else Grant.AUTHORIZATION_CODE,
        client_id=ClientId(client_id) if client_id else None,
        client_secret=WrittenSecret(secret) if secret else None,
        signing_key=WrittenSecret(key) if key else None,
        signing=Signing(context.get("signing_algorithm", "ES256")),
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
