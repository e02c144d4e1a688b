"""Text of strangers, shown so that nothing in it is invisible or commands a terminal."""

import re
import unicodedata
from typing import Final

_BLANK: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\U000e0100-\U000e01ef]"
)
"""What Python calls printable, and fonts show as nothing."""
_FOUR_DIGITS: Final = 0xFFFF


def is_visible(character: str) -> bool:
    """Whether a reader sees the character; of the spaces only the plain one."""
    return character.isascii() if character == " " else _shows(character)


def _shows(character: str) -> bool:
    return character.isprintable() and _BLANK.match(character) is None


def visible(text: str, *, keep: str = "") -> str:
    """The text with the digits of what cannot be seen in its place; `keep` stays as it is."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if c in keep or is_visible(c) else escaped(c) for c in text)


def escaped(character: str) -> str:
    """The character as TOML and Python write it in digits."""
    number = ord(character)
    return f"\\u{number:04x}" if number <= _FOUR_DIGITS else f"\\U{number:08x}"


def uncommon(text: str) -> frozenset[str]:
    """The characters of the text that are not ASCII: some of them look like others."""
    return frozenset(character for character in text if not character.isascii())


def named(character: str) -> str:
    """The character by its number and name, as the Unicode tables have it."""
    return f"U+{ord(character):04X} {unicodedata.name(character, 'without a name')}"
