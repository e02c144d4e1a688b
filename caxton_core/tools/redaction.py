"""Arguments of calls as they may be shown: without secrets, and short."""

import re
from collections.abc import Mapping
from typing import Final

from caxton_core.primitives import JsonObject
from caxton_core.reading.credentials import masked

HIDDEN: Final = "***"
LONGEST: Final = 200
MOST: Final = 2_000
_SECRET: Final = re.compile(
    r"(?i)(pass(word|wd|phrase)?|secret|token|api[_-]?key|private[_-]?key|credential|authorization"
    r"|cookie|session)s?$"
)


def redacted(arguments: JsonObject) -> JsonObject:
    """The arguments with what is named or looks like a secret masked, and long texts cut."""
    shown = JsonObject.of({key: _shown(key, value) for key, value in arguments.members().items()})
    return shown if len(shown.value) <= MOST else JsonObject.of({"...": f"{len(shown.value)} long"})


def _shown(key: str, value: object) -> object:
    if _SECRET.search(key):
        return HIDDEN
    match value:
        case str():
            return _cut(masked(value[: 2 * LONGEST]), len(value))
        case Mapping():
            return {str(name): _shown(str(name), inner) for name, inner in value.items()}
        case list():
            return [_shown(key, item) for item in value]
        case _:
            return value


def _cut(text: str, length: int) -> str:
    return text if length <= LONGEST else f"{text[:LONGEST]}... ({length} characters)"
