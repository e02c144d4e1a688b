"""Calls that wait for a person: the turn waits in the journal, then exactly that call is made."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

import anyio
import pytest
from returns.result import Failure, Result, Success

from caxton_adapters.runtime.approvals import AlreadyAnswered, Request, UnknownApproval
from caxton_adapters.runtime.rulebook import ServerRules
from caxton_adapters.runtime.runtime import Runtime
from caxton_adapters.runtime.ticket import Incoming, Ticket
from caxton_core.agent.sections import Permissions
from caxton_core.conversation.outcome import (
    Answered,
    MessageState,
    NotAnswered,
    OutcomeUnknown,
    Suspended,
)
from caxton_core.events import ApprovalAsked, CallRefused, ToolCalled
from caxton_core.primitives import JsonObject, PermissionRule, ToolName
from caxton_core.tools.approval import Approved, Denied, Expired
from caxton_core.tools.permission import Effect
from caxton_core.tools.tool import ToolCall
from tests.acceptance.criteria import criterion
from tests.adapters.runtime.test_recovery import WRITER, Servers, SlowFiles
from tests.waiting import until

T = TypeVar("T")

ASKING = WRITER.replace('allow = ["files.*"]', 'allow = ["files.*"]\nask = ["files.write"]')


def done(result: Result[T, object]) -> T:
    assert isinstance(result, Success), result
    return result.unwrap()


def done_at_once() -> SlowFiles:
    files = SlowFiles()
    files.open.set()
    return files


async def sent(runtime: Runtime, text: str = "write") -> Ticket:
    accepted = await runtime.accept("writer", Incoming(text))
    return done(accepted)


async def asked(runtime: Runtime) -> Request:
    await until(lambda: bool(runtime.approvals.waiting()))
    (request,) = runtime.approvals.waiting()
    return request


async def answer_of(ticket: Ticket) -> str:
    with anyio.fail_after(30):
        outcome = await ticket.done()
    assert isinstance(outcome, Answered), outcome
    return outcome.text


@asynccontextmanager
async def asking(servers: Servers, files: SlowFiles, more: str = "") -> AsyncIterator[Runtime]:
    async with servers.next(files) as runtime:
        assert isinstance(await runtime.replace("writer", ASKING + more), Success)
        yield runtime


async def test_a_call_is_made_when_a_person_approves_it() -> None:
    files = done_at_once()
    async with asking(Servers(), files) as runtime:
        ticket = await sent(runtime)
        request = await asked(runtime)
        assert request.approval.call.name == ToolName("files.write")
        assert request.approval.why == ("files.write",)
        assert ticket.state is MessageState.RUNNING
        assert files.called == []
        said = await runtime.approvals.answer(request.approval.id.value, Approved("ada"))
        assert isinstance(said, Success)
        assert await answer_of(ticket) == "written: done so"
        assert len(files.called) == 1
        assert runtime.approvals.waiting() == []


async def test_a_call_that_a_person_refuses_is_not_made_and_the_model_learns_why() -> None:
    files = done_at_once()
    async with asking(Servers(), files) as runtime:
        ticket = await sent(runtime)
        id_ = (await asked(runtime)).approval.id.value
        await runtime.approvals.answer(id_, Denied("ada", "not today"))
        assert "not today" in await answer_of(ticket)
        assert files.called == []
        again = await runtime.approvals.answer(id_, Approved("bob"))
        assert again == Failure(AlreadyAnswered(id_, Denied("ada", "not today")))


async def test_nobody_waits_for_a_person_for_ever() -> None:
    servers, files = Servers(), done_at_once()
    async with asking(servers, files) as runtime:
        runtime.world.rulebook.adopt(server=ServerRules(Permissions(), 0.05))
        ticket = await sent(runtime)
        assert "nobody confirmed" in await answer_of(ticket)
        (told,) = [each for each in servers.heard.events if isinstance(each, ApprovalAsked)]
        id_ = told.approval.id.value
        assert done(runtime.approvals.find(id_))[1] == Expired()
        assert isinstance(await runtime.approvals.answer(id_, Approved("late")), Failure)


async def test_an_approval_that_nobody_asked_for_is_not_known() -> None:
    async with asking(Servers(), done_at_once()) as runtime:
        answered = await runtime.approvals.answer("apr_x", Approved("ada"))
        assert answered == Failure(UnknownApproval("apr_x"))


async def test_a_turns_time_stands_still_while_a_person_thinks() -> None:
    more = '[resources]\nturn_timeout = "400ms"\n'
    async with asking(Servers(), done_at_once(), more) as runtime:
        ticket = await sent(runtime)
        request = await asked(runtime)
        await anyio.sleep(0.6)
        await runtime.approvals.answer(request.approval.id.value, Approved("ada"))
        assert await answer_of(ticket) == "written: done so"


async def test_turns_that_wait_for_a_person_take_no_others_place() -> None:
    more = "[resources]\nmax_concurrent_turns = 1\n"
    async with asking(Servers(), done_at_once(), more) as runtime:
        await sent(runtime)
        await asked(runtime)
        assert await answer_of(await sent(runtime, "hello")) == "you said: hello"


async def test_a_cancelled_message_asks_nobody_any_more() -> None:
    async with asking(Servers(), done_at_once()) as runtime:
        ticket = await sent(runtime)
        await asked(runtime)
        runtime.cancel(ticket)
        await ticket.done()
        assert ticket.state is MessageState.CANCELLED
        await until(lambda: not runtime.approvals.waiting())


@pytest.mark.parametrize("ends", [1, 7])
async def test_a_call_waits_through_restarts_and_then_exactly_that_call_is_made(ends: int) -> None:
    servers = Servers()
    async with asking(servers, SlowFiles()) as runtime:
        ticket = await sent(runtime)
        first = await asked(runtime)
        with anyio.fail_after(5):
            await runtime.drain(30)  # nobody waits for whom a person has to answer
        assert ticket.outcome is None
    for _ in range(ends - 1):
        async with servers.next(SlowFiles()) as runtime:
            assert (await asked(runtime)).approval == first.approval
    files = done_at_once()
    async with servers.next(files) as runtime:
        assert await asked(runtime) == first
        await runtime.approvals.answer(first.approval.id.value, Approved("ada"))
        again = await runtime.message(ticket.message.value)
        assert await answer_of(done(again)) == "written: done so"
    assert len(files.called) == 1
    asked_for = [each for each in servers.heard.events if isinstance(each, ApprovalAsked)]
    assert len(asked_for) == 1


async def test_a_call_that_waited_is_made_once_where_nobody_has_to_be_asked_any_more() -> None:
    servers = Servers()
    async with asking(servers, SlowFiles()) as runtime:
        ticket = await sent(runtime)
        await asked(runtime)
        assert isinstance(await runtime.replace("writer", WRITER), Success)
    slow = SlowFiles()
    async with servers.next(slow):
        await until(lambda: len(slow.called) == 1)
    files = done_at_once()
    async with servers.next(files) as runtime:
        outcome = await done(await runtime.message(ticket.message.value)).done()
    assert isinstance(outcome, NotAnswered)
    assert isinstance(outcome.why, OutcomeUnknown)
    assert files.called == []


async def test_a_word_against_a_call_counts_also_where_nobody_has_to_be_asked_any_more() -> None:
    servers = Servers()
    async with asking(servers, SlowFiles()) as runtime:
        ticket = await sent(runtime)
        request = await asked(runtime)
        assert isinstance(await runtime.replace("writer", WRITER), Success)
        ticket.suspend()
        done(await runtime.approvals.answer(request.approval.id.value, Denied("ada")))
    files = done_at_once()
    async with servers.next(files) as runtime:
        await answer_of(done(await runtime.message(ticket.message.value)))
    assert files.called == []


async def test_what_was_approved_just_before_the_end_is_made_after_it() -> None:
    servers = Servers()
    async with asking(servers, SlowFiles()) as runtime:
        ticket = await sent(runtime)
        request = await asked(runtime)
        ticket.suspend()
        await runtime.approvals.answer(request.approval.id.value, Approved("ada"))
    assert ticket.outcome is not None
    files = done_at_once()
    async with servers.next(files) as runtime:
        again = done(await runtime.message(ticket.message.value))
        if not isinstance(again.outcome, Suspended):
            assert await answer_of(again) == "written: done so"
    assert len(files.called) == 1


@criterion("STORY-044.6")
async def test_other_permissions_count_for_the_next_call_without_a_restart() -> None:
    files = done_at_once()
    async with asking(Servers(), files) as runtime:
        ticket = await sent(runtime)
        request = await asked(runtime)
        pid = done(runtime.agent("writer")).since
        denied = Permissions(deny=(PermissionRule("files.write"),))
        runtime.world.rulebook.adopt(policy=denied)
        await runtime.approvals.answer(request.approval.id.value, Approved("ada"))
        assert "not permitted" in await answer_of(ticket)
        assert files.called == []
        runtime.world.rulebook.adopt(policy=Permissions())
        assert done(runtime.agent("writer")).since == pid
        assert isinstance(await runtime.replace("writer", WRITER), Success)
        assert await answer_of(await sent(runtime)) == "written: done so"


@criterion("STORY-044.5")
async def test_the_rules_are_checked_at_every_call_not_when_tools_are_shown() -> None:
    servers, files = Servers(), SlowFiles()
    async with servers.next(files) as runtime:
        ticket = await sent(runtime, "both")
        await until(lambda: len(files.called) == 2)
        runtime.world.rulebook.adopt(
            server=ServerRules(Permissions(deny=(PermissionRule("files.*"),)))
        )
        files.open.set()
        await answer_of(ticket)
        assert "there is no tool" in await answer_of(await sent(runtime, "write"))
    assert len(files.called) == 2


@criterion("STORY-044.3")
async def test_a_refused_call_is_told_as_a_security_event_and_counted() -> None:
    servers, files = Servers(), done_at_once()
    async with servers.next(files) as runtime:
        runtime.world.rulebook.adopt(policy=Permissions(deny=(PermissionRule("files.*:path=a"),)))
        assert "not permitted" in await answer_of(await sent(runtime))
        (refused,) = [each for each in servers.heard.events if isinstance(each, CallRefused)]
        assert refused.why[-1] == "the policy denies it: files.*:path=a"
        assert refused.arguments == JsonObject.of({"path": "a"})
        assert done(runtime.agent("writer")).refused_calls == 1
    assert not [each for each in servers.heard.events if isinstance(each, ToolCalled)]


async def test_a_decision_can_be_asked_for_without_a_call() -> None:
    async with asking(Servers(), done_at_once()) as runtime:
        call = ToolCall("1", ToolName("files.write"), JsonObject.of({}))
        assert done(await runtime.decide("writer", call)).effect is Effect.ASK
