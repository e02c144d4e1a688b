"""A whole server on a real socket: the runtime, a scripted model, and whoever asks."""

import socket
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import final

import anyio
import httpx2
import pytest
from attrs import define, field, frozen
from returns.result import Failure, Result, Success

from caxton_adapters.auth.tokens import Tokens
from caxton_adapters.clock import SystemClock
from caxton_adapters.configs.in_memory import InMemoryConfigs
from caxton_adapters.health.component import Component, Status
from caxton_adapters.memory.in_memory import InMemoryMemory
from caxton_adapters.providers.scripted.model import Scripted
from caxton_adapters.providers.scripted.scenario import read_scenario
from caxton_adapters.rest.api import RestApi
from caxton_adapters.rest.audit import AuditLog
from caxton_adapters.rest.policies import ReadAgain
from caxton_adapters.rest.providers import ListedProvider
from caxton_adapters.rest.serving import RestServer
from caxton_adapters.rest.settings import RestSettings
from caxton_adapters.runtime.feed import EventFeed
from caxton_adapters.runtime.isolation.choice import Hosts
from caxton_adapters.runtime.policing import Policing
from caxton_adapters.runtime.runtime import Runtime, running
from caxton_core.agent.sections import Isolation
from caxton_core.conversation.model import ModelRequest, ProviderUnknown
from caxton_core.ports import Clock, Model, Tools
from caxton_core.primitives import ProviderName, Usd
from tests.fakes import ToolServersInADict, in_memory

SCRIPTED = ProviderName("scripted")
QUICK = """
[[rules]]
contains = "boom"
fail = "service_fault"

[[rules]]
answer = "You said: {{request}}"
"""
SLOW = (
    QUICK
    + """
[streaming]
delay = "10m"
"""
)
GREETER = """
name = "greeter"
capabilities = ["greeting"]
system_prompt = "You greet people."
"""


@final
@frozen
class OneModel:
    """Every name but one unknown one finds the same model."""

    model: Model

    def find(self, name: ProviderName | None) -> Result[Model, ProviderUnknown]:
        if name is None or name == SCRIPTED:
            return Success(self.model)
        return Failure(ProviderUnknown(name, (SCRIPTED,)))

    async def quote(self, _: ProviderName | None, __: ModelRequest) -> Usd | None:
        return Usd(10**6)


@final
@frozen
class Served:
    """A server that answers, and a client that asks it."""

    url: str
    port: int
    client: httpx2.AsyncClient
    runtime: Runtime
    feed: EventFeed
    server: RestServer
    api: RestApi


@final
@define
class Part:
    """A part of the server that does as it is told."""

    component: Component = field(factory=lambda: Component("database"))
    started: bool = True

    def fail(self) -> None:
        self.component = Component("database", Status.FAIL, "disk I/O error", {"last_success": "x"})

    def warn(self) -> None:
        self.component = Component("database", Status.WARN, "slow")


def scripted(scenario: str) -> Model:
    read = read_scenario(scenario)
    assert not isinstance(read, Failure), read
    return Scripted(SCRIPTED, read.unwrap())


DEFAULTS = RestSettings()


@asynccontextmanager
async def serving(  # noqa: PLR0913 - one for each part that a test may want otherwise
    scenario: str = QUICK,
    settings: RestSettings = DEFAULTS,
    *agents: str,
    part: Part | None = None,
    clock: Clock | None = None,
    tools: Tools | None = None,
    toolbox: ToolServersInADict | None = None,
    reached: ToolServersInADict | None = None,
    tokens: Tokens | None = None,
    log: AuditLog | None = None,
    policing: Policing | None = None,
    again: ReadAgain | None = None,
    tls: ssl.SSLContext | None = None,
    beside: Sequence[socket.socket] = (),
) -> AsyncIterator[Served]:
    """The server; the servers of tools that are `reached` agents have reached at their start.

    It answers at the sockets `beside` its port too.
    """
    model, feed = scripted(scenario), EventFeed()
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    url = f"http{'' if tls is None else 's'}://127.0.0.1:{port}"
    listed = ListedProvider(name=SCRIPTED, kind="scripted", default=True, port=lambda: model)
    offered = toolbox if tools is None else tools
    world = in_memory(
        OneModel(model), tools=offered, events=feed, clock=clock or SystemClock(), toolbox=reached
    )
    hosts = Hosts(default=Isolation.TASK)
    configs = InMemoryConfigs()
    async with running(world, configs=configs, hosts=hosts, policing=policing) as runtime:
        parts = () if part is None else (lambda: part.component,)
        api = RestApi(
            runtime,
            feed,
            (listed,),
            settings,
            parts,
            lambda: part is None or part.started,
            memory=InMemoryMemory(),
            toolbox=toolbox,
            policy=again,
            tokens=tokens,
            log=log,
        )
        server = RestServer(api.application, settings, tls=tls, drain=api.drain)
        for agent in agents or (GREETER,):
            assert not isinstance(await runtime.deploy(agent), Failure)
        async with (
            httpx2.AsyncClient(base_url=url, timeout=20, trust_env=False) as client,
            anyio.create_task_group() as tasks,
        ):
            tasks.start_soon(server.serve, [listener, *beside])
            yield Served(url, port, client, runtime, feed, server, api)
            server.stop_at_once()


@pytest.fixture
async def server() -> AsyncIterator[Served]:
    async with serving() as served:
        yield served


async def until(condition: Callable[[], object]) -> None:
    """Wait for what the server does in its own time."""
    with anyio.fail_after(20):
        while not condition():  # noqa: ASYNC110 - nothing else tells of it
            await anyio.sleep(0.001)


async def raw(server: Served, sent: bytes) -> bytes:
    """Send bytes on a connection of their own; everything that comes back until it ends."""
    async with await anyio.connect_tcp("127.0.0.1", server.port) as stream:
        await stream.send(sent)
        received = b""
        with anyio.fail_after(20):
            async for piece in stream:
                received += piece
        return received


def events_of(text: str) -> list[tuple[str, str]]:
    """The names and data of server-sent events."""
    blocks = [block.split("\n") for block in text.split("\n\n") if "event: " in block]
    return [
        (
            next(line[7:] for line in block if line.startswith("event: ")),
            next(line[6:] for line in block if line.startswith("data: ")),
        )
        for block in blocks
    ]
