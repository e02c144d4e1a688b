"""Rules about the texts that a model reads."""

import re
from collections.abc import Iterator
from typing import Final

from caxton_core.agent.policy import characters, phrases
from caxton_core.agent.policy.finding import Found, found
from caxton_core.agent.policy.rules.rule import Case, Rule

_WORD: Final = re.compile(r"[A-Za-z0-9+/_-]{40,}={0,2}")
_ESCAPES: Final = re.compile(
    r"(?:(?:\\x|%)[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|&#x?[0-9A-Fa-f]{1,6};){8,}"
)
_MARKED: Final = re.compile(r"\bdata:[a-z]+/[a-z0-9.+-]+;base64,")
_SHOWN: Final = 60


def _phrase(case: Case, phrase: "re.Pattern[str]") -> Iterator[Found]:
    for at, text, sentences in case.spoken:
        words = phrases.found_in(phrase, sentences)
        if words is not None:
            yield found(*at, written=_as_written(words, text), words=words[:_SHOWN])


def _as_written(words: str, text: str) -> str | None:
    """The words as they stand in the text, with whatever stands between them."""
    letters = (word.strip("_'") for word in words.split()[:12])
    loosely = r"[\W_]++".join(re.escape(word) for word in letters if word)
    match = re.search(loosely, text, re.IGNORECASE)
    return None if match is None else match[0].split("\n", maxsplit=1)[0]


def _override(case: Case) -> Iterator[Found]:
    return _phrase(case, phrases.OVERRIDE)


def _exfiltrate(case: Case) -> Iterator[Found]:
    return _phrase(case, phrases.EXFILTRATE)


def _conceal(case: Case) -> Iterator[Found]:
    return _phrase(case, phrases.CONCEAL)


def _invisible(case: Case) -> Iterator[Found]:
    for at, text in case.texts:
        hidden = characters.hidden_in(text)
        if hidden is not None:
            yield found(*at, written=hidden, character=characters.name_of(hidden))


def _lookalikes(case: Case) -> Iterator[Found]:
    for at, text in case.texts:
        word = characters.mixed_word_in(text)
        if word is not None:
            yield found(*at, written=word, word=word)


def _long_lines(case: Case) -> Iterator[Found]:
    longest = case.policy.prompts.longest_line.value
    for at, text in case.prompts:
        line = max(text.split("\n"), key=len)
        if len(line) > longest:
            yield found(*at, written=line[:_SHOWN], length=f"{len(line):,}", longest=f"{longest:,}")


def _encoded(case: Case) -> Iterator[Found]:
    longest = case.policy.prompts.longest_word.value
    for at, text in case.prompts:
        word = next((w for w in _WORD.findall(text) if len(w) >= longest and _is_code(w)), None)
        match = _ESCAPES.search(text) or _MARKED.search(text)
        written = word or (None if match is None else match[0])
        if written is not None:
            yield found(*at, written=written, length=len(written))


def _is_code(word: str) -> bool:
    """Whether it is a code, rather than a rule of dashes or a long path."""
    letters = word.rstrip("=")
    return len(set(letters)) > len("0123456") and max(map(len, letters.split("/"))) > _SHOWN // 2


def _patterns(case: Case) -> Iterator[Found]:
    for at, text in case.prompts:
        for pattern in case.policy.prompts.never:
            words = pattern.words_in(text)
            if words is not None:
                yield found(*at, written=words, pattern=pattern.value)


PROMPTS: Final = (
    Rule("CX1340", lambda policy: policy.prompts.override, _override),
    Rule("CX1341", lambda policy: policy.prompts.exfiltrate, _exfiltrate),
    Rule("CX1342", lambda policy: policy.prompts.conceal, _conceal),
    Rule("CX1343", lambda policy: policy.prompts.invisible, _invisible),
    Rule("CX1344", lambda policy: policy.prompts.lookalikes, _lookalikes),
    Rule("CX1345", lambda policy: policy.prompts.long_lines, _long_lines),
    Rule("CX1346", lambda policy: policy.prompts.encoded, _encoded),
    Rule("CX1347", lambda policy: policy.prompts.patterns, _patterns),
)
