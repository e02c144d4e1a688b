"""Which entries fit a text best: BM25, as the full-text index of SQLite computes it."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from math import log
from typing import Final, final

from attrs import frozen

from caxton_core.memory.entry import Entry
from caxton_core.memory.primitives import EntryKey
from caxton_core.memory.query import Cursor, Found, Match, Query

_WORD: Final = re.compile(r"[^\W_]+")
_K1: Final = 1.2
_B: Final = 0.75
_LEAST: Final = 1e-6


def words(text: str) -> tuple[str, ...]:
    """The different words of a text, in order; nothing else of it has a meaning in a search."""
    return tuple(dict.fromkeys(_WORD.findall(unicodedata.normalize("NFC", text))))


def folded_words(text: str) -> tuple[str, ...]:
    """The words of a text, in lower case and without diacritics, in order."""
    if text.isascii():
        return tuple(_WORD.findall(text.lower()))
    decomposed = unicodedata.normalize("NFKD", text.lower())
    plain = "".join(one for one in decomposed if not unicodedata.combining(one))
    return tuple(_WORD.findall(plain))


@final
@frozen
class Scored:
    """An entry and how well it fits; more is better."""

    entry: Entry
    score: float

    @property
    def cursor(self) -> Cursor:
        """Where an answer goes on after this entry."""
        return Cursor(self.entry.created_at, self.entry.key.value, self.score)


def ranked(query: Query, entries: Sequence[Entry]) -> tuple[Scored, ...]:
    """The entries that have the words of the query, the best first."""
    wanted = tuple(dict.fromkeys(folded_words(query.text.value)))
    if not wanted:
        return ()
    counts = {entry.key: Counter(_words_of(entry)) for entry in entries}
    weights = {word: _weight(word, counts) for word in wanted}
    length = sum(map(Counter.total, counts.values())) / max(1, len(counts))
    enough = all if query.match is Match.ALL else any
    matching = (each for each in entries if enough(word in counts[each.key] for word in wanted))
    scored = (Scored(each, _score(counts[each.key], weights, length)) for each in matching)
    return tuple(sorted(scored, key=_place, reverse=True))


def _words_of(entry: Entry) -> Iterator[str]:
    yield from folded_words(entry.key.value)
    yield from folded_words(entry.text.value)


def _weight(word: str, counts: Mapping[EntryKey, Counter[str]]) -> float:
    having = sum(word in count for count in counts.values())
    return max(_LEAST, log((len(counts) - having + 0.5) / (having + 0.5)))


def saturation(wanted: Iterable[str], said: Sequence[str], usual_length: float) -> float:
    """The part of BM25 that tells how much of a text the words are, whatever they weigh."""
    counts = Counter(said)
    return _score(counts, dict.fromkeys(wanted, 1.0), usual_length)


def _score(counts: Counter[str], weights: Mapping[str, float], usual_length: float) -> float:
    drag = _K1 * (1 - _B + _B * counts.total() / usual_length)
    return sum(
        weight * counts[word] * (_K1 + 1) / (counts[word] + drag)
        for word, weight in weights.items()
    )


def _place(scored: Scored) -> tuple[float, datetime, str]:
    return scored.score, scored.entry.created_at, scored.entry.key.value


def page(query: Query, scored: Sequence[Scored]) -> Found:
    """The part of the ranked entries that was asked for."""
    after = query.cursor
    rest = [each for each in scored if after is None or _comes_after(each, after)]
    shown = rest[: query.limit]
    following = shown[-1].cursor if len(rest) > len(shown) else None
    return Found(tuple(each.entry for each in shown), following)


def _comes_after(scored: Scored, cursor: Cursor) -> bool:
    return _place(scored) < (cursor.score or 0.0, cursor.created_at, cursor.key)
