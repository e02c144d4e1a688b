"""Phrases that turn a model against its owner or its users, found sentence by sentence.

They are signs and not proofs: whoever wants to can say the same in other words. What tools may do
is bounded by permissions, whatever a prompt says.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

_SENTENCE: Final = re.compile(r"[^.!?;\n]*(?:\n(?![^\S\n]*[-*#0-9\n])[^.!?;\n]*)*")
_WORDS: Final = re.compile(r"[\w']+")
_LONGEST_SENTENCE: Final = 4000

_FEW: Final = r"(?:[\w']++ ){0,4}?"
_SOME: Final = r"(?:[\w']++ ){0,10}?"
_RULES: Final = (
    r"(?:instructions?|rules?|polic(?:y|ies)|guidelines?|restrictions?|safeguards?|guardrails?"
    r"|limitations?|constraints?|directives?|safety|filters?|permissions?|prompts?)"
)
_SECRETS: Final = (
    r"(?:passwords?|credentials?|secrets?|api keys?|keys?|tokens?|cookies|conversations?"
    r"|chat history|history|transcripts?|messages?|(?:personal|private|user|customer|sensitive"
    r"|confidential) (?:data|details|information|records)|environment variables?|system prompt"
    r"|credit cards?|card numbers?|everything (?:the user|they|users?) \w+)"
)
_PEOPLE: Final = (
    r"(?:user|users|customer|customers|client|people|person|operator|operators|admins?"
    r"|administrators?|owner|human|humans|anyone|anybody|them)"
)
OVERRIDE: Final = re.compile(
    r"\b(?:"
    rf"(?:ignore|disregard|forget|override|bypass|circumvent|violate|discard|neglect) {_FEW}"
    r"(?:previous|prior|earlier|above|preceding|existing|former|all|any|your|every|other"
    r"|company|safety|security|system|server|operator|content|installation|developer) "
    rf"{_FEW}{_RULES}\b"
    rf"|(?:ignore|disregard|bypass|circumvent|evade) {_FEW}(?:polic(?:y|ies)|safeguards?"
    r"|guardrails?|restrictions?|permissions?|sandbox|approvals?)\b"
    r"|(?:ignore|disregard|forget) (?:everything|all|anything) (?:before|above|said|you were|so far"
    r"|you have been|that came)"
    rf"|(?:you|there) (?:are|have) (?:no|no longer) {_FEW}{_RULES}\b"
    rf"|(?:you are|be) (?:not|no longer) bound by {_FEW}{_RULES}\b"
    r"|(?:jailbreak|jailbroken|developer mode|god mode|dan mode|do anything now)\b"
    r"|(?:without|with no) (?:any )?(?:safeguards?|guardrails?|moral|ethical|safety)\b"
    r"|pretend (?:that )?(?:the )?(?:rules|policy|restrictions) (?:do not|don't) (?:apply|exist)"
    r")"
)
EXFILTRATE: Final = re.compile(
    r"\b(?:"
    r"(?:send|sends|post|upload|forward|transmit|e?mail|leak|exfiltrate|copy|report|relay|submit"
    rf"|deliver|push|append|add|include|embed|encode|smuggle) {_SOME}{_SECRETS} {_SOME}"
    r"(?:(?:to|at|via|into|in|inside|through|as) )"
    rf"{_FEW}(?:https?|ftp|webhook|external|attackers?|remote|third party|outside|pastebin|discord"
    r"|telegram|slack webhook|url|urls|query|image|img|link|markdown|gmail|proton|e?mail address"
    r"|server|domain|dns|endpoint)\b"
    rf"|exfiltrate {_SOME}\w+"
    r"|(?:send|post|upload|forward) (?:all|every|each|a copy of|copies of|everything) "
    rf"{_SOME}to (?:https?|\w+@|\w+ at \w+ dot)"
    rf"|(?:print|reveal|output|show|dump|read|list|repeat|include) {_FEW}(?:environment variables?"
    r"|env vars?|api keys?|private keys?|ssh keys?|credentials of|other users|passwords?)\b"
    r")"
)
CONCEAL: Final = re.compile(
    r"\b(?:"
    rf"without {_FEW}(?:telling|informing|notifying|alerting|asking|warning|mentioning) "
    rf"{_FEW}{_PEOPLE}\b"
    rf"|without (?:the )?{_PEOPLE}(?:'s|s'|s)? (?:knowledge|consent|knowing|noticing|permission"
    r"|approval)\b"
    rf"|(?:hide|conceal|disguise|mask|keep) {_FEW}(?:this|that|it|these|those|actions?|calls?"
    rf"|activity|what you \w+|secret) (?:secret )?from {_FEW}{_PEOPLE}\b"
    rf"|(?:do not|don't|never|must not) (?:ever )?(?:tell|inform|notify|alert|let|warn) {_FEW}"
    rf"{_PEOPLE} {_FEW}(?:about|that|of|know|see|notice|find out) {_FEW}"
    r"(?:this|these|those|tool|tools|calls?|actions?|instructions?|what|you|your|it|copies|copy"
    r"|transfers?|payments?|it happened|happened|doing)\b"
    r"|(?:do not|don't|never|must not) (?:ever )?(?:mention|disclose|reveal|report|log|record"
    rf"|show) {_FEW}(?:tool calls?|these actions?|this action|what you (?:did|do|sent)"
    r"|that you (?:did|do|sent|called|use|used|read|are)|the calls?|the transfers?|the copy)\b"
    r"|(?:secretly|silently|covertly|quietly|stealthily|behind the scenes) "
    rf"{_FEW}(?:send|call|forward|upload|copy|run|execute|delete|read|collect|record|store|log"
    r"|post|change|modify|transfer|buy|order|pay|steer|include)\b"
    rf"|(?:delete|erase|clear|remove|wipe) {_FEW}(?:traces of|audit|evidence)\b"
    r")"
)
_GUARDED: Final = re.compile(
    r"\b(?:not|never|no|don't|cannot|can't|won't|mustn't|shouldn't|refuse|decline|reject|resist"
    r"|treat|like|such as|for example|phrases?)(?: [\w']+){0,4}$"
    r"|\b(?:asks?|asked|asking|tells?|told|tries|tried|trying|attempts?|attempting|requests?"
    r"|requested|instructs?|instructed|wants?|urges?|orders?)(?: [\w']+){0,4} to(?: [\w']+){0,2}$"
)
"""What stands before the phrase where a prompt warns of it, or tells of people who say it."""
_DENIALS: Final = re.compile(r"(?:do not|don't|never|must not)\b")
_LACKS: Final = re.compile(r"\b(?:not|never|no|don't)(?: [\w']+){0,8}$")


def found_in(phrase: "re.Pattern[str]", spoken: Iterable[str]) -> str | None:
    """The words of the first sentence that holds the phrase and does not warn of it."""
    for sentence in spoken:
        for match in phrase.finditer(sentence):
            before = " ".join(sentence[: match.start()].split()[-12:])
            if not _is_guarded(match[0], before):
                return match[0]
    return None


def _is_guarded(words: str, before: str) -> bool:
    if words.startswith("without"):
        return _LACKS.search(before) is not None
    return _DENIALS.match(words) is None and _GUARDED.search(before) is not None


def sentences(text: str) -> Iterator[str]:
    """The sentences of a text, as words with one space between them."""
    for sentence in _SENTENCE.findall(text):
        words = _WORDS.findall(sentence[:_LONGEST_SENTENCE])
        if words:
            yield " ".join(words)
