"""What was deleted is gone from the files: from the database and from the log of its changes."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest
from attrs import evolve

from caxton_adapters.database import open_database
from caxton_adapters.journal.sqlite import SqliteConversations, SqliteJournal
from caxton_adapters.testing.stores import (
    GREETER,
    PLACE,
    WRITER,
    Stores,
    accepted,
    answered,
    append,
    call,
    done,
    observed,
    result,
    step,
    unfinished,
)
from caxton_core.conversation.message import AssistantMessage, UserMessage
from caxton_core.conversation.model import FinishReason
from caxton_core.conversation.outcome import Answered
from caxton_core.conversation.past import Summary
from caxton_core.events import MessageAccepted, MessageEnded
from caxton_core.limits import Usage
from tests.waiting import until

ASKED, ANSWERED, SUMMED_UP = "The word is heliotrope.", "It is mountainash.", "Of quicksilver."
SECRETS = (b"heliotrope", b"mountainash", b"quicksilver")
OUTCOME = Answered("Done.", FinishReason.STOP, "some-model", Usage(3, 4))
"""Other words than what was said, so that they stay as long as the message does."""
SECRET = evolve(accepted(1), text=ASKED)
PADDING = 200
"""Messages around the one that is deleted, so that it shares its pages with others."""


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Stores]:
    async with open_database(tmp_path / "caxton.db") as database:
        journal = SqliteJournal(database)
        yield Stores(journal, journal, SqliteConversations(database))


def found(folder: Path) -> set[bytes]:
    """The secrets that are in any of the files."""
    content = b"".join(each.read_bytes() for each in folder.glob("caxton.db*"))
    return {secret for secret in SECRETS if secret in content}


def telling(message: MessageAccepted) -> MessageEnded:
    """The answer that says every secret once more."""
    said = (UserMessage(message.text), AssistantMessage(ANSWERED))
    ended = answered(message, *said, summary=Summary(SUMMED_UP, 0))
    return evolve(ended, outcome=OUTCOME)


async def converse(store: Stores, message: MessageAccepted) -> None:
    """A message with a turn whose every part is recorded, amid others of another agent."""
    for number in range(2, PADDING):
        await append(store, accepted(number, WRITER))
        if number == PADDING // 2:
            await append(store, message, step(message, call(1)), result(message, 1, ANSWERED))
            await append(store, observed(message, ANSWERED))
            await append(store, telling(message))


async def forget(store: Stores) -> None:
    assert done(await store.conversations.forget(PLACE))


async def forget_agent(store: Stores) -> None:
    assert done(await store.messages.forget_agent(GREETER))


async def forget_ended(store: Stores) -> None:
    assert done(await store.messages.forget_ended(telling(SECRET).at + timedelta(seconds=1)))


@pytest.mark.parametrize("delete", [forget, forget_agent, forget_ended])
async def test_what_was_deleted_is_gone_from_the_files(
    store: Stores, tmp_path: Path, delete: Callable[[Stores], Awaitable[None]]
) -> None:
    await converse(store, SECRET)
    assert found(tmp_path) == set(SECRETS)
    await delete(store)
    assert found(tmp_path) == set()
    assert len(await unfinished(store)) == PADDING - 2


async def test_what_is_not_to_last_is_gone_from_the_files_as_soon_as_they_rest(
    tmp_path: Path,
) -> None:
    async with open_database(tmp_path / "caxton.db") as database:
        journal = SqliteJournal(database)
        store = Stores(journal, journal, SqliteConversations(database))
        await converse(store, evolve(SECRET, lasting=False))
        await until(lambda: found(tmp_path) == set())
        assert len(await unfinished(store)) == PADDING - 2
