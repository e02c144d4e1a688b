"""What an agent remembers without being asked: recalled before a turn, kept after it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, TypeAlias, final

from returns.result import Failure, Result

from caxton_core.agent.sections import MemoryRules
from caxton_core.memory.entry import EXCHANGE, Bounds, Entry, Owner, owner_in
from caxton_core.memory.primitives import EntryKey, EntryText, SearchText
from caxton_core.memory.query import Match, Query
from caxton_core.ports import Clock, MemoryStore
from caxton_core.primitives import AgentId
from caxton_core.storage import NotStored
from caxton_core.tools.tool import Caller

RulesOf: TypeAlias = Callable[[AgentId], MemoryRules | None]
"""The `[memory]` table of an agent; None for an agent that is not there."""

_BETWEEN_TRIMS: Final = timedelta(hours=1)
_MOST_OWNERS: Final = 10_000


@final
class AgentMemory:
    """The memory of agents by the rules of their files; an empty one costs nothing."""

    def __init__(self, memory: MemoryStore, rules_of: RulesOf, clock: Clock) -> None:
        self._memory = memory
        self._rules_of = rules_of
        self._clock = clock
        self._trimmed: dict[Owner, datetime] = {}

    async def recalled(self, caller: Caller, text: str) -> tuple[str, ...]:
        """What may matter for a message, best first; nothing where the memory cannot be read."""
        rules = self._rules_of(caller.agent)
        if rules is None or not rules.enabled:
            return ()
        now = self._clock.now()
        owner = owner_in(rules.scope, caller.agent, caller.conversation)
        found = await self._memory.search(owner, asking(text, rules, now))
        if isinstance(found, Failure) or not found.unwrap().entries:
            return ()
        await self._trim(owner, rules, now)
        return tuple(map(worded, found.unwrap().entries))

    async def keep(self, caller: Caller, asked: str, answer: str) -> None:
        """Remember an exchange, where the agent's file says so; a second time changes nothing."""
        rules = self._rules_of(caller.agent)
        if rules is None or not (rules.enabled and rules.auto_store):
            return
        now = self._clock.now()
        exchange = Entry(
            owner=owner_in(rules.scope, caller.agent, caller.conversation),
            key=EntryKey(f"exchange-{caller.message}"),
            text=_exchange(asked, answer),
            kind=EXCHANGE,
            created_at=now,
            updated_at=now,
        )
        # What could not be kept is not worth more than the answer, which is already on its way.
        _ = await self._memory.put(exchange, bounds=bounds_of(rules, now))

    async def forget_agent(self, agent: AgentId) -> Result[int, NotStored]:
        """Remove everything that an agent remembers alone; how many entries there were."""
        return await self._memory.forget_agent(agent)

    async def _trim(self, owner: Owner, rules: MemoryRules, now: datetime) -> None:
        """Now and then let go what is too old, for agents that never store anything themselves."""
        last = self._trimmed.get(owner)
        if last is not None and now - last < _BETWEEN_TRIMS:
            return
        if len(self._trimmed) >= _MOST_OWNERS:
            self._trimmed.clear()
        self._trimmed[owner] = now
        _ = await self._memory.trim(owner, bounds_of(rules, now))


def asking(text: str, rules: MemoryRules, now: datetime) -> Query:
    """What to look for when nobody says it: whatever shares words with the text, and holds."""
    return Query(
        text=searchable(text),
        match=Match.ANY,
        changed_since=bounds_of(rules, now).since,
        valid_at=now,
        limit=min(rules.recall_limit.value, 100),
    )


def searchable(text: str) -> SearchText:
    """The beginning of a text, as long as a search takes it."""
    return SearchText(_storable(text[: SearchText.rule.longest]))


def bounds_of(rules: MemoryRules, now: datetime) -> Bounds:
    """What may be kept by the rules."""
    most = None if rules.max_entries is None else rules.max_entries.value
    return Bounds(most, now - timedelta(seconds=rules.retention.value))


def worded(entry: Entry) -> str:
    """The entry in words for a model: its name, when it was stored, what it says."""
    value = "" if entry.value is None else f" {entry.value}"
    text = f" {entry.text}" if entry.text.value else ""
    return f"{entry.key} ({entry.updated_at:%Y-%m-%d}):{text}{value}"


def _exchange(asked: str, answer: str) -> EntryText:
    longest = EntryText.rule.longest or 0
    text = f"Asked: {asked[: longest // 2 - 100]}\nAnswered: {answer}"
    return EntryText(_storable(text[:longest]))


def _storable(text: str) -> str:
    """The text without what a database and an encoding cannot say."""
    return text.replace("\0", " ").encode("utf-8", "replace").decode("utf-8")
