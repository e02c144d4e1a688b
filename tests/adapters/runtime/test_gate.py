"""What stands before a call counts when its turn comes, and no wait holds others up."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from datetime import timedelta

import anyio
import pytest
from attrs import evolve
from returns.result import Failure, Success

from caxton_adapters.clock import SystemClock
from caxton_adapters.providers.scripted.model import Scripted
from caxton_adapters.providers.scripted.scenario import read_scenario
from caxton_adapters.runtime.approvals import (
    MOST_CHARACTERS,
    AlreadyAnswered,
    Approvals,
    Request,
    approval_id,
)
from caxton_adapters.runtime.refusals import TurnsInFlight
from caxton_adapters.runtime.ticket import Incoming
from caxton_adapters.runtime.world import MOST_PATHS
from caxton_core.agent.sections import Permissions
from caxton_core.agent.toml import read_agent
from caxton_core.conversation.outcome import Answered
from caxton_core.events import ApprovalGiven, CallBegun, CallRefused
from caxton_core.primitives import (
    AgentId,
    AgentName,
    ConversationId,
    JsonObject,
    MessageId,
    PermissionRule,
    ProviderName,
    ToolName,
)
from caxton_core.tools.approval import Approval, Approved, Denied, Expired, Said
from caxton_core.tools.conditions import Real
from caxton_core.tools.permission import Effect, grant
from caxton_core.tools.tool import Tool, ToolCall
from tests.adapters.runtime.test_approvals import (
    ASKING,
    answer_of,
    asked,
    asking,
    done,
    done_at_once,
    sent,
)
from tests.adapters.runtime.test_recovery import WRITER, Servers, SlowFiles
from tests.adapters.runtime.test_runtime import OneModel
from tests.adapters.runtime.test_storage_trouble import Disk
from tests.fakes import Heard, in_memory
from tests.waiting import until

ALONE = "[resources]\nmax_concurrent_turns = 1\n"
SHORT = '[resources]\nturn_timeout = "400ms"\n'
DENIED = Permissions(deny=(PermissionRule("files.*"),))


def calling(*calls: str) -> Scripted:
    scenario = f"""\
[[rules]]
contains = "many"
calls = [{", ".join(calls)}]
then = "done"

[[rules]]
regex = "(?s)(.*)"
answer = "you said: {{{{request}}}}"
"""
    return Scripted(ProviderName("scripted"), done(read_scenario(scenario)))


def writing(path: str) -> str:
    return f'{{tool = "files.write", arguments = {{path = "{path}"}}}}'


TWELVE = calling(*(writing(str(number)) for number in range(12)))


async def test_what_is_taken_away_counts_for_calls_that_have_not_begun() -> None:
    files = SlowFiles()
    async with Servers().next(files, TWELVE) as runtime:
        ticket = await sent(runtime, "many")
        await until(lambda: len(files.called) == 8)
        runtime.world.rulebook.adopt(policy=DENIED)
        files.open.set()
        await answer_of(ticket)
        assert len(files.called) == 8


async def test_an_approved_call_has_begun_only_when_it_is_made() -> None:
    servers, files = Servers(), SlowFiles()
    async with servers.next(files, TWELVE) as runtime:
        done(await runtime.replace("writer", ASKING))
        ticket = await sent(runtime, "many")
        await until(lambda: len(runtime.approvals.waiting()) == 12)
        for each in runtime.approvals.waiting():
            done(await runtime.approvals.answer(each.approval.id.value, Approved("ada")))
        await until(lambda: len(files.called) == 8)
        await anyio.sleep(0.05)
        assert len(servers.of(CallBegun)) == 8
        files.open.set()
        await answer_of(ticket)
        assert len(servers.of(CallBegun)) == 12


async def test_a_call_that_is_denied_after_its_approval_has_not_begun() -> None:
    servers = Servers()
    async with asking(servers, done_at_once()) as runtime:
        ticket = await sent(runtime)
        request = await asked(runtime)
        runtime.world.rulebook.adopt(policy=DENIED)
        done(await runtime.approvals.answer(request.approval.id.value, Approved("ada")))
        await answer_of(ticket)
        assert servers.of(CallBegun) == []


async def test_an_end_waits_for_a_tool_at_work_though_another_call_waits_for_a_person() -> None:
    servers, files = Servers(), SlowFiles()
    model = calling(writing("a"), '{tool = "files.quick", arguments = {path = "b"}}')
    config = WRITER.replace('allow = ["files.*"]', 'allow = ["files.*"]\nask = ["files.quick"]')
    async with servers.next(files, model) as runtime, anyio.create_task_group() as tasks:
        done(await runtime.replace("writer", config))
        ticket = await sent(runtime, "many")
        await asked(runtime)
        await until(lambda: len(files.called) == 1)
        drained = anyio.Event()

        async def end() -> None:
            await runtime.drain(30)
            drained.set()

        tasks.start_soon(end)
        await anyio.sleep(0.2)
        assert not drained.is_set()
        files.open.set()
        with anyio.fail_after(10):
            await drained.wait()
    async with servers.next(done_at_once(), model) as runtime:
        again = done(await runtime.message(ticket.message.value))
        await asked(runtime)
        assert again.outcome is None


async def test_an_end_waits_for_nothing_behind_a_call_that_waits_for_a_person() -> None:
    async with asking(Servers(), done_at_once()) as runtime:
        for text in ("write", "hello"):
            done(await runtime.accept("writer", Incoming(text, ConversationId("one"))))
        await asked(runtime)
        with anyio.fail_after(10):
            await runtime.drain(60)


async def test_an_agent_whose_call_waits_for_a_person_stops_only_by_force() -> None:
    async with asking(Servers(), done_at_once()) as runtime:
        await sent(runtime)
        await asked(runtime)
        with anyio.fail_after(10):
            refused = await runtime.stop("writer")
        assert refused == Failure(TurnsInFlight(AgentName("writer"), 1))
        assert isinstance(await runtime.stop("writer", force=True), Success)


async def test_a_message_behind_a_call_that_waits_keeps_its_time() -> None:
    async with asking(Servers(), done_at_once(), SHORT) as runtime:
        one = ConversationId("one")
        first = done(await runtime.accept("writer", Incoming("write", one)))
        request = await asked(runtime)
        second = done(await runtime.accept("writer", Incoming("hello", one)))
        await anyio.sleep(0.6)
        done(await runtime.approvals.answer(request.approval.id.value, Approved("ada")))
        await answer_of(first)
        assert isinstance(await second.done(), Answered)


async def test_all_that_are_approved_at_once_still_run_in_their_number() -> None:
    files = SlowFiles()
    async with asking(Servers(), files, ALONE) as runtime:
        tickets = [await sent(runtime) for _ in range(6)]
        await until(lambda: len(runtime.approvals.waiting()) == 6)
        for each in runtime.approvals.waiting():
            done(await runtime.approvals.answer(each.approval.id.value, Approved("ada")))
        await until(lambda: len(files.called) == 1)
        await anyio.sleep(0.1)
        assert len(files.called) == 1
        files.open.set()
        for ticket in tickets:
            assert await answer_of(ticket) == "written: done so"


UNDER_SRV = WRITER.replace('allow = ["files.*"]', 'allow = ["files.*:path=/srv/**"]')


def writing_many(count: int) -> Scripted:
    paths = ", ".join(f'"/srv/{number}"' for number in range(count))
    return calling(f'{{tool = "files.write", arguments = {{path = [{paths}]}}}}')


@pytest.mark.parametrize(("count", "made"), [(MOST_PATHS // 2, 1), (MOST_PATHS + 1, 0)])
async def test_more_paths_than_can_be_looked_up_are_denied(count: int, made: int) -> None:
    servers, files = Servers(), done_at_once()
    async with servers.next(files, writing_many(count)) as runtime:
        done(await runtime.replace("writer", UNDER_SRV))
        await answer_of(await sent(runtime, "many"))
        assert len(files.called) == made
        assert len(servers.of(CallRefused)) == 1 - made


async def test_rules_that_change_while_paths_are_looked_up_count() -> None:
    config = done(read_agent(UNDER_SRV)).config
    tools = (Tool(ToolName("files.write"), "Writes.", JsonObject()),)
    call = ToolCall("1", ToolName("files.write"), JsonObject.of({"path": "/srv/a"}))

    def looked_up(_: ToolName, paths: Collection[str]) -> Real:
        world.rulebook.adopt(policy=DENIED)
        return {path: path for path in paths}

    world = evolve(in_memory(OneModel(TWELVE)), real=looked_up)
    assert (await world.decided(grant(config, tools), call)).effect is Effect.DENY


def request(seconds: float, number: int = 0, text: str = "") -> Request:
    now = SystemClock().now()
    call = ToolCall("1", ToolName("files.write"), JsonObject.of({"text": text}))
    until_ = now + timedelta(seconds=seconds)
    return Request(
        Approval(approval_id(f"key {number}"), call, now, until_),
        AgentId("11111111-1111-4111-8111-111111111111"),
        AgentName("writer"),
        MessageId("message"),
        ConversationId("conversation"),
    )


@asynccontextmanager
async def waiting(disk: Disk, asked_: Request) -> AsyncIterator[tuple[Approvals, list[Said]]]:
    """Somebody waits for a person; what was said is in the list."""
    approvals, said = Approvals(disk, Heard(), SystemClock()), list[Said]()

    async def wait() -> None:
        said.append(await approvals.wait(asked_))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait)
        await until(lambda: bool(approvals.waiting()))
        yield approvals, said
        tasks.cancel_scope.cancel()


async def test_an_answer_counts_though_whoever_gave_it_went_away() -> None:
    asked_ = request(60)
    async with waiting(Disk(slow=True), asked_) as (approvals, said):
        with anyio.move_on_after(0.01):
            await approvals.answer(asked_.approval.id.value, Approved("ada"))
        await until(lambda: said == [Approved("ada")])


async def test_of_two_answers_at_the_same_time_the_first_counts_and_the_second_is_told() -> None:
    asked_ = request(60)
    id_ = asked_.approval.id.value
    async with waiting(Disk(slow=True), asked_) as (approvals, said):
        answers = list[object]()

        async def answer(by: Approved | Denied) -> None:
            answers.append(await approvals.answer(id_, by))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(answer, Approved("ada"))
            tasks.start_soon(answer, Denied("bob"))
        (first,) = (each for each in answers if isinstance(each, Success))
        (second,) = (each for each in answers if isinstance(each, Failure))
        assert first == Success(asked_)
        await until(lambda: bool(said))
        assert second == Failure(AlreadyAnswered(id_, said[0]))


async def test_an_answer_that_could_not_be_recorded_may_be_given_again() -> None:
    disk, asked_ = Disk(full=(ApprovalGiven,), slow=True), request(60)
    async with waiting(disk, asked_) as (approvals, said):
        assert isinstance(
            await approvals.answer(asked_.approval.id.value, Approved("ada")), Failure
        )
        assert approvals.waiting() == [asked_]
        disk.full = ()
        done(await approvals.answer(asked_.approval.id.value, Approved("ada")))
        await until(lambda: said == [Approved("ada")])


async def test_an_approval_expires_as_soon_as_that_can_be_recorded() -> None:
    disk, asked_ = Disk(full=(ApprovalGiven,)), request(0.02)
    async with waiting(disk, asked_) as (_, said):
        await until(lambda: disk.refused > 1)
        assert said == []
        disk.full = ()
        await until(lambda: said == [Expired()])


async def test_answers_are_remembered_in_so_many_characters() -> None:
    approvals = Approvals(Disk(), Heard(), SystemClock())
    asked_ = [request(60, number, "x" * (MOST_CHARACTERS // 3)) for number in range(4)]
    async with anyio.create_task_group() as tasks:
        for each in asked_:
            tasks.start_soon(approvals.wait, each)
        await until(lambda: len(approvals.waiting()) == 4)
        for each in asked_:
            done(await approvals.answer(each.approval.id.value, Approved("ada")))
    known = [isinstance(approvals.find(each.approval.id.value), Success) for each in asked_]
    assert known == [False, False, True, True]
