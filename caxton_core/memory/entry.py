"""One thing that is remembered, whose it is, and how it is related to others."""

from datetime import datetime, timedelta
from typing import Final, TypeAlias, final

from attrs import frozen

from caxton_core.agent.sections import MemoryScope
from caxton_core.memory.primitives import (
    EntryKey,
    EntryKind,
    EntryText,
    RelationType,
    Strength,
    Tag,
)
from caxton_core.primitives import AgentId, ConversationId, JsonValue

MOST_TAGS: Final = 20
NOTE: Final = EntryKind("note")
EXCHANGE: Final = EntryKind("exchange")
"""The kind of entries that an agent stores of itself, one for each answered message."""


@final
@frozen
class AgentOwner:
    """An agent, in all its conversations."""

    agent: AgentId


@final
@frozen
class ConversationOwner:
    """An agent within one of its conversations."""

    agent: AgentId
    conversation: ConversationId


@final
@frozen
class Everybody:
    """All agents of the server together."""


Owner: TypeAlias = AgentOwner | ConversationOwner | Everybody
"""Whose an entry is; nobody else ever sees it."""


def owner_in(scope: MemoryScope, agent: AgentId, conversation: ConversationId) -> Owner:
    """Whose entries an agent works with while it takes part in a conversation."""
    match scope:
        case MemoryScope.AGENT:
            return AgentOwner(agent)
        case MemoryScope.CONVERSATION:
            return ConversationOwner(agent, conversation)
        case MemoryScope.GLOBAL:
            return Everybody()


@final
@frozen(kw_only=True)
class Entry:
    """Something remembered; all times are in UTC.

    It holds from `valid_from` on and until just before `valid_to`, where these are given. The tags
    are sorted and all different.
    """

    owner: Owner
    key: EntryKey
    text: EntryText
    value: JsonValue | None = None
    kind: EntryKind = NOTE
    tags: tuple[Tag, ...] = ()
    created_at: datetime
    updated_at: datetime
    valid_from: datetime | None = None
    valid_to: datetime | None = None

    def __attrs_post_init__(self) -> None:
        if len(self.tags) > MOST_TAGS or self.tags != sorted_tags(self.tags):
            message = f"not at most {MOST_TAGS} different tags in order"
            raise ValueError(message)
        times = (self.created_at, self.updated_at, self.valid_from, self.valid_to)
        if any(time is not None and time.utcoffset() != timedelta(0) for time in times):
            message = "a time is not in UTC"
            raise ValueError(message)

    def is_valid(self, at: datetime) -> bool:
        """Whether the entry holds at the time."""
        begun = self.valid_from is None or self.valid_from <= at
        return begun and (self.valid_to is None or at < self.valid_to)


def sorted_tags(tags: tuple[Tag, ...]) -> tuple[Tag, ...]:
    """The tags in order, each once."""
    return tuple(sorted(set(tags), key=lambda tag: tag.value))


@final
@frozen
class Relation:
    """How one entry is related to another one of the same owner."""

    source: EntryKey
    type: RelationType
    target: EntryKey
    strength: Strength = Strength(1.0)


@final
@frozen
class Bounds:
    """What an owner may keep: only the newest entries, only those updated `since`."""

    max_entries: int | None = None
    since: datetime | None = None


UNBOUNDED: Final = Bounds()


@final
@frozen
class EntryChanged:
    """The entry is not as its author saw it last; what is there now, None if nothing is."""

    now: Entry | None
