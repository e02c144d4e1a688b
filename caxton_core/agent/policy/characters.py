"""Characters that deceive: those that nobody sees, and letters that look like other ones."""

import re
import unicodedata
from typing import Final

_TAGS: Final = "\U000e0000-\U000e007f"
_SELECTORS: Final = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
_BIDI: Final = "\u061c\u202a-\u202e\u2066-\u2069"
_FILLERS: Final = (
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180e\u2060-\u2064\u206a-\u206f\u3164\ufeff\uffa0"
)
_CONTROLS: Final = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
_FLAG: Final = re.compile("\U0001f3f4[\U000e0061-\U000e007a]{2,6}\U000e007f")
_HIDDEN: Final = re.compile(
    f"[{_TAGS}{_BIDI}{_FILLERS}{_CONTROLS}]"
    f"|[{_SELECTORS}]{{2,}}"
    "|\u200b|[\u200b-\u200f]{2,}"
    # Joiners stand between letters of scripts that need them, and in pictures; marks beside such
    # letters.
    "|(?<![^\x00-\x7f])[\u200c\u200d]|[\u200c\u200d](?=[\x00-\x7f]|$)"
    "|(?<![^\x00-\x7f])[\u200e\u200f](?=[\x00-\x7f]|$)"
)
_LOOKALIKES: Final = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u0501\u04bb\u051b\u0475"
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425\u0406\u0408\u0405"
    "\u03bf\u03b1\u03bd\u03b9\u03c1\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f"
    "\u03a1\u03a4\u03a5\u03a7\u0131\u0261\u217c",
    "aeopcyxijsdhqvABEKMHOPCTXIJSoavipABEZHIKMNOPTYXigl",
)
_WORD: Final = re.compile(r"[^\W\d_]{2,}")
_LATIN: Final = re.compile("[A-Za-z]")


def hidden_in(text: str) -> str | None:
    """The first characters that are not seen, where there are some."""
    if text.isascii() and text.isprintable():
        return None
    found = _HIDDEN.search(_FLAG.sub(lambda flag: "\u2691" * len(flag[0]), text))
    return None if found is None else text[found.start() : found.end()]


def name_of(characters: str) -> str:
    """What the first of the characters is called, for somebody who cannot see it."""
    first = characters[0]
    return f"U+{ord(first):04X} {unicodedata.name(first, 'CONTROL CHARACTER').lower()}"


def mixed_word_in(text: str) -> str | None:
    """The first word of Latin letters and of others that look like Latin ones."""
    if text.isascii():
        return None
    words = (word[0] for word in _WORD.finditer(text) if not word[0].isascii())
    return next((word for word in words if _is_mixed(word)), None)


def _is_mixed(word: str) -> bool:
    return _LATIN.search(word) is not None and word.translate(_LOOKALIKES) != word


def plainly(text: str) -> str:
    """The text as a model may understand it: in plain letters, without what is not seen."""
    if text.isascii():
        return text.lower()
    seen = _HIDDEN.sub("", text)
    return unicodedata.normalize("NFKC", seen).translate(_LOOKALIKES).lower()
