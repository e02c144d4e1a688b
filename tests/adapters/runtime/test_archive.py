"""What people do to stored messages and conversations takes effect in the runtime at once."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import anyio
import pytest
from attrs import evolve
from returns.result import Failure, Result, Success

from caxton_adapters.configs.in_memory import InMemoryConfigs
from caxton_adapters.database import open_database
from caxton_adapters.journal.sqlite import SqliteConversations, SqliteJournal
from caxton_adapters.runtime.archive import Archive, Whose
from caxton_adapters.runtime.isolation.choice import Hosts
from caxton_adapters.runtime.pasts import Pasts
from caxton_adapters.runtime.refusals import (
    ConversationAmbiguous,
    ConversationBusy,
    NotOpenable,
    UnknownConversation,
    UnknownMessage,
)
from caxton_adapters.runtime.retention import keep_for, remove_older
from caxton_adapters.runtime.runtime import Runtime, running
from caxton_adapters.runtime.ticket import Incoming, Ticket
from caxton_core.agent.sections import Isolation
from caxton_core.conversation.outcome import MessageState
from caxton_core.ports import Model
from caxton_core.primitives import ConversationId, Duration
from caxton_core.storage import NotStored
from caxton_core.tools.tool import ToolSucceeded
from tests.adapters.runtime.test_recovery import Servers, Silent, SlowFiles, again, scripted
from tests.adapters.runtime.test_runtime import OneModel
from tests.fakes import in_memory
from tests.waiting import until

TALK = ConversationId("talk")
THIS = Whose("talk")
OTHER = 'name = "other"\nsystem_prompt = "You talk."\n'
FORGETFUL = f"{OTHER}[conversation]\npersist = false\n"
LONG_AGO = Duration(3600.0)
JUST_NOW = Duration(0.001)


@asynccontextmanager
async def on_disk(path: Path, *agents: str, model: Model | None = None) -> AsyncIterator[Runtime]:
    """A runtime whose journal is a database."""
    async with open_database(path / "caxton.db") as database:
        journal, conversations = SqliteJournal(database), SqliteConversations(database)
        world = evolve(
            in_memory(OneModel(model or scripted())),
            journal=journal,
            messages=journal,
            pasts=Pasts(conversations, 1_000_000),
        )
        hosts = Hosts(default=Isolation.TASK)
        async with running(world, configs=InMemoryConfigs(), hosts=hosts) as runtime:
            for agent in agents:
                assert isinstance(await runtime.deploy(agent), Success)
            yield runtime


async def sent(runtime: Runtime, text: str, agent: str = "other") -> Ticket:
    accepted = await runtime.accept(agent, Incoming(text, TALK))
    assert isinstance(accepted, Success), accepted
    return accepted.unwrap()


async def said(runtime: Runtime, text: str, agent: str = "other") -> Ticket:
    ticket = await sent(runtime, text, agent)
    with anyio.fail_after(20):
        await ticket.done()
    return ticket


def refusal(result: Result[object, object]) -> object:
    assert isinstance(result, Failure), result
    return result.failure()


async def test_what_was_reset_is_not_shown_to_the_next_turn(tmp_path: Path) -> None:
    model = Silent(answers=1)
    async with on_disk(tmp_path, OTHER, model=model) as runtime:
        await said(runtime, "before")
        assert isinstance(await Archive(runtime).reset(THIS), Success)
        await sent(runtime, "after")
        await until(lambda: len(model.requests) == 2)
    texts = [getattr(message, "text", "") for message in model.requests[1].messages]
    assert texts == ["You talk.", "after"]


async def test_a_deleted_conversation_is_gone_with_its_tickets(tmp_path: Path) -> None:
    async with on_disk(tmp_path, OTHER) as runtime:
        ticket = await said(runtime, "before")
        archive = Archive(runtime)
        assert await archive.forget(THIS, force=False) == Success(None)
        assert refusal(await archive.forget(THIS, force=False)) == UnknownConversation("talk")
        assert isinstance(refusal(await runtime.message(ticket.message.value)), UnknownMessage)


async def test_what_is_at_work_keeps_its_conversation_unless_by_force(tmp_path: Path) -> None:
    async with on_disk(tmp_path, OTHER, model=Silent()) as runtime:
        tickets = [await sent(runtime, "one"), await sent(runtime, "two")]
        archive = Archive(runtime)
        assert refusal(await archive.forget(THIS, force=False)) == ConversationBusy(TALK, 2)
        assert await archive.forget(THIS, force=True) == Success(None)
        assert [ticket.state for ticket in tickets] == [MessageState.CANCELLED] * 2


async def test_whose_conversation_is_meant_has_to_be_clear(tmp_path: Path) -> None:
    sharing = f'{OTHER.replace("other", "third")}[conversation]\nscope = "shared"\n'
    async with on_disk(tmp_path, OTHER, sharing) as runtime:
        archive = Archive(runtime)
        await said(runtime, "mine")
        assert (await archive.conversation(THIS)).unwrap().agent is not None  # type: ignore[union-attr] # fails the test
        assert isinstance(refusal(await archive.reset(Whose("talk", "third"))), UnknownConversation)
        await said(runtime, "ours", "third")
        ambiguous = refusal(await archive.conversation(THIS))
        assert isinstance(ambiguous, ConversationAmbiguous)
        assert ambiguous.shared
        for whose in (Whose("talk", "third"), Whose("talk", shared=True)):
            assert (await archive.conversation(whose)).unwrap().agent is None  # type: ignore[union-attr] # fails the test


async def test_deleting_an_agent_leaves_what_others_keep_in_memory_alone(tmp_path: Path) -> None:
    model = Silent(answers=1)
    third = OTHER.replace("other", "third")
    async with on_disk(tmp_path, FORGETFUL, third, model=model) as runtime:
        await said(runtime, "I am Ada")
        assert isinstance(await runtime.delete("third"), Success)
        assert await Archive(runtime).forget_ended(runtime.world.clock.now()) == Success(1)
        await sent(runtime, "Who am I?")
        await until(lambda: len(model.requests) == 2)
    assert "I am Ada" in [getattr(message, "text", "") for message in model.requests[1].messages]


async def test_what_is_not_to_last_can_be_tried_again_when_it_failed(tmp_path: Path) -> None:
    async with on_disk(tmp_path, FORGETFUL, model=Silent()) as runtime:
        ticket = await sent(runtime, "Hello")
        runtime.cancel(ticket)
        await ticket.done()
        reopened = await runtime.reopen(ticket.message.value)
        assert reopened.unwrap().incoming.text == "Hello"  # type: ignore[union-attr] # fails the test


async def test_of_two_who_try_again_at_once_one_does() -> None:
    servers = Servers()
    async with servers.next(model=Silent()) as runtime:
        accepted = await runtime.accept("writer", Incoming("Hello", TALK))
        ticket = accepted.unwrap()  # type: ignore[union-attr] # fails the test
        runtime.cancel(ticket)
        await ticket.done()
        came: list[object] = []

        async def retry() -> None:
            came.append(await runtime.reopen(ticket.message.value))

        async with anyio.create_task_group() as together:
            together.start_soon(retry)
            together.start_soon(retry)
        assert sorted(isinstance(one, Success) for one in came) == [False, True]
        assert runtime.in_flight == 1


async def test_results_are_taken_of_calls_alone_whose_outcome_is_unknown() -> None:
    servers, tools = Servers(), SlowFiles()
    async with servers.next(tools) as runtime:
        accepted = await runtime.accept("writer", Incoming("write", TALK))
        ticket = accepted.unwrap()  # type: ignore[union-attr] # fails the test
        await until(lambda: len(tools.called) == 1)
    async with servers.next(tools) as runtime:
        message = (await again(runtime, ticket)).message.value
        told = ToolSucceeded("no-such-call", "done")
        refused = refusal(await runtime.reopen(message, (told,)))
        assert refused == NotOpenable(message, "failed", ("no-such-call",))


async def test_messages_are_removed_when_they_ended_long_enough_ago(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with on_disk(tmp_path, OTHER) as runtime:
        ticket, archive = await said(runtime, "Hello"), Archive(runtime)
        await remove_older(archive, LONG_AGO)
        assert isinstance(await runtime.message(ticket.message.value), Success)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: keep_for(archive, JUST_NOW, period=0.01))
            await until(lambda: "messages were removed" in caplog.text)
            tasks.cancel_scope.cancel()
        assert isinstance(refusal(await runtime.message(ticket.message.value)), UnknownMessage)


async def test_a_disk_that_removes_nothing_is_told_and_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with on_disk(tmp_path, OTHER) as runtime:
        await said(runtime, "Hello")
        now = runtime.world.clock.now() + timedelta(hours=1)
    assert isinstance(refusal(await Archive(runtime).forget_ended(now)), NotStored)
    await remove_older(Archive(runtime), LONG_AGO)
    assert "old messages could not be removed" in caplog.text
