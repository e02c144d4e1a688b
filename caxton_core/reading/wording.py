"""The sentences about a problem, made from its facts and from the table of codes."""

from collections.abc import Mapping
from typing import Final

import attrs

from caxton_core.codes.catalogue import EXPLANATIONS
from caxton_core.problems import (
    MissingKey,
    NotAChoice,
    OutOfRange,
    Stated,
    UnknownKey,
    UnknownPlaceholder,
    What,
)
from caxton_core.reading.credentials import masked

LONGEST_FACT: Final = 100
"""The most characters of a value inside a sentence."""


def title(what: What) -> str:
    """The kind of problem in two or three words."""
    return EXPLANATIONS[what.code].title


def message(what: What) -> str:
    """What is wrong."""
    if isinstance(what, Stated):
        return what.message
    return EXPLANATIONS[what.code].message.format_map(_facts(what))


def why(what: What) -> str:
    """Why the rule exists."""
    return EXPLANATIONS[what.code].why.format_map(_facts(what))


def advice(what: What) -> str:
    """What to do about it."""
    if isinstance(what, Stated):
        return what.advice
    if (
        isinstance(what, UnknownKey | NotAChoice | UnknownPlaceholder)
        and what.suggestion is not None
    ):
        return f"Did you mean `{what.suggestion}`?"
    general = EXPLANATIONS[what.code].advice.format_map(_facts(what))
    meant = suggestion(what)
    if meant is None or isinstance(what, MissingKey | OutOfRange) or f"{meant}" in general:
        return general
    return f"{general} Perhaps: {meant}"


def suggestion(what: What) -> str | None:
    """What to write instead, where that can be told."""
    written: object = getattr(what, "suggestion", None)
    return masked(written) if isinstance(written, str) else None


def anchor(what: What) -> str:
    """Where the documentation explains it."""
    return EXPLANATIONS[what.code].anchor


def _facts(what: What) -> Mapping[str, str]:
    return {name: _shown(value) for name, value in attrs.asdict(what, recurse=False).items()}


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(f"`{item}`" for item in value) or "none"
    return one_line(str(value))


def one_line(text: str) -> str:
    """A fact inside a sentence: short, in one line, without control characters."""
    shown = masked(text[: 10 * LONGEST_FACT])
    plain = "".join(character if character.isprintable() else " " for character in shown)
    return plain if len(plain) <= LONGEST_FACT else f"{plain[:LONGEST_FACT]}…"
