"""The tools of an agent's memory, and what is recalled and kept without them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from attrs import evolve
from returns.result import Success

from caxton_adapters.database import open_database
from caxton_adapters.memory.agent import AgentMemory
from caxton_adapters.memory.in_memory import InMemoryMemory
from caxton_adapters.memory.sqlite import sqlite_memory
from caxton_adapters.memory.tools import MemoryTools
from caxton_adapters.testing.tools import Subject, ToolsContract
from caxton_core.agent.sections import MemoryRules, MemoryScope
from caxton_core.memory.entry import AgentOwner, ConversationOwner, Everybody, Owner
from caxton_core.memory.primitives import EntryKey
from caxton_core.memory.query import EVERYTHING
from caxton_core.primitives import (
    AgentId,
    ConversationId,
    Count,
    Duration,
    JsonObject,
    MessageId,
    ToolName,
)
from caxton_core.tools.tool import Caller, ToolCall, ToolFailed, ToolSucceeded

ADA = AgentId("00000000-0000-4000-8000-000000000001")
BOB = AgentId("00000000-0000-4000-8000-000000000002")
TALK = ConversationId("talk")
START = datetime(2026, 11, 22, 10, tzinfo=UTC)


class StandingClock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.time = START

    def now(self) -> datetime:
        self.time += timedelta(milliseconds=1)
        return self.time

    def monotonic(self) -> float:
        return self.time.timestamp()


class Place:
    """Tools and memory of agents with the same rules."""

    def __init__(self, rules: MemoryRules | None = None) -> None:
        self.store, self.clock = InMemoryMemory(), StandingClock()
        self.rules: MemoryRules | None = rules or MemoryRules()
        self.tools = MemoryTools(self.store, lambda _: self.rules, self.clock)
        self.agent = AgentMemory(self.store, lambda _: self.rules, self.clock)

    async def says(self, tool: str, *, caller: Caller | None = None, **arguments: object) -> str:
        """What a tool answers; a failure begins with an exclamation mark."""
        call = ToolCall("call_1", ToolName(f"memory.{tool}"), JsonObject.of(arguments))
        result = await self.tools.call(call, caller or by(ADA))
        return result.text if isinstance(result, ToolSucceeded) else f"!{result.why}"

    async def keys(self, owner: Owner) -> list[str]:
        found = await self.store.search(owner, EVERYTHING)
        assert isinstance(found, Success)
        return [entry.key.value for entry in found.unwrap().entries]


def by(agent: AgentId, key: str = "msg_1:1:call_1", message: str = "msg_1") -> Caller:
    return Caller(agent, TALK, MessageId(message), key)


class TestMemoryTools(ToolsContract):
    @pytest.fixture
    def subject(self) -> Subject:
        def call(tool: str, **arguments: object) -> ToolCall:
            return ToolCall(f"call_{tool}", ToolName(f"memory.{tool}"), JsonObject.of(arguments))

        succeeding = (call("remember", text="tea"), call("recall"), call("forget", key="tea"))
        return Subject(Place().tools, succeeding, (call("remember", colour="red"),))


async def test_what_is_remembered_is_recalled_and_forgotten() -> None:
    place = Place()
    assert await place.says("remember", text="Ada likes tea.", key="drink") == "remembered as drink"
    assert await place.says("recall", text="tea?") == "drink (2026-11-22): Ada likes tea."
    assert await place.says("recall", key="drink") == "drink (2026-11-22): Ada likes tea."
    assert await place.says("forget", key="drink") == "forgot drink"
    assert await place.says("forget", key="drink") == "nothing was stored as drink"
    assert await place.says("recall", key="drink") == "nothing is remembered as drink"
    assert await place.says("recall") == "nothing is remembered"


async def test_the_same_call_twice_stores_one_entry_with_a_key_and_without() -> None:
    place = Place()
    for _ in range(2):
        await place.says("remember", text="one")
        await place.says("remember", text="two", key="two")
    await place.says("remember", text="another", caller=by(ADA, "msg_1:1:call_2"))
    assert len(await place.keys(AgentOwner(ADA))) == 3


async def test_a_value_of_any_kind_is_remembered() -> None:
    place = Place()
    assert await place.says("remember", key="n", value=[1, {"a": None}]) == "remembered as n"
    assert await place.says("recall", key="n") == 'n (2026-11-22): [1,{"a":null}]'


@pytest.mark.parametrize(
    ("tool", "arguments", "told"),
    [
        ("remember", {}, "text: "),
        ("remember", {"text": " "}, "text: "),
        ("remember", {"text": 7}, "text: "),
        ("remember", {"text": "a", "key": ""}, "key: "),
        ("remember", {"text": "a", "agent": "bob"}, "agent: "),
        ("remember", {"text": "a", "tags": ["a b"]}, "tags.0: "),
        ("recall", {"limit": 1000}, "limit: "),
        ("recall", {"owner": BOB.value}, "owner: "),
        ("recall", {"since": "yesterday"}, "since: "),
        ("forget", {}, "key: "),
    ],
)
async def test_wrong_arguments_are_told_so_that_a_model_can_mend_them(
    tool: str, arguments: dict[str, object], told: str
) -> None:
    place = Place()
    assert (await place.says(tool, caller=None, **arguments)).startswith(f"!{told}")
    assert await place.keys(AgentOwner(ADA)) == []


@pytest.mark.parametrize(
    ("scope", "owner"),
    [
        (MemoryScope.AGENT, AgentOwner(ADA)),
        (MemoryScope.CONVERSATION, ConversationOwner(ADA, TALK)),
        (MemoryScope.GLOBAL, Everybody()),
    ],
)
async def test_the_file_says_whose_the_entries_are(scope: MemoryScope, owner: Owner) -> None:
    place = Place(evolve(MemoryRules(), scope=scope))
    await place.says("remember", text="tea", key="drink")
    assert await place.keys(owner) == ["drink"]
    seen = await place.says("recall", text="tea", caller=by(BOB))
    assert (seen != "nothing is remembered") == (scope is MemoryScope.GLOBAL)


@pytest.mark.parametrize("rules", [None, evolve(MemoryRules(), enabled=False)])
async def test_an_agent_without_a_memory_is_told_so(rules: MemoryRules | None) -> None:
    place = Place()
    place.rules = rules
    assert await place.says("recall") == "!this agent has no memory"
    assert await place.agent.recalled(by(ADA), "tea") == ()
    await place.agent.keep(by(ADA), "tea?", "Yes.")
    assert await place.keys(AgentOwner(ADA)) == []


async def test_what_is_too_old_or_too_much_goes_by_the_rules() -> None:
    place = Place(evolve(MemoryRules(), max_entries=Count(2), retention=Duration(60)))
    for number in range(4):
        await place.says("remember", text="tea", key=f"k{number}")
    assert await place.keys(AgentOwner(ADA)) == ["k3", "k2"]
    place.clock.time += timedelta(seconds=61)
    assert await place.says("recall", text="tea") == "nothing is remembered"
    assert await place.says("recall", key="k3") == "nothing is remembered as k3"


async def test_what_shares_words_with_a_message_is_recalled_up_to_the_limit() -> None:
    place = Place(evolve(MemoryRules(), recall_limit=Count(2)))
    for number in range(4):
        await place.says("remember", text=f"tea {number}", key=f"k{number}")
    await place.says("remember", text="the bicycle", key="bicycle")
    assert len(await place.agent.recalled(by(ADA), "Would you like tea?")) == 2
    assert await place.agent.recalled(by(ADA), "Where is my bicycle?") == (
        "bicycle (2026-11-22): the bicycle",
    )
    assert await place.agent.recalled(by(ADA), "Good morning!") == ()
    assert await place.agent.recalled(by(BOB), "tea") == ()


async def test_what_does_not_hold_now_is_not_recalled() -> None:
    place = Place()
    await place.says("remember", text="tea", key="k", valid_to="2026-11-22T10:00:01Z")
    assert len(await place.agent.recalled(by(ADA), "tea")) == 1
    place.clock.time += timedelta(seconds=1)
    assert await place.agent.recalled(by(ADA), "tea") == ()


async def test_an_exchange_is_kept_once_where_the_file_says_so() -> None:
    place = Place(evolve(MemoryRules(), auto_store=True))
    for _ in range(2):
        await place.agent.keep(by(ADA), "Tea?\0", "Yes, " + "please " * 20_000)
    await place.agent.keep(by(ADA, message="msg_2"), "More?", "No.")
    assert await place.keys(AgentOwner(ADA)) == ["exchange-msg_2", "exchange-msg_1"]
    kept = await place.store.get(AgentOwner(ADA), EntryKey("exchange-msg_2"))
    entry = kept.unwrap() if isinstance(kept, Success) else None
    assert entry is not None
    assert (entry.kind.value, entry.text.value) == ("exchange", "Asked: More?\nAnswered: No.")


async def test_nothing_is_kept_of_itself_where_the_file_does_not_say_so() -> None:
    place = Place()
    await place.agent.keep(by(ADA), "Tea?", "Yes.")
    assert await place.keys(AgentOwner(ADA)) == []


async def test_old_entries_go_also_where_an_agent_only_recalls() -> None:
    place = Place(evolve(MemoryRules(), retention=Duration(60)))
    await place.says("remember", text="old tea", key="old")
    place.clock.time += timedelta(seconds=50)
    await place.says("remember", text="new tea", key="new")
    place.clock.time += timedelta(seconds=20)
    assert len(await place.agent.recalled(by(ADA), "tea")) == 1
    assert await place.keys(AgentOwner(ADA)) == ["new"]


async def test_a_turn_goes_on_where_the_memory_cannot_be_read(tmp_path: Path) -> None:
    clock = StandingClock()
    async with open_database(tmp_path / "caxton.db") as database:
        memory = await sqlite_memory(database)
        tools = MemoryTools(memory, lambda _: MemoryRules(), clock)
        agent = AgentMemory(memory, lambda _: evolve(MemoryRules(), auto_store=True), clock)
        await agent.keep(by(ADA), "Tea?", "Yes.")
        assert len(await agent.recalled(by(ADA), "tea")) == 1
    assert await agent.recalled(by(ADA), "tea") == ()
    await agent.keep(by(ADA), "Tea?", "Yes.")
    for tool, arguments in (("recall", {}), ("remember", {"text": "a"}), ("forget", {"key": "a"})):
        call = ToolCall("call_1", ToolName(f"memory.{tool}"), JsonObject.of(arguments))
        assert isinstance(await tools.call(call, by(ADA)), ToolFailed)
