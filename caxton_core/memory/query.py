"""What is asked of a memory, and what it answers."""

import json
from datetime import UTC, datetime
from enum import Enum
from typing import Final, Self, final

from attrs import field, frozen
from returns.result import Failure, Result, Success

from caxton_core.memory.entry import Entry
from caxton_core.memory.primitives import EntryKind, Moment, SearchText, Tag
from caxton_core.problems import Malformed, ValueProblem

HIGHEST_LIMIT: Final = 1_000
MOST_RANKED: Final = 400
"""Of more matches than these the newest are ranked: the best of many alike are hard to tell."""
NO_TEXT: Final = SearchText("")


@final
class Search(Enum):
    """How a text is looked for."""

    TEXT = "text"
    SEMANTIC = "semantic"
    HYBRID = "hybrid"


@final
class Match(Enum):
    """Which words of a text an entry must have."""

    ALL = "all"
    ANY = "any"


@final
@frozen
class Cursor:
    """The entry after which an answer goes on; the score is there where a text was asked for."""

    created_at: datetime
    key: str
    score: float | None = None

    @classmethod
    def parse(cls, text: str) -> Result[Self, ValueProblem]:
        """Read a cursor exactly as it was given out."""
        try:
            created, key, score = json.loads(bytes.fromhex(text))
            at = Moment(created).time
            known = None if score is None else float(score)
            return Success(cls(at, str(key), known))
        except (ValueError, TypeError, OverflowError, RecursionError):
            return Failure(Malformed(text[:80], "a cursor", "`next` of the page before"))

    def __str__(self) -> str:
        written = json.dumps([Moment.of(self.created_at).value, self.key, self.score])
        return written.encode().hex()


@final
@frozen(kw_only=True)
class Query:
    """Which of an owner's entries are asked for; what is not given does not matter.

    With a text the best come first, else the newest. `tags` must all be there. Entries count that
    were created from `since` on and before `until`, were changed from `changed_since` on, and hold
    `valid_at` that time.
    """

    text: SearchText = NO_TEXT
    match: Match = Match.ALL
    how: Search = Search.TEXT
    kind: EntryKind | None = None
    tags: tuple[Tag, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    changed_since: datetime | None = None
    valid_at: datetime | None = None
    limit: int = field(default=50)
    cursor: Cursor | None = None

    @limit.validator
    def _in_range(self, _: object, limit: int) -> None:
        if not 1 <= limit <= HIGHEST_LIMIT:
            message = f"not a limit: {limit}"
            raise ValueError(message)

    @property
    def is_worded(self) -> bool:
        """Whether a text is looked for; one without a single word finds nothing."""
        return bool(self.text.value.strip())

    def admits(self, entry: Entry) -> bool:
        """Whether the entry passes everything but the text."""
        return (
            (self.kind is None or entry.kind == self.kind)
            and set(self.tags) <= set(entry.tags)
            and (self.since is None or self.since <= entry.created_at)
            and (self.until is None or entry.created_at < self.until)
            and (self.changed_since is None or self.changed_since <= entry.updated_at)
            and (self.valid_at is None or entry.is_valid(self.valid_at))
        )


@final
@frozen
class Found:
    """The entries that fit, and where to go on if there are more."""

    entries: tuple[Entry, ...] = ()
    next: Cursor | None = None


NOTHING: Final = Found()
EVERYTHING: Final = Query()
OLDEST: Final = datetime.min.replace(tzinfo=UTC)


@final
@frozen
class NoEmbedder:
    """Looking for what a text means takes vectors, and nothing here makes them."""

    how: Search
