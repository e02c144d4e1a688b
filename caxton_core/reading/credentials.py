"""What looks like a credential, and how it is hidden where text is shown."""

import re
from collections import Counter
from collections.abc import Callable
from math import log2
from typing import Final

_KINDS: Final = {
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    "an Anthropic API key": r"\bsk-ant-[A-Za-z0-9_-]{16,}",
    "an API key (`sk-`)": r"\bsk-(?:proj-|svcacct-|or-v1-)?[A-Za-z0-9_-]{16,}",
    "a GitHub token": r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})",
    "a GitLab token": r"\bglpat-[A-Za-z0-9_-]{16,}",
    "an AWS access key": r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
    "a Google API key": r"\bAIza[A-Za-z0-9_-]{30,}",
    "a Slack token": r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}",
    "a Hugging Face token": r"\bhf_[A-Za-z0-9]{20,}",
    "an npm token": r"\bnpm_[A-Za-z0-9]{30,}",
    "a JSON Web Token": r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}",
    "a password in an address": r"[a-z][a-z0-9+.-]{0,20}://[^\s/:@]{1,100}:[^\s/@]{3,200}@",
}
_PATTERNS: Final = {kind: re.compile(pattern) for kind, pattern in _KINDS.items()}
_ANY: Final = re.compile("|".join(_KINDS.values()))
_WORD: Final = re.compile(r"[A-Za-z0-9+/_=-]{32,200}")
_NAMED: Final = re.compile(
    r"(?i)((?:api[_-]?key|token|secret|password)[\"']?[ \t]*=[ \t]*)(\"[^\"\n]*\"?|'[^'\n]*'?)"
)
_ONE_WORD: Final = re.compile(r"[\"']?[A-Za-z0-9_.+/=@:%-]*[\"']?")
_RANDOM_BITS: Final = 4.2


def credential_in(text: str) -> str | None:
    """What kind of credential the text seems to hold, in words."""
    if _ANY.search(text) is None:
        return None
    return next((kind for kind, pattern in _PATTERNS.items() if pattern.search(text)), None)


def looks_random(text: str) -> bool:
    """Whether the text holds a long word that nobody would write by hand."""
    return any(_is_random(word) for word in _WORD.findall(text))


def _is_random(word: str) -> bool:
    kinds = ("[a-z]", "[A-Z]", "[0-9]")
    if not all(re.search(kind, word) for kind in kinds):
        return False
    shares = (count / len(word) for count in Counter(word).values())
    return -sum(share * log2(share) for share in shares) > _RANDOM_BITS


def masked(text: str) -> str:
    """The text with every credential in it replaced by stars of the same length."""
    return _masked(text, _stars)


def masked_command(line: str) -> str:
    """The command line, in which only single words are replaced.

    What a shell would act on is no credential, whatever it is called: it is shown.
    """
    return _masked(line, lambda found: _stars(found) if _ONE_WORD.fullmatch(found) else found)


def _masked(text: str, hidden: Callable[[str], str]) -> str:
    named = _NAMED.sub(lambda found: found[1] + hidden(found[2]), text)
    known = _ANY.sub(lambda found: hidden(found[0]), named)
    return _WORD.sub(lambda found: hidden(found[0]) if _is_random(found[0]) else found[0], known)


def _stars(text: str) -> str:
    return "*" * len(text)
