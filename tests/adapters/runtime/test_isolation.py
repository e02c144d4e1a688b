"""Both hosts decide turns alike; one of them in a process that can be killed."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from attrs import define, field
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from caxton_adapters.runtime import codec
from caxton_adapters.runtime.isolation.connection import Connection
from caxton_adapters.runtime.isolation.forking import Zygote
from caxton_adapters.runtime.isolation.frames import BrokenFrame, FrameReader, framed
from caxton_adapters.runtime.isolation.host import Host, HostDied, InPlace
from caxton_adapters.runtime.isolation.places import Places
from caxton_adapters.runtime.isolation.processes import InProcess, ProcessLimits
from caxton_core.conversation.message import Message, SystemMessage
from caxton_core.conversation.model import Completion, FinishReason, Sampling
from caxton_core.conversation.past import NOTHING, Past
from caxton_core.conversation.turn import (
    AskModel,
    Candidate,
    ModelAnswered,
    Observation,
    Reply,
    Turn,
    TurnRules,
    advance,
    begin,
)
from caxton_core.limits import Usage
from caxton_core.primitives import Duration, TokenCount
from caxton_core.testing.conversation import histories, observations, texts, turn_rules
from tests.acceptance.criteria import criterion
from tests.waiting import PATIENCE, until

RULES = TurnRules(
    system=SystemMessage("You greet."),
    template="{{request}}",
    parameters={},
    candidates=(Candidate(None, None),),
    sampling=Sampling(0.7),
    timeout=Duration(60.0),
    window=TokenCount(4000),
    max_exchanges=50,
    max_tool_rounds=16,
    tokens_per_turn=None,
)
ANSWERED = ModelAnswered(Completion("Hi", FinishReason.STOP, Usage(1, 2), "some-model"))
PLENTY = 256 * 1024 * 1024


@define
class Watch:
    started: list[int] = field(factory=list)
    ended: list[tuple[int, str]] = field(factory=list)
    died: list[tuple[int, str]] = field(factory=list)

    def process_started(self, pid: int) -> None:
        self.started.append(pid)

    def process_ended(self, pid: int, why: str) -> None:
        self.ended.append((pid, why))

    def process_died(self, pid: int, why: str) -> None:
        self.died.append((pid, why))


@pytest.fixture
async def zygote() -> AsyncIterator[Zygote]:
    zygote = Zygote()
    yield zygote
    await zygote.close()


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture(params=["task", "process"])
async def host(request: pytest.FixtureRequest, zygote: Zygote, watch: Watch) -> AsyncIterator[Host]:
    in_process = InProcess(RULES, zygote, ProcessLimits(PLENTY, 60.0), watch)
    host = in_process if request.param == "process" else InPlace(RULES)
    yield host
    await over(host)


async def test_a_turn_is_decided_step_by_step(host: Host) -> None:
    first = await host.begin(1, NOTHING, "Hello")
    assert first == begin(RULES, NOTHING, "Hello").step
    assert await host.advance(1, ANSWERED) == advance(begin(RULES, NOTHING, "Hello"), ANSWERED).step


async def test_a_turn_that_was_begun_elsewhere_goes_on_from_what_was_observed(host: Host) -> None:
    assert isinstance(await host.begin(1, NOTHING, "Hello", ANSWERED), Reply)


async def test_many_turns_are_held_side_by_side(host: Host) -> None:
    async with anyio.create_task_group() as together:

        async def turn(number: int) -> None:
            step = await host.begin(number, NOTHING, f"Message {number}")
            assert isinstance(step, AskModel)
            assert f"Message {number}" in str(step.request)
            assert isinstance(await host.advance(number, ANSWERED), Reply)
            host.forget(number)

        for number in range(50):
            together.start_soon(turn, number)


@criterion("STORY-005.5")
async def test_the_processor_time_of_an_agent_is_counted(host: Host) -> None:
    for number in range(20):
        await host.begin(number, NOTHING, "Hello")
        await host.advance(number, ANSWERED)
        host.forget(number)
    assert host.use().cpu_seconds > 0


@criterion("STORY-005.1", "STORY-005.5")
async def test_a_process_of_its_own_has_an_id_and_memory_that_can_be_measured(
    zygote: Zygote, watch: Watch
) -> None:
    async with process(zygote, watch) as host:
        await host.begin(1, NOTHING, "Hello")
        await host.advance(1, ANSWERED)
        use = host.use()
        assert use.pid is not None
        assert use.pid not in {os.getpid(), zygote.pid}
        assert use.memory_bytes is not None
        assert 1_000_000 < use.memory_bytes < PLENTY


async def test_a_killed_process_loses_its_turns_and_another_one_takes_them_up(
    zygote: Zygote, watch: Watch
) -> None:
    async with process(zygote, watch) as host:
        await host.begin(1, NOTHING, "Hello")
        kill(host)
        with pytest.raises(HostDied):
            await host.advance(1, ANSWERED)
        assert isinstance(await host.begin(1, NOTHING, "Hello", ANSWERED), Reply)
        assert watch.died == [(watch.started[0], "killed by SIGKILL")]


async def test_a_turn_that_meets_a_dying_process_hears_how_it_ended(
    zygote: Zygote, watch: Watch
) -> None:
    async with process(zygote, watch) as host:
        await host.begin(1, NOTHING, "Hello")
        assert zygote.pid is not None
        os.kill(zygote.pid, signal.SIGSTOP)  # what it knows comes late
        kill(host)
        await until(lambda: host._live is not None and host._live._transport is None)
        asyncio.get_running_loop().call_later(0.05, os.kill, zygote.pid, signal.SIGCONT)
        with pytest.raises(HostDied, match="SIGKILL"):
            await host.begin(2, NOTHING, "Hello")
        assert len(watch.died) == 1


async def test_a_turn_whose_process_answers_nonsense_hears_of_it() -> None:
    loop = asyncio.get_running_loop()
    connection = Connection(lambda _: None, await Places().take())
    ours, theirs = socket.socketpair()
    await loop.create_unix_connection(lambda: connection, sock=ours)
    with theirs, anyio.fail_after(PATIENCE):
        theirs.sendall(framed(["step", 1, {"is": "Nonsense"}]))
        connection.exited(1)
        with pytest.raises(HostDied, match="protocol"):
            await connection.ask(1, ["advance"])


async def test_a_process_is_ended_when_nobody_needs_it(zygote: Zygote, watch: Watch) -> None:
    async with process(zygote, watch, idle=0.01) as host:
        await host.begin(1, NOTHING, "Hello")
        host.forget(1)
        await until(lambda: bool(watch.ended))
        assert host.use().pid is None
        assert watch.died == []


async def test_a_process_that_reaches_its_memory_limit_dies_alone_and_says_so(
    zygote: Zygote, watch: Watch
) -> None:
    async with (
        process(zygote, watch, memory=16 * 1024 * 1024) as host,
        process(zygote, Watch()) as neighbour,
    ):
        await neighbour.begin(1, NOTHING, "Hello")
        with pytest.raises(HostDied, match="memory limit"):
            await host.begin(1, NOTHING, "x" * 40_000_000)
        assert isinstance(await neighbour.advance(1, ANSWERED), Reply)


async def test_a_zygote_that_was_killed_is_started_again(zygote: Zygote, watch: Watch) -> None:
    async with process(zygote, watch) as host:
        await host.begin(1, NOTHING, "Hello")
        assert zygote.pid is not None
        os.kill(zygote.pid, signal.SIGKILL)
    async with process(zygote, watch) as another:
        with anyio.fail_after(PATIENCE):
            assert isinstance(await begun(another), AskModel)


async def test_more_processes_are_forked_at_once_than_requests_fit_into_a_socket(
    zygote: Zygote,
) -> None:
    ours: list[socket.socket] = []
    ended: list[int] = []

    async def fork() -> None:
        ours.append((await zygote.fork(PLENTY, ended.append))[0])

    async with anyio.create_task_group() as forking:
        for _ in range(400):
            forking.start_soon(fork)
    for each in ours:
        each.close()
    await until(lambda: ended == [0] * 400)


@criterion("STORY-002.6")
async def test_no_process_outlives_the_zygote(zygote: Zygote, watch: Watch) -> None:
    host = InProcess(RULES, zygote, ProcessLimits(PLENTY, 60.0), watch)
    await host.begin(1, NOTHING, "Hello")
    await zygote.close()
    await over(host)
    gone = Path(f"/proc/{watch.started[0]}")
    await until(lambda: not gone.exists())


async def test_an_idle_process_gives_its_place_and_a_busy_one_keeps_it(
    zygote: Zygote, watch: Watch
) -> None:
    places, limits = Places(1), ProcessLimits(PLENTY, 60.0)
    first, second = (InProcess(RULES, zygote, limits, watch, places) for _ in range(2))
    await first.begin(1, NOTHING, "Hello")
    with anyio.move_on_after(0.05) as patience:
        await second.begin(1, NOTHING, "Hello")
    assert patience.cancelled_caught
    await first.advance(1, ANSWERED)
    first.forget(1)
    with anyio.fail_after(PATIENCE):
        await second.begin(1, NOTHING, "Hello")
    assert (places.taken, len(watch.ended), watch.died) == (1, 1, [])
    await over(first)
    await over(second)


async def test_a_process_that_dies_gives_its_place_back(zygote: Zygote, watch: Watch) -> None:
    places = Places(1)
    host = InProcess(RULES, zygote, ProcessLimits(PLENTY, 60.0), watch, places)
    await host.begin(1, NOTHING, "Hello")
    kill(host)
    await until(lambda: places.taken == 0)
    with anyio.fail_after(PATIENCE):
        assert isinstance(await begun(host), AskModel)
    await over(host)


async def begun(host: Host) -> object:
    while True:
        try:
            return await host.begin(2, NOTHING, "Hello")
        except HostDied:
            await anyio.sleep(0.01)


@asynccontextmanager
async def process(
    zygote: Zygote, watch: Watch, *, memory: int = PLENTY, idle: float = 60.0
) -> AsyncIterator[InProcess]:
    host = InProcess(RULES, zygote, ProcessLimits(memory, idle), watch)
    yield host
    await over(host)


async def over(host: Host) -> None:
    for turn in (1, 2):
        host.forget(turn)
    await host.close()


def kill(host: InProcess) -> None:
    pid = host.use().pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)


@given(turn_rules, histories, texts, st.lists(observations, max_size=4))
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_whatever_a_turn_consists_of_crosses_the_wall_unchanged(
    rules: TurnRules, history: tuple[Message, ...], text: str, told: list[Observation]
) -> None:
    crossed = codec.rules(through(codec.plain_rules(rules)))
    assert crossed == rules
    turn: Turn = begin(rules, codec.past(through(codec.plain_past(Past(history)))), text)
    for observed in told:
        assert codec.observation(through(codec.plain_observation(observed))) == observed
        turn = advance(turn, observed)
        assert codec.step(through(codec.plain_step(turn.step))) == turn.step


def through(plain: object) -> object:
    (arrived,) = FrameReader().feed(framed(plain))
    return arrived


@given(st.lists(st.binary(max_size=40), max_size=8), st.integers(1, 7))
def test_frames_may_be_cut_anywhere(contents: list[bytes], size: int) -> None:
    stream = b"".join(framed(content) for content in contents)
    reader = FrameReader()
    pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
    assert [frame for piece in pieces for frame in reader.feed(piece)] == contents


def test_a_frame_that_claims_to_be_huge_is_refused() -> None:
    with pytest.raises(BrokenFrame):
        list(FrameReader().feed(b"\xff\xff\xff\xff"))
