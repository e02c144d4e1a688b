"""Rules about secrets: random words, passwords, blocks of keys."""

import re
from collections import Counter
from collections.abc import Iterator
from math import log2
from typing import Final

from caxton_core.agent.policy.finding import Found, found
from caxton_core.agent.policy.rules.rule import Case, Rule

_WORD: Final = re.compile(r"[A-Za-z0-9+/_=-]{12,400}")
_KINDS: Final = tuple(map(re.compile, ("[a-z]", "[A-Z]", "[0-9]")))
_NAMES: Final = (
    r"pass(?:word|wd|phrase)?|pwd|secret|client[_-]?secret|api[_-]?key|access[_-]?key|accountkey"
    r"|sharedaccesskey|auth[_-]?token|access[_-]?token|refresh[_-]?token|bearer[_-]?token|private[_-]?key"
)
_HINT: Final = re.compile(r"(?i)pass|pwd|secret|key|token|bearer|basic")
_ASSIGNED: Final = re.compile(
    rf"(?i)\b(?:[a-z]{{1,20}}[_-])?(?:{_NAMES})[\"'`]?[ \t]{{0,3}}"
    r"(?:is\b[ \t]{0,3}:?|=|:)[ \t]{0,3}[\"'`]?"
    r"(?P<value>[^\s\"'`;,<>{}]{6,200})"
)
_HEADER: Final = re.compile(
    r"(?i)\b(?:bearer|basic)[ \t]{1,3}(?P<value>[A-Za-z0-9+/._~=-]{16,2000})"
)
_NAMED: Final = re.compile(rf"(?i)(?:[a-z0-9]{{1,20}}[_-])*(?:{_NAMES}|token|credentials?)")
_PLACEHOLDER: Final = re.compile(
    r"(?i)[*.xX_-]+|\$.*|%.*|env:.*|your.*|example.*|change.?me|redacted|none|null|required|secret"
)
_BLOCK: Final = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,40}(?:PRIVATE KEY|CERTIFICATE|PGP MESSAGE)[A-Z ]{0,20}-----"
    r"|PuTTY-User-Key-File-[0-9]|\bAGE-SECRET-KEY-1[A-Z0-9]{10,100}"
    r"|\bssh-(?:rsa|ed25519) AAAA[A-Za-z0-9+/]{40,2000}"
)
_DOTS: Final = 3


def _random(case: Case) -> Iterator[Found]:
    rules = case.policy.secrets
    for at, text in case.texts:
        for word in _WORD.findall(text):
            if len(word) >= rules.shortest.value and entropy(word) > rules.entropy.value:
                yield found(*at, written=word, length=len(word))
                break


def entropy(word: str) -> float:
    """The bits for each letter of a word; 0 where its letters are not of every kind."""
    if not all(kind.search(word) for kind in _KINDS):
        return 0.0
    shares = (count / len(word) for count in Counter(word).values())
    return -sum(share * log2(share) for share in shares)


def _passwords(case: Case) -> Iterator[Found]:
    for at, text in case.texts:
        key = at[-1]
        if isinstance(key, str) and key != text and _NAMED.fullmatch(key) and _is_value(text):
            yield found(*at, what=f"the value of `{key}`")
            continue
        for form in (_ASSIGNED, _HEADER) if _HINT.search(text) else ():
            written = next((m[0] for m in form.finditer(text) if _is_value(m["value"])), None)
            if written is not None:
                yield found(*at, written=written, what="a password or a token in a text")
                break


def _is_value(text: str) -> bool:
    """Whether it is a password rather than a word about one."""
    plain = text.strip().rstrip(".")
    if not plain or " " in plain or _PLACEHOLDER.fullmatch(plain):
        return False
    kinds = sum(
        bool(re.search(kind, plain)) for kind in ("[a-z]", "[A-Z]", "[0-9]", "[^A-Za-z0-9]")
    )
    return (kinds > 1 and bool(re.search(r"[0-9!@#$%^&*]", plain))) or kinds >= _DOTS


def _keys(case: Case) -> Iterator[Found]:
    for at, text in case.texts:
        block = _BLOCK.search(text)
        if block is not None:
            yield found(*at, written=block[0])


SECRETS: Final = (
    Rule("CX1321", lambda policy: policy.secrets.random, _random),
    Rule("CX1322", lambda policy: policy.secrets.passwords, _passwords),
    Rule("CX1323", lambda policy: policy.secrets.keys, _keys),
)
