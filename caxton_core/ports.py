"""What the core needs done by others: small protocols in the core's own words."""

from collections.abc import AsyncIterator, Awaitable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol, TypeAlias

from returns.result import Result

from caxton_core.agent.record import AgentRecord
from caxton_core.conversation.model import (
    Completion,
    Healthy,
    ModelCapabilities,
    ModelFailure,
    ModelRequest,
    TextDelta,
)
from caxton_core.conversation.past import ConversationKey, Past
from caxton_core.events import Event, TurnEvent
from caxton_core.journal import (
    ConversationView,
    Exchange,
    MessageQuery,
    Spent,
    StoredMessage,
    Unfinished,
)
from caxton_core.memory.entry import UNBOUNDED, Bounds, Entry, EntryChanged, Owner, Relation
from caxton_core.memory.primitives import EntryKey
from caxton_core.memory.query import Found, NoEmbedder, Query
from caxton_core.memory.written import Imported
from caxton_core.primitives import AgentId, ConversationId, MessageId, ModelName
from caxton_core.storage import NotRead, NotStored
from caxton_core.tools.tool import Caller, Tool, ToolCall, ToolResult

Answer: TypeAlias = Result[Completion, ModelFailure]


class Model(Protocol):
    """A language model service."""

    def complete(self, request: ModelRequest) -> Awaitable[Answer]:
        """The whole answer, or why there is none."""
        ...

    def stream(self, request: ModelRequest) -> AsyncIterator[TextDelta | Answer]:
        """The answer piece by piece, then exactly one `Answer`: the whole of it, or what failed."""
        ...

    def capabilities(
        self, model: ModelName | None = None
    ) -> Awaitable[Result[ModelCapabilities, ModelFailure]]:
        """What a model can do; None asks for the provider's default model."""
        ...

    def health(self) -> Awaitable[Result[Healthy, ModelFailure]]:
        """Whether the service is reachable and accepts our key."""
        ...


class Tools(Protocol):
    """The tools that agents may be granted."""

    def offered(self) -> Sequence[Tool]:
        """Every tool that is there now."""
        ...

    def call(self, call: ToolCall, caller: Caller) -> Awaitable[ToolResult]:
        """Do it; a failure is a result that the model can react to."""
        ...


class Events(Protocol):
    """Where everything that happens is told: to logs, listeners, metrics."""

    def tell(self, *events: Event) -> None:
        """Tell the events; it never waits and never fails."""
        ...


class Journal(Protocol):
    """Where the way of every message is recorded: what is recorded survives a crash."""

    def append(self, *events: TurnEvent) -> Awaitable[Result[None, NotStored]]:
        """Record all of the events or none; they are recorded when this returns.

        Events are recorded in the order of the calls. Of several endings of a message the first
        counts, and nothing is recorded of a message that is not known.
        """
        ...

    def unfinished(self) -> Awaitable[Result[Sequence[Unfinished], NotRead]]:
        """Every message without an outcome, in the order of acceptance."""
        ...

    def find(self, message: MessageId) -> Awaitable[Result[StoredMessage | None, NotRead]]:
        """A message by its identity."""
        ...

    def keyed(self, agent: AgentId, key: str) -> Awaitable[Result[StoredMessage | None, NotRead]]:
        """The message that an agent was given under an idempotency key."""
        ...


class Messages(Protocol):
    """What the journal keeps of messages, for people."""

    def listed(self, query: MessageQuery) -> Awaitable[Result[Sequence[StoredMessage], NotRead]]:
        """The messages that fit, newest first."""
        ...

    def turn(self, message: MessageId) -> Awaitable[Result[Unfinished | None, NotRead]]:
        """How far the turn of a message came, whether or not it has an outcome."""
        ...

    def spent(
        self, since: datetime
    ) -> Awaitable[Result[Mapping[AgentId, Sequence[Spent]], NotRead]]:
        """What each agent's messages spent that ended since then.

        Several may be told as one, at the moment of the last: an hour's at most.
        """
        ...

    def forget_ended(self, before: datetime) -> Awaitable[Result[int, NotStored]]:
        """Remove messages that ended before; how many there were."""
        ...

    def forget_agent(self, agent: AgentId) -> Awaitable[Result[int, NotStored]]:
        """Remove every message and conversation of an agent; what others share stays theirs."""
        ...


class Conversations(Protocol):
    """What was said, by conversation: it follows from the messages that ended with an answer."""

    def past(
        self, place: ConversationKey, *, at_most: int | None, since: datetime
    ) -> Awaitable[Result[Past, NotRead]]:
        """What the model may see: the newest exchanges, `at_most` so many, after the last reset.

        A conversation that was used last before `since` is over: it begins anew. What is said in
        one that is not lasting may be forgotten at once: the runtime has it at hand.
        """
        ...

    def listed(
        self, agent: AgentId | None, *, after: ConversationView | None, limit: int
    ) -> Awaitable[Result[Sequence[ConversationView], NotRead]]:
        """The conversations of an agent, or of all agents, the one used last first."""
        ...

    def named(
        self, conversation: ConversationId
    ) -> Awaitable[Result[Sequence[ConversationView], NotRead]]:
        """Those of this identity: agents may use the same one, each for itself or together."""
        ...

    def exchanges(
        self, place: ConversationKey, *, after: MessageId | None, limit: int
    ) -> Awaitable[Result[Sequence[Exchange], NotRead]]:
        """The messages with what was said, oldest first; also what lies before a reset."""
        ...

    def reset(self, place: ConversationKey, at: datetime) -> Awaitable[Result[bool, NotStored]]:
        """Have the conversation begin anew; what was said stays readable. False: not known."""
        ...

    def forget(self, place: ConversationKey) -> Awaitable[Result[bool, NotStored]]:
        """Remove the conversation with its messages that ended; False where there is none."""
        ...


class Configs(Protocol):
    """The agents that were deployed, with the text that they were deployed from."""

    def save(self, record: AgentRecord) -> Awaitable[Result[None, NotStored]]:
        """Store the record in place of what was stored under its identity."""
        ...

    def remove(self, agent: AgentId) -> Awaitable[Result[None, NotStored]]:
        """Forget an agent; nothing happens where it is not known."""
        ...

    def stored(self) -> Awaitable[Sequence[AgentRecord]]:
        """Every agent as it was saved last, in the order of creation."""
        ...


class Memory(Protocol):
    """What agents remember; whoever asks names the owner and is shown nothing of others."""

    def put(
        self,
        entry: Entry,
        *,
        if_updated_at: datetime | None = None,
        bounds: Bounds = UNBOUNDED,
    ) -> Awaitable[Result[Entry, NotStored | EntryChanged]]:
        """Store the entry in place of the one with its key, which leaves it its `created_at`.

        With `if_updated_at` only where the one in its place was changed last at that time. What is
        out of bounds then goes: the entries of its owner that were not changed for longest.
        """
        ...

    def get(self, owner: Owner, key: EntryKey) -> Awaitable[Result[Entry | None, NotRead]]:
        """The entry of this name, whether or not it holds now."""
        ...

    def search(self, owner: Owner, query: Query) -> Awaitable[Result[Found, NotRead | NoEmbedder]]:
        """The entries that fit, best or newest first."""
        ...

    def forget(
        self, owner: Owner, which: EntryKey | Query
    ) -> Awaitable[Result[int, NotStored | NotRead | NoEmbedder]]:
        """Remove one entry, or all that fit whatever the limit; how many there were.

        Many go in several steps: after a failure in the middle the rest is still there.
        """
        ...

    def trim(self, owner: Owner, bounds: Bounds) -> Awaitable[Result[int, NotStored]]:
        """Remove what is out of bounds; how many entries there were."""
        ...


class MemoryStore(Memory, Protocol):
    """A memory as those see it who keep it."""

    def load(self, imported: Sequence[Imported]) -> Awaitable[Result[int, NotStored]]:
        """Store all entries, or none, and then their relations.

        How many relations are left out, because they lead to entries that are not there.
        """
        ...

    def relate(self, owner: Owner, relation: Relation) -> Awaitable[Result[bool, NotStored]]:
        """Relate two entries, anew if they were; False where one of them is not there."""
        ...

    def related(
        self, owner: Owner, keys: Collection[EntryKey]
    ) -> Awaitable[Result[Sequence[Relation], NotRead]]:
        """The relations that begin or end at one of the entries."""
        ...

    def count(self, owner: Owner) -> Awaitable[Result[int, NotRead]]:
        """How many entries there are, also those that do not hold now."""
        ...

    def forget_agent(self, agent: AgentId) -> Awaitable[Result[int, NotStored]]:
        """Remove what an agent remembers, in all its conversations; how many entries there were."""
        ...


class Clock(Protocol):
    """The time."""

    def now(self) -> datetime:
        """The time of day, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back; only differences mean something."""
        ...
