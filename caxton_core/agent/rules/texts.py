"""Rules about every text of the file, wherever it stands: secrets and environment references."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from caxton_core.problems import EnvironmentReference, LiteralSecret, Path, Problem
from caxton_core.reading.credentials import credential_in, looks_random
from caxton_core.reading.found import key_name

_REFERENCE: Final = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")
_PROSE: Final = frozenset({"system_prompt", "documentation", "user_prompt_template"})


def in_texts(table: Mapping[str, object]) -> Iterator[Problem]:
    """Look at every text of the table."""
    for at, text in texts_in(table):
        kind = credential_in(text)
        if kind is None and not _is_prose(at) and looks_random(text):
            kind = "a secret: a long random word"
        if kind is not None:
            yield Problem(at, LiteralSecret(kind))
        reference = _REFERENCE.search(text)
        if reference is not None and not _is_prose(at):
            yield Problem(at, EnvironmentReference(reference[0]))


def _is_prose(at: Path) -> bool:
    return not _PROSE.isdisjoint(at)


def texts_in(value: object, at: Path = ()) -> Iterator[tuple[Path, str]]:
    """Every text of the value, keys included, and where it stands."""
    if isinstance(value, str):
        yield at, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield (*at, key_name(key)), key_name(key)
            yield from texts_in(item, (*at, key_name(key)))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from texts_in(item, (*at, index))
