"""What every memory promises; subclass it and give a `memory` fixture, which is new and empty."""

from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from anyio import create_task_group, fail_after
from attrs import evolve
from returns.result import Failure, Result, Success

from caxton_core.memory.entry import (
    AgentOwner,
    Bounds,
    ConversationOwner,
    Entry,
    EntryChanged,
    Everybody,
    Owner,
    Relation,
)
from caxton_core.memory.primitives import (
    EntryKey,
    EntryKind,
    EntryText,
    RelationType,
    SearchText,
    Strength,
    Tag,
)
from caxton_core.memory.query import EVERYTHING, Cursor, Match, NoEmbedder, Query, Search
from caxton_core.memory.written import Imported
from caxton_core.ports import MemoryStore
from caxton_core.primitives import AgentId, ConversationId, JsonValue

PATIENCE: Final = 60.0
LONG_AGO: Final = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
AGENT: Final = AgentId("00000000-0000-4000-8000-000000000001")
OTHER: Final = AgentId("00000000-0000-4000-8000-000000000002")
TALK: Final = ConversationId("talk")
OWNERS: Final[tuple[Owner, ...]] = (
    AgentOwner(AGENT),
    AgentOwner(OTHER),
    ConversationOwner(AGENT, TALK),
    ConversationOwner(OTHER, TALK),
    ConversationOwner(AGENT, ConversationId("Talk")),
    Everybody(),
)
MINE: Final = OWNERS[0]
PART_OF: Final = RelationType("part-of")


def after(seconds: float) -> datetime:
    """A time so many seconds after the first entry."""
    return LONG_AGO + timedelta(seconds=seconds)


def entry(name: str, text: str = "", *, owner: Owner = MINE, at: float = 0) -> Entry:
    """An entry that was stored at that second."""
    return Entry(
        owner=owner,
        key=EntryKey(name),
        text=EntryText(text),
        created_at=after(at),
        updated_at=after(at),
    )


def words(text: str, *, match: Match = Match.ALL) -> Query:
    """Entries with the words."""
    return Query(text=SearchText(text), match=match)


async def filled(memory: MemoryStore, *entries: Entry) -> None:
    """Put all of them."""
    for each in entries:
        assert isinstance(await memory.put(each), Success)


async def names(memory: MemoryStore, query: Query = EVERYTHING, owner: Owner = MINE) -> list[str]:
    """The keys of what is found, in order."""
    found = await memory.search(owner, query)
    assert isinstance(found, Success), found
    return [each.key.value for each in found.unwrap().entries]


class MemoryContract:
    """A test class for an implementation of the port."""

    @pytest.fixture
    def memory(self) -> MemoryStore:
        raise NotImplementedError

    @pytest.fixture(autouse=True)
    def anyio_backend(self) -> str:
        return "asyncio"

    async def test_a_new_memory_is_empty(self, memory: MemoryStore) -> None:
        assert await memory.get(MINE, EntryKey("tea")) == Success(None)
        assert await memory.count(MINE) == Success(0)
        assert await names(memory) == []
        assert await names(memory, words("tea")) == []
        assert await memory.forget(MINE, EVERYTHING) == Success(0)

    async def test_what_was_put_is_there_to_the_letter(self, memory: MemoryStore) -> None:
        full = Entry(
            owner=MINE,
            key=EntryKey("grüße 'n' \"more\""),
            text=EntryText("Grüße!\u2028\r\n\t🫖 'quoted' \"twice\" --"),
            value=JsonValue('{"a":[1,2.5,null,"ü"]}'),
            kind=EntryKind("fact"),
            tags=(Tag("a"), Tag("ü%_*")),
            created_at=LONG_AGO,
            updated_at=after(0.000001),
            valid_from=after(-1),
            valid_to=datetime.max.replace(tzinfo=UTC),
        )
        assert await memory.put(full) == Success(full)
        assert await memory.get(MINE, full.key) == Success(full)
        assert (await memory.search(MINE, EVERYTHING)).map(lambda found: found.entries) == Success(
            (full,)
        )

    async def test_putting_again_replaces_all_but_the_creation(self, memory: MemoryStore) -> None:
        await filled(memory, entry("tea", "green"))
        second = evolve(entry("tea", "black", at=9), tags=(Tag("drink"),), kind=EntryKind("fact"))
        stored = evolve(second, created_at=LONG_AGO)
        assert await memory.put(second) == Success(stored)
        assert await memory.get(MINE, EntryKey("tea")) == Success(stored)
        assert await memory.count(MINE) == Success(1)
        assert await names(memory, words("green")) == []
        assert await names(memory, words("black")) == ["tea"]
        assert await names(memory, Query(tags=(Tag("drink"),))) == ["tea"]

    async def test_a_change_is_refused_where_another_came_first(self, memory: MemoryStore) -> None:
        await filled(memory, entry("tea", "green", at=1))
        changed = entry("tea", "black", at=2)
        refused = await memory.put(changed, if_updated_at=after(0))
        assert refused == Failure(EntryChanged(entry("tea", "green", at=1)))
        assert isinstance(await memory.put(changed, if_updated_at=after(1)), Success)
        nothing = await memory.put(entry("cup"), if_updated_at=after(0))
        assert nothing == Failure(EntryChanged(None))
        assert await names(memory) == ["tea"]

    async def test_the_newest_come_first_and_pages_lead_through_all(
        self, memory: MemoryStore
    ) -> None:
        made = [entry(f"key-{number:02}", at=number // 3) for number in range(20)]
        await filled(memory, *made)
        seen: list[str] = []
        cursor: Cursor | None = None
        while True:
            found = await memory.search(MINE, Query(limit=3, cursor=cursor))
            assert isinstance(found, Success)
            seen += [each.key.value for each in found.unwrap().entries]
            cursor = found.unwrap().next
            if cursor is None:
                break
        assert seen == [f"key-{number:02}" for number in reversed(range(20))]

    async def test_pages_of_a_search_lead_through_all_that_fit(self, memory: MemoryStore) -> None:
        made = [entry(f"key-{n:02}", "tea " * (1 + n % 4), at=n) for n in range(20)]
        await filled(memory, *made)
        seen: list[str] = []
        cursor: Cursor | None = None
        while True:
            query = evolve(words("tea"), limit=3, cursor=cursor)
            found = await memory.search(MINE, query)
            assert isinstance(found, Success)
            seen += [each.key.value for each in found.unwrap().entries]
            cursor = found.unwrap().next
            if cursor is None:
                break
            assert Cursor.parse(str(cursor)) == Success(cursor)
        assert sorted(seen) == [f"key-{n:02}" for n in range(20)]

    @pytest.mark.parametrize(
        ("text", "fitting"),
        [
            ("tea", {"green", "black", "tea pot"}),
            ("TEA", {"green", "black", "tea pot"}),
            ("green tea", {"green"}),
            ("tea, green!", {"green"}),
            ("cafe", {"coffee"}),
            ("CAFÉ", {"coffee"}),
            ("pot", {"tea pot"}),
            ("te", set()),
            ("tea OR café", set()),
            ('"', set()),
            ("*", set()),
            ("tea NOT green", set()),
            ("text:tea", set()),
            ("NEAR(tea green)", set()),
        ],
    )
    async def test_words_are_looked_for_and_nothing_else(
        self, memory: MemoryStore, text: str, fitting: set[str]
    ) -> None:
        await filled(
            memory,
            entry("green", "Green tea."),
            entry("black", "black TEA"),
            entry("coffee", "at the Café"),
            entry("tea pot", ""),
        )
        assert set(await names(memory, words(text))) == fitting

    async def test_the_entry_that_says_it_more_comes_first(self, memory: MemoryStore) -> None:
        filler = [entry(f"filler-{number}", "something else", at=number) for number in range(10)]
        long = "tea, and much else that has nothing to do with it at all, whatever one thinks of it"
        await filled(memory, *filler, entry("twice", "tea tea"), entry("once", long, at=20))
        assert await names(memory, words("tea")) == ["twice", "once"]

    async def test_any_word_may_do_and_rare_ones_count_more(self, memory: MemoryStore) -> None:
        common = [entry(f"common-{number}", "the weather", at=number) for number in range(10)]
        await filled(memory, entry("rare", "the bicycle"), *common)
        query = words("what about the bicycle?", match=Match.ANY)
        assert (await names(memory, query))[0] == "rare"
        assert len(await names(memory, query)) == 11

    async def test_filters_hold_with_words_and_without(self, memory: MemoryStore) -> None:
        fact = EntryKind("fact")
        both = (Tag("drink"), Tag("hot"))
        await filled(
            memory,
            evolve(entry("1", "tea", at=1), kind=fact, tags=both),
            evolve(entry("2", "tea", at=2), kind=fact, tags=(Tag("drink"),)),
            evolve(entry("3", "tea", at=3), tags=both),
            evolve(entry("4", "tea", at=4)),
        )
        for query, fitting in (
            (Query(kind=fact), ["2", "1"]),
            (Query(tags=both), ["3", "1"]),
            (Query(tags=(Tag("drink"),)), ["3", "2", "1"]),
            (Query(kind=fact, tags=both), ["1"]),
            (Query(since=after(2), until=after(4)), ["3", "2"]),
            (Query(kind=fact, since=after(2)), ["2"]),
            (Query(changed_since=after(3)), ["4", "3"]),
        ):
            assert await names(memory, query) == fitting
            assert set(await names(memory, evolve(query, text=SearchText("tea")))) == set(fitting)

    async def test_what_does_not_hold_is_not_found_at_that_time(self, memory: MemoryStore) -> None:
        await filled(
            memory,
            evolve(entry("past", "tea"), valid_to=after(10)),
            evolve(entry("future", "tea"), valid_from=after(20)),
            evolve(entry("always", "tea")),
        )
        for query in (EVERYTHING, words("tea")):
            for second, holding in (
                (9, {"past", "always"}),
                (10, {"always"}),
                (20, {"future", "always"}),
            ):
                found = await names(memory, evolve(query, valid_at=after(second)))
                assert set(found) == holding
        assert len(await names(memory)) == 3

    async def test_what_is_forgotten_is_gone_from_everywhere(self, memory: MemoryStore) -> None:
        tagged = evolve(entry("tea", "green leaves"), tags=(Tag("drink"),))
        await filled(memory, tagged, entry("cup"))
        await memory.relate(MINE, Relation(EntryKey("tea"), PART_OF, EntryKey("cup")))
        assert await memory.forget(MINE, EntryKey("tea")) == Success(1)
        assert await memory.forget(MINE, EntryKey("tea")) == Success(0)
        assert await memory.get(MINE, EntryKey("tea")) == Success(None)
        assert await names(memory, words("leaves")) == []
        assert await names(memory, Query(tags=(Tag("drink"),))) == []
        assert await memory.related(MINE, [EntryKey("cup")]) == Success(())
        assert await memory.count(MINE) == Success(1)

    async def test_all_that_fit_are_forgotten_whatever_the_limit(self, memory: MemoryStore) -> None:
        made = [entry(f"key-{number}", f"number {number % 2}", at=number) for number in range(20)]
        await filled(memory, *made)
        assert await memory.forget(MINE, evolve(words("number 1"), limit=1)) == Success(10)
        assert await memory.forget(MINE, Query(until=after(10), limit=1)) == Success(5)
        assert await memory.forget(MINE, words("...")) == Success(0)
        assert await memory.count(MINE) == Success(5)

    async def test_relations_are_found_from_both_ends(self, memory: MemoryStore) -> None:
        await filled(memory, entry("tea"), entry("cup"), entry("pot"))
        held = Relation(EntryKey("tea"), PART_OF, EntryKey("cup"), Strength(0.5))
        assert await memory.relate(MINE, held) == Success(True)
        again = evolve(held, strength=Strength(0.25))
        assert await memory.relate(MINE, again) == Success(True)
        for end in ("tea", "cup"):
            assert await memory.related(MINE, [EntryKey(end)]) == Success((again,))
        assert await memory.related(MINE, [EntryKey("pot")]) == Success(())
        nowhere = Relation(EntryKey("tea"), PART_OF, EntryKey("nowhere"))
        assert await memory.relate(MINE, nowhere) == Success(False)

    async def test_the_oldest_go_where_there_may_be_only_so_many(self, memory: MemoryStore) -> None:
        await filled(memory, *(entry(f"key-{number}", at=number) for number in range(10)))
        await memory.put(entry("key-0", at=10))
        stored = await memory.put(entry("new", at=11), bounds=Bounds(max_entries=3))
        assert isinstance(stored, Success)
        assert set(await names(memory)) == {"key-9", "key-0", "new"}

    async def test_what_was_not_changed_for_long_goes(self, memory: MemoryStore) -> None:
        await filled(memory, *(entry(f"key-{number}", at=number) for number in range(10)))
        stored = await memory.put(entry("new", at=10), bounds=Bounds(since=after(8)))
        assert isinstance(stored, Success)
        assert await names(memory) == ["new", "key-9", "key-8"]

    async def test_what_is_out_of_bounds_can_go_at_any_time(self, memory: MemoryStore) -> None:
        await filled(memory, *(entry(f"key-{number}", at=number) for number in range(10)))
        assert await memory.trim(MINE, Bounds()) == Success(0)
        assert await memory.trim(MINE, Bounds(max_entries=8, since=after(5))) == Success(5)
        assert await memory.trim(OWNERS[1], Bounds(max_entries=1)) == Success(0)
        assert await memory.count(MINE) == Success(5)

    async def test_bounds_hold_after_one_entry_however_many_there_were(
        self, memory: MemoryStore
    ) -> None:
        many = [Imported(entry(f"key-{number}", at=number)) for number in range(1_300)]
        assert await memory.load(many) == Success(0)
        await memory.put(entry("new", at=2_000), bounds=Bounds(max_entries=2))
        assert await names(memory) == ["new", "key-1299"]

    async def test_what_is_loaded_is_there_with_its_relations(self, memory: MemoryStore) -> None:
        held = Relation(EntryKey("tea"), PART_OF, EntryKey("cup"), Strength(0.5))
        lost = Relation(EntryKey("tea"), PART_OF, EntryKey("nowhere"))
        old = evolve(entry("cup", at=5), created_at=after(-5))
        loaded = await memory.load([Imported(entry("tea"), (held, lost)), Imported(old)])
        assert loaded == Success(1)
        assert await memory.get(MINE, EntryKey("cup")) == Success(old)
        assert await memory.related(MINE, [EntryKey("cup")]) == Success((held,))

    async def test_no_owner_sees_or_changes_what_another_one_has(self, memory: MemoryStore) -> None:
        for number, owner in enumerate(OWNERS):
            await filled(memory, entry("tea", f"tea of {number}", owner=owner))
        assert await memory.forget(MINE, EVERYTHING) == Success(1)
        await memory.put(entry("cup", owner=MINE, at=9), bounds=Bounds(1, after(9)))
        stray = Relation(EntryKey("cup"), PART_OF, EntryKey("tea"))
        assert await memory.relate(MINE, stray) == Success(False)
        for number, owner in enumerate(OWNERS[1:], 1):
            expected = entry("tea", f"tea of {number}", owner=owner)
            assert await memory.get(owner, EntryKey("tea")) == Success(expected)
            assert await names(memory, words("tea"), owner) == ["tea"]
            assert await memory.count(owner) == Success(1)
        assert await names(memory, words("tea", match=Match.ANY)) == []

    async def test_an_agent_is_forgotten_in_all_its_conversations(
        self, memory: MemoryStore
    ) -> None:
        for owner in OWNERS:
            await filled(memory, entry("tea", owner=owner))
        assert await memory.forget_agent(AGENT) == Success(3)
        left = [owner for owner in OWNERS if await memory.count(owner) == Success(1)]
        assert left == [AgentOwner(OTHER), ConversationOwner(OTHER, TALK), Everybody()]
        await filled(memory, entry("anew"))
        assert await names(memory) == ["anew"]

    @pytest.mark.parametrize("how", [Search.SEMANTIC, Search.HYBRID])
    async def test_meaning_is_not_looked_for_without_an_embedder(
        self, memory: MemoryStore, how: Search
    ) -> None:
        await filled(memory, entry("tea", "tea"))
        query = evolve(words("tea"), how=how)
        assert await memory.search(MINE, query) == Failure(NoEmbedder(how))
        assert await memory.forget(MINE, query) == Failure(NoEmbedder(how))
        assert await memory.count(MINE) == Success(1)

    async def test_many_at_once_lose_nothing_and_see_nothing_half_done(
        self, memory: MemoryStore
    ) -> None:
        async def work(number: int) -> None:
            owner = OWNERS[number % 2]
            for turn in range(10):
                own = entry(f"{number}-{turn}", f"word{number} shared", owner=owner, at=turn)
                both = evolve(
                    entry("both", f"by {number}", owner=owner), value=JsonValue(f"{number}")
                )
                await filled(memory, own, both)
                assert await memory.get(owner, own.key) == Success(own)
                seen = await memory.get(owner, EntryKey("both"))
                assert _is_whole(seen)
                assert f"{number}-{turn}" in await names(memory, words(f"word{number}"), owner)

        with fail_after(PATIENCE):
            async with create_task_group() as tasks:
                for number in range(16):
                    tasks.start_soon(work, number)
        for owner in OWNERS[:2]:
            assert await memory.count(owner) == Success(81)


def _is_whole(seen: Result[Entry | None, object]) -> bool:
    """Whether text and value were put by the same writer."""
    found = seen.unwrap() if isinstance(seen, Success) else None
    return found is not None and found.value is not None and found.text.value == f"by {found.value}"
