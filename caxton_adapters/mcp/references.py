"""References to variables, in registrations that nobody reads as settings."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from caxton_core.codes.stating import stated
from caxton_core.problems import Path, Problem

NOT_SUBSTITUTED: Final = "CX2215"
_MAY_BE_SECRET: Final = ("env", "headers", "url", "oauth")
_REFERENCE: Final = re.compile(r"(?<!\$)\$\{(?:env:|input:)?[A-Za-z_][A-Za-z0-9_.-]*\}")


def references(table: Mapping[str, object]) -> Iterator[Problem]:
    """Every reference in what may be secret: it would be sent as it is written."""
    for key in _MAY_BE_SECRET:
        yield from _in(table.get(key), (key,))


def _in(value: object, at: Path) -> Iterator[Problem]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _in(inner, (*at, str(key)))
    elif isinstance(value, str):
        for found in _REFERENCE.findall(value):
            yield Problem(at, stated(NOT_SUBSTITUTED, reference=found))
