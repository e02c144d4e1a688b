"""The way to a remote server: the SDK's streamable HTTP over a client that guards every request.

The SDK lets an error of the network cancel whoever owns the connection, and tells nobody why.
Here its tasks have an owner of their own, each failed request is answered with the reason, and a
server that is gone, or has forgotten the session, ends the stream of messages.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeAlias

import httpx2
from anyio import (
    BrokenResourceError,
    ClosedResourceError,
    Event,
    create_task_group,
    to_thread,
)
from anyio.abc import TaskStatus
from mcp.client.auth import OAuthFlowError
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._stream_protocols import ReadStream, WriteStream
from mcp.shared.message import SessionMessage
from returns.result import Failure

from caxton_adapters.egress import EgressRefused, Guard, guarded_transport
from caxton_adapters.mcp.answering_client import AnsweringClient

if TYPE_CHECKING:
    from mcp.client import Transport

Streams: TypeAlias = tuple[ReadStream[SessionMessage | Exception], WriteStream[SessionMessage]]


def http_transport(
    url: str,
    *,
    headers: Mapping[str, str],
    connect_timeout: float,
    max_bytes: int,
    private_network: bool,
    auth: httpx2.Auth | None = None,
) -> "Transport":
    """The streams of messages to and from a server; an address out of reach is `EgressRefused`.

    A message is at most `max_bytes`. `headers` go to the server's own origin and nowhere else.
    """
    guard = Guard.over(
        url,
        headers=headers,
        connect_timeout=connect_timeout,
        max_bytes=max_bytes,
        private_network=private_network,
    )
    if isinstance(guard, Failure):
        raise EgressRefused(guard.failure())
    return _connected(url, guard.unwrap(), auth)


@asynccontextmanager
async def _connected(url: str, guard: Guard, auth: httpx2.Auth | None) -> AsyncIterator[Streams]:
    over = Event()
    tls = await to_thread.run_sync(httpx2.create_ssl_context)
    client = AnsweringClient(guarded_transport(guard, tls), guard.timeout, auth=auth, gone=over.set)
    async with client, create_task_group() as owner:
        streams: Streams = await owner.start(_run, url, client, guard.max_bytes, over)
        try:
            yield streams
        finally:
            over.set()


async def _run(
    url: str,
    client: httpx2.AsyncClient,
    max_bytes: int,
    over: Event,
    *,
    task_status: TaskStatus[Streams],
) -> None:
    """Hold the SDK's tasks until it is over, or until they fail: then the streams end, no more."""
    try:
        async with streamable_http_client(
            url, http_client=client, max_sse_event_size=max_bytes
        ) as streams:
            task_status.started(streams)
            await over.wait()
    except* (
        httpx2.HTTPError,
        httpx2.StreamError,
        OAuthFlowError,
        BrokenResourceError,
        ClosedResourceError,
    ):
        over.set()
