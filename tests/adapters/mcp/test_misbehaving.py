"""Servers of tools that die, hang, flood and lie: calls end in time, and nothing is left behind."""

import logging
import os
import signal
import sys
from pathlib import Path
from time import perf_counter

import anyio
import psutil
import pytest

from caxton_adapters.mcp.registration import Command, Registration
from caxton_adapters.runtime.toolbox import ServerState
from caxton_core.tools.tool import ToolFailed, ToolResult, ToolSucceeded
from tests.acceptance.criteria import criterion
from tests.mcp_server import SCRIPT, small_server, small_table
from tests.mcp_server.serving import call, ended, noted, serving, view
from tests.waiting import slowness, until

OVERHEAD = 0.5
LAG = 0.05


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    return tmp_path / "caxton.lock"


def why(result: ToolResult) -> str:
    assert isinstance(result, ToolFailed)
    return result.why


def says(result: ToolResult) -> str:
    assert isinstance(result, ToolSucceeded)
    return result.text


@pytest.mark.parametrize("moment", ["start", "initialize", "list"])
async def test_a_server_that_ends_while_connecting_says_why(lock: Path, moment: str) -> None:
    async with serving(lock, {"small": small_server(f"exit={moment}")}) as servers:
        reason = why(await call(servers, "small.echo", text="hi"))
        assert "small cannot be reached" in reason
        assert "exit code 3" in reason
        assert f"leaving at {moment}" in reason


@pytest.mark.parametrize("moment", ["initialize", "list"])
async def test_a_server_that_hangs_while_connecting_has_its_time(lock: Path, moment: str) -> None:
    written = small_server(f"hang={moment}", connect_timeout="1s")
    async with serving(lock, {"small": written}) as servers:
        await servers.test("small")  # whatever it takes to load the library
        began = perf_counter()
        assert "1 s" in why(await call(servers, "small.echo", text="hi"))
        assert perf_counter() - began < (1 + OVERHEAD) * slowness()


@criterion("STORY-040.3")
async def test_a_call_that_hangs_has_its_time(lock: Path) -> None:
    written = small_server("hang=call", timeout="300ms")
    async with serving(lock, {"small": written}) as servers:
        await servers.reach(["small"])
        began = perf_counter()
        assert why(await call(servers, "small.echo", text="hi")) == "no answer within 0.3 s"
        assert perf_counter() - began < (0.3 + OVERHEAD) * slowness()


async def test_a_server_that_answers_nothing_any_more_is_started_again(lock: Path) -> None:
    written = small_server("hang=call", timeout="200ms", connect_timeout="1s")
    async with serving(lock, {"small": written}) as servers:
        await servers.reach(["small"])
        assert view(servers).connects == 1
        await call(servers, "small.echo", text="hi")
        await until(lambda: view(servers).connects == 2)


async def test_whoever_waits_for_a_server_that_is_removed_hears_of_it(lock: Path) -> None:
    results: list[ToolResult] = []

    async with serving(lock, {}) as servers:

        async def make() -> None:
            results.append(await call(servers, "small.echo", text="hi"))

        await servers.add("small", small_table("hang=initialize"))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(make)
            await until(lambda: view(servers).state is ServerState.CONNECTING)
            await servers.remove("small")
    assert "not in use any more" in why(results[0])


@criterion("STORY-040.6")
async def test_a_server_that_dies_in_a_call_fails_it_at_once_and_is_started_again(
    lock: Path, tmp_path: Path
) -> None:
    written = small_server("die=call", f"note={tmp_path / 'notes'}", timeout="30s")
    async with serving(lock, {"small": written}) as servers:
        await servers.reach(["small"])
        for _ in range(3):
            began = perf_counter()
            result = why(await call(servers, "small.echo", text="hi"))
            assert "was lost during the call" in result
            assert perf_counter() - began < 3 * slowness()
        await until(lambda: view(servers).connects > 3)
    notes = (tmp_path / "notes").read_text()
    assert notes.count("call echo") == 3


async def test_arguments_that_cannot_be_written_harm_no_connection(lock: Path) -> None:
    async with serving(lock, {"small": small_server()}) as servers:
        refused = await call(servers, "small.echo", text="hi", more="\ud800")
        assert "cannot be written" in why(refused)
        assert says(await call(servers, "small.echo", text="hi")) == "hi"
        assert view(servers).connects == 1


@criterion("STORY-040.4")
@pytest.mark.parametrize("idempotent", [True, False])
async def test_a_call_that_may_be_made_twice_is_made_again(
    lock: Path, tmp_path: Path, *, idempotent: bool
) -> None:
    options = (f"first={tmp_path / 'died'}", f"note={tmp_path / 'notes'}")
    written = small_server(*options, tools={"echo": {"idempotent": idempotent}})
    async with serving(lock, {"small": written}, jitter=0.0) as servers:
        await servers.reach(["small"])
        result = await call(servers, "small.echo", text="hi")
    assert isinstance(result, ToolSucceeded) == idempotent
    calls = [line for line in (tmp_path / "notes").read_text().splitlines() if "call" in line]
    assert calls == ["call echo msg_1:1:call_1"] * (2 if idempotent else 1)


async def test_every_waiting_call_hears_of_the_end(lock: Path, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    results: list[ToolResult] = []

    async with serving(lock, {"small": small_server(f"note={notes}")}) as servers:

        async def make() -> None:
            results.append(await call(servers, "small.sleep"))

        async with anyio.create_task_group() as tasks:
            for _ in range(4):
                tasks.start_soon(make)
            pid = int((await noted(notes, "start")).split()[1])
            await until(lambda: notes.read_text().count("call sleep") == 4)
            os.kill(pid, signal.SIGKILL)
    assert ["was lost during the call" in why(result) for result in results] == [True] * 4


async def test_garbage_between_messages_is_left_alone(lock: Path) -> None:
    async with serving(lock, {"small": small_server("garbage=500")}) as servers:
        assert says(await call(servers, "small.echo", text="hi")) == "hi"


async def test_a_program_that_only_writes_garbage_is_quoted(lock: Path) -> None:
    written = small_server("garbage=5", "hang=initialize", connect_timeout="1s")
    async with serving(lock, {"small": written}) as servers:
        assert "this is no message 0" in why(await call(servers, "small.echo", text="hi"))


async def test_a_flood_of_errors_is_drained_and_its_end_kept(lock: Path) -> None:
    written = small_server("stderr=20000000", "exit=call")
    async with serving(lock, {"small": written}) as servers:
        assert "was lost" in why(await call(servers, "small.echo", text="hi"))
        await until(lambda: "leaving at call" in view(servers).reason or view(servers).connects > 1)


async def test_a_flood_of_notifications_starves_nobody(
    lock: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "caxton.mcp")
    async with serving(lock, {"small": small_server("flood=3000")}) as servers:
        assert says(await call(servers, "small.echo", text="hi")) == "hi"
    assert len(caplog.records) < 1000


async def test_a_server_that_asks_without_end_and_takes_no_answer_is_ended(
    lock: Path, tmp_path: Path
) -> None:
    notes = tmp_path / "notes"
    options = ("demand=20000", f"note={notes}")
    written = small_server(*options, connect_timeout="1s", elicitation="defaults")
    async with serving(lock, {"small": written}) as servers:
        assert says(await call(servers, "small.echo", text="hi")) == "hi"
        await until(lambda: "does not take the answers" in view(servers).reason)
        assert notes.read_text().count("asks") < 1000
        await until(lambda: view(servers).connects == 2)


async def test_a_question_that_is_too_large_to_wait_is_refused(lock: Path, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    options = ("demand=3000000", "take=1", f"note={notes}")
    async with serving(lock, {"small": small_server(*options)}) as servers:
        assert says(await call(servers, "small.echo", text="hi")) == "hi"
        await noted(notes, "-32602")


async def test_a_server_that_asks_much_and_takes_the_answers_is_answered(lock: Path) -> None:
    async with serving(lock, {"small": small_server("demand=10", "take=300")}) as servers:
        assert says(await call(servers, "small.echo", text="hi")) == "hi"
        assert says(await call(servers, "small.echo", text="again")) == "again"
        assert view(servers).connects == 1


async def test_answers_to_nobody_and_second_answers_are_left_alone(lock: Path) -> None:
    async with serving(lock, {"small": small_server()}) as servers:
        assert says(await call(servers, "small.twice")) == "first"
        assert says(await call(servers, "small.echo", text="hi")) == "hi"


@pytest.mark.parametrize("size", [32_000_000, 100_000_000])
async def test_a_line_without_end_ends_the_connection_and_blocks_nobody(
    lock: Path, size: int
) -> None:
    lags: list[float] = []

    async def watch() -> None:
        while True:
            began = perf_counter()
            await anyio.sleep(0.01)
            lags.append(perf_counter() - began - 0.01)

    async with serving(lock, {"small": small_server(f"endless={size}", timeout="60s")}) as servers:
        await servers.reach(["small"])
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(watch)
            result = why(await call(servers, "small.long"))
            tasks.cancel_scope.cancel()
        assert "longer than 4,194,304 bytes" in result
        assert sorted(lags)[len(lags) // 2] < LAG * slowness()
        assert max(lags, default=0.0) < 4 * LAG * slowness()
        await until(lambda: view(servers).connects == 2)
        assert says(await call(servers, "small.echo", text="hi")) == "hi"


async def test_a_large_answer_within_the_bound_arrives(lock: Path) -> None:
    written = small_server("line=3000000", max_result="4MB")
    async with serving(lock, {"small": written}) as servers:
        assert len(says(await call(servers, "small.long"))) == 3_000_000


async def test_a_command_that_is_not_there_is_named(lock: Path) -> None:
    written = {
        "nowhere": Registration(command=Command("no-such-program")),
        "lost": small_server(cwd="/no/such/directory"),
    }
    async with serving(lock, written) as servers:
        assert "there is no program no-such-program" in why(await call(servers, "nowhere.a"))
        assert "there is no directory /no/such/directory" in why(await call(servers, "lost.a"))


async def test_a_server_that_does_not_want_to_end_is_made_to_with_all_its_children(
    lock: Path, tmp_path: Path
) -> None:
    notes = tmp_path / "notes"
    written = small_server("children=1", "deaf=1", f"note={notes}")
    async with serving(lock, {"small": written}) as servers:
        await servers.reach(["small"])
        pids = [int(pid) for pid in (await noted(notes, "pids")).split()[1:]]
        began = perf_counter()
    assert perf_counter() - began < 7 * slowness()
    await ended(*pids)


async def test_children_of_a_server_that_ended_by_itself_are_ended(
    lock: Path, tmp_path: Path
) -> None:
    notes = tmp_path / "notes"
    written = small_server("children=1", "exit=list", f"note={notes}")
    async with serving(lock, {"small": written}) as servers:
        assert "exit code 3" in why(await call(servers, "small.echo", text="hi"))
        pids = [int(pid) for pid in (await noted(notes, "pids")).split()[1:]]
        await ended(*pids)


KILLED = """
import sys
from pathlib import Path
import anyio
from tests.mcp_server import small_server
from tests.mcp_server.serving import serving

async def main():
    notes, lock, uvloop = sys.argv[1:]
    written = small_server("children=1", "deaf=1", f"note={notes}")
    async with serving(Path(lock), {"small": written}) as servers:
        await servers.reach(["small"])
        sys.stdout.write("reached\\n")
        sys.stdout.flush()
        await anyio.sleep_forever()

anyio.run(main, backend_options={"use_uvloop": sys.argv[3] == "uvloop"})
"""


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
async def test_nothing_outlives_a_server_that_is_killed(
    lock: Path, tmp_path: Path, loop: str
) -> None:
    notes = tmp_path / "notes"
    command = [sys.executable, "-c", KILLED, str(notes), str(lock), loop]
    root = SCRIPT.parents[2]
    async with await anyio.open_process(command, stdin=None, stderr=None, cwd=root) as process:
        assert process.stdout is not None
        assert await process.stdout.receive() == b"reached\n"
        children = psutil.Process(process.pid).children(recursive=True)
        process.kill()
    pids = [int(pid) for pid in (await noted(notes, "pids")).split()[1:]]
    assert set(pids) <= {child.pid for child in children}
    await ended(*(child.pid for child in children))


async def test_a_server_that_crashes_in_a_loop_is_tried_less_and_less_often(
    lock: Path, tmp_path: Path
) -> None:
    notes = tmp_path / "notes"
    written = small_server("exit=start", f"note={notes}")
    async with serving(lock, {"small": written}, jitter=1.0) as servers:
        await servers.reach(["small"])
        with anyio.move_on_after(2):
            await anyio.sleep_forever()
        assert view(servers).state in {ServerState.WAITING, ServerState.CONNECTING}
    assert notes.read_text().count("start") <= 6
