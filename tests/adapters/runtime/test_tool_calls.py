"""A tool that gives no answer is left alone for a while; what tools answer reaches the turn."""

from collections.abc import Sequence
from typing import final

import anyio
import pytest
from attrs import define, field, frozen

from caxton_adapters.runtime.tool_calls import ToolCalls
from caxton_adapters.testing.tools import Subject, ToolsContract, caller_of
from caxton_core.primitives import JsonObject, ToolName
from caxton_core.resilience.breaker import FEWEST_CALLS, PROBES, SHORTEST_PAUSE, Closed, Open
from caxton_core.tools.tool import Caller, Tool, ToolCall, ToolFailed, ToolResult, ToolSucceeded
from tests.adapters.providers.guarded import StoppedClock
from tests.fakes import FilesInADict

SHORT = 0.01
CALL = ToolCall("call_1", ToolName("files.read"), JsonObject.of({"path": "/reports/may"}))
STRAY = ToolCall("call_2", ToolName("files.read"), JsonObject.of({"path": "/nowhere"}))


class Defect(Exception):
    """A tool that breaks instead of answering."""


@final
@define
class Mute:
    """Files that are read when they are well; else they say nothing, or break."""

    files: FilesInADict = field(factory=lambda: FilesInADict({"/reports/may": "all well"}))
    well: bool = False
    breaks: bool = False
    asked: int = 0

    def offered(self) -> Sequence[Tool]:
        return self.files.offered()

    async def call(self, call: ToolCall, caller: Caller) -> ToolResult:
        self.asked += 1
        if self.breaks:
            raise Defect
        if not self.well:
            await anyio.sleep_forever()
        return await self.files.call(call, caller)


@final
@frozen
class Guarded:
    """The guarded calls of some tools, as tools."""

    files: FilesInADict
    calls: ToolCalls

    def offered(self) -> Sequence[Tool]:
        return self.files.offered()

    async def call(self, call: ToolCall, caller: Caller) -> ToolResult:
        return await self.calls.make(call, caller, 30.0)


class TestGuarded(ToolsContract):
    @pytest.fixture
    def subject(self) -> Subject:
        files = FilesInADict({"/reports/may": "all well"})
        calls = ToolCalls(files, StoppedClock([]))
        return Subject(Guarded(files, calls), succeeding=(CALL,), failing=(STRAY,))


async def made(calls: ToolCalls, call: ToolCall = CALL, *, times: int = 1) -> ToolResult:
    """What the last of so many calls came to."""
    for _ in range(times - 1):
        await calls.make(call, caller_of(call), SHORT)
    return await calls.make(call, caller_of(call), SHORT)


async def test_a_tool_that_gives_no_answer_is_not_called_for_a_while() -> None:
    tools = Mute()
    calls = ToolCalls(tools, StoppedClock([]))
    silent = await made(calls, times=FEWEST_CALLS)
    assert silent == ToolFailed("call_1", "no answer within 0.01 s")
    held_back = await made(calls, times=5)
    assert held_back == ToolFailed(
        "call_1", "files.read gave no answer too often and is not called for 30 s"
    )
    assert tools.asked == FEWEST_CALLS
    assert isinstance(calls.breakers[CALL.name], Open)


async def test_a_tool_that_answers_again_is_called_again() -> None:
    tools, clock = Mute(), StoppedClock([])
    calls = ToolCalls(tools, clock)
    await made(calls, times=FEWEST_CALLS)
    tools.well = True
    clock.seconds += SHORTEST_PAUSE
    assert await made(calls, times=PROBES) == ToolSucceeded("call_1", "all well")
    assert isinstance(calls.breakers[CALL.name], Closed)


async def test_failures_that_a_tool_tells_do_not_hold_it_back() -> None:
    tools = Mute(well=True)
    calls = ToolCalls(tools, StoppedClock([]))
    told = await made(calls, STRAY, times=3 * FEWEST_CALLS)
    assert told == ToolFailed("call_2", "there is no /nowhere")
    assert tools.asked == 3 * FEWEST_CALLS


async def test_a_tool_that_breaks_is_held_back_too() -> None:
    tools = Mute(breaks=True)
    calls = ToolCalls(tools, StoppedClock([]))
    for _ in range(FEWEST_CALLS):
        with pytest.raises(Defect):
            await made(calls)
    assert isinstance(await made(calls), ToolFailed)
    assert tools.asked == FEWEST_CALLS


async def test_calls_that_nobody_waits_for_any_more_say_nothing_about_the_tool() -> None:
    tools = Mute()
    calls = ToolCalls(tools, StoppedClock([]))
    for _ in range(2 * FEWEST_CALLS):
        with anyio.move_on_after(SHORT):
            await calls.make(CALL, caller_of(CALL), 30.0)
    assert tools.asked == 2 * FEWEST_CALLS
    assert isinstance(calls.breakers[CALL.name], Closed)
