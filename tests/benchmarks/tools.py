"""A call of a tool of a local server, beside the bare library's; and what servers cost a start."""

import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import final

from attrs import define
from mcp import Client, StdioServerParameters
from returns.result import Failure

from caxton_adapters.clock import SystemClock
from caxton_adapters.providers.scripted.model import Scripted
from caxton_adapters.providers.scripted.scenario import read_scenario
from caxton_adapters.runtime.gate import Gate
from caxton_adapters.runtime.ticket import Incoming, Ticket
from caxton_adapters.testing.tools import caller_of
from caxton_core.agent.config import AgentConfig
from caxton_core.agent.sections import Permissions
from caxton_core.primitives import (
    AgentName,
    JsonObject,
    PermissionRule,
    ProviderName,
    SystemPrompt,
    ToolName,
    ToolPattern,
)
from caxton_core.tools.permission import Grant, grant
from caxton_core.tools.tool import ToolCall, ToolSucceeded
from tests.adapters.runtime.test_runtime import OneModel
from tests.benchmarks.effort import Effort
from tests.benchmarks.figures import (
    AtMost,
    Baseline,
    Below,
    Figure,
    Samples,
    TimesBaseline,
    in_turns,
)
from tests.benchmarks.histogram import Histogram
from tests.benchmarks.loops import run
from tests.benchmarks.product import caxton_server
from tests.fakes import in_memory
from tests.mcp_server import SCRIPT, small_server
from tests.mcp_server.serving import serving
from tests.model_server import model_server

_CALL = ToolCall("call_1", ToolName("small.echo"), JsonObject.of({"text": "hello"}))
_FIVE = "\n".join(
    f'[mcp.servers.server-{number}]\ncommand = "{sys.executable}"\nargs = ["-I", "-S", "{SCRIPT}"]'
    for number in range(5)
)


def measure(effort: Effort) -> Iterator[Figure]:
    """The calls in turns, then the starts in turns."""
    yield from run(_calls(effort))
    with model_server() as models:
        yield _starts(effort, models.url)


@final
@define
class _Seat:
    """A turn's place at a desk that nobody else uses."""

    granted: Grant

    def step_aside(self, ticket: Ticket) -> None:
        """Nobody is asked."""

    async def come_back(self, ticket: Ticket) -> None:
        """Nobody was asked."""

    def refused(self) -> None:
        """Nothing is refused."""


async def _calls(effort: Effort) -> list[Figure]:
    blocks: list[tuple[float, float]] = []
    tail = Histogram()
    async with _bare() as bare, _through_a_turn() as whole:
        for call in (bare, whole):
            await _block(call, 20)
        for _ in range(effort.blocks * 3):
            taken = [await _block(call, effort.calls) for call in (bare, whole)]
            blocks.append((taken[0].percentile(50), taken[1].percentile(50)))
            tail.merge(taken[1])
    library, turn = (Samples(values) for values in zip(*blocks, strict=True))
    above = Samples(tuple(ours - theirs for theirs, ours in blocks))
    base = Baseline(library.middle * 1e3, "bare session call")
    return [
        Figure(
            "local tool call in a turn's step, above the bare session",
            above.middle * 1e3,
            "ms",
            base,
            Below(1),
            AtMost(0.3),
        ),
        Figure(
            "local tool call end to end",
            turn.middle * 1e3,
            "ms",
            base,
            AtMost(100),
            AtMost(5),
            f"p99 {tail.percentile(99) * 1e3:.2f} ms",
        ),
    ]


@asynccontextmanager
async def _bare() -> AsyncIterator[Callable[[], Awaitable[object]]]:
    """The library alone: its client, its pipe, the same server."""
    server = StdioServerParameters(command=sys.executable, args=["-I", "-S", str(SCRIPT)])
    async with Client(server) as client:
        yield partial(client.call_tool, "echo", {"text": "hello"})


@asynccontextmanager
async def _through_a_turn() -> AsyncIterator[Callable[[], Awaitable[object]]]:
    """As a turn makes the call: permission, breaker, deadline, schema, events, connection."""
    scenario = read_scenario('[[rules]]\nanswer = "yes"\n')
    assert not isinstance(scenario, Failure)
    model = OneModel(Scripted(ProviderName("play"), scenario.unwrap()))
    with tempfile.TemporaryDirectory() as place:
        async with serving(Path(place) / "lock", {"small": small_server()}) as servers:
            await servers.reach(["small"])
            world = in_memory(model, tools=servers, clock=SystemClock())
            allow = (PermissionRule("small.*"),)
            config = AgentConfig(
                AgentName("clerk"),
                SystemPrompt("You file."),
                tools=(ToolPattern("small.*"),),
                permissions=Permissions(allow=allow),
            )
            caller = caller_of(_CALL)
            ticket = Ticket(
                1,
                caller.message,
                caller.conversation,
                caller.agent,
                config.name,
                Incoming("hello"),
                world.clock.now(),
                0.0,
            )
            gate = Gate(world, ticket, _Seat(grant(config, servers.offered())), 30.0, ())
            assert isinstance(await gate.result(_CALL, caller), ToolSucceeded)
            yield partial(gate.result, _CALL, caller)


async def _block(call: Callable[[], Awaitable[object]], calls: int) -> Histogram:
    taken = Histogram()
    for _ in range(calls):
        before = perf_counter()
        await call()
        taken.add(int((perf_counter() - before) * 1e9))
    return taken


def _starts(effort: Effort, model_url: str) -> Figure:
    without, with_five = in_turns(
        effort.blocks * 2,
        partial(_seconds_to_health, model_url, ""),
        partial(_seconds_to_health, model_url, _FIVE),
    )
    return Figure(
        "server start with 5 tool servers configured",
        with_five.middle * 1e3,
        "ms",
        Baseline(without.middle * 1e3, "without"),
        TimesBaseline(1.1),
        TimesBaseline(1.03),
    )


def _seconds_to_health(model_url: str, more: str) -> float:
    with caxton_server(model_url, more=more) as server:
        return server.seconds_to_health
