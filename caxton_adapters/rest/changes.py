"""What a request replaced by what, as hashes of the form in which it is stored and shown.

A hash is `sha256:` and 64 digits: of a text in UTF-8 as it is, of a table in canonical JSON (sorted
keys, no spaces). None is what was, or is, not there. Values that are never shown are in no hash.
"""

import hashlib
from collections.abc import Mapping
from typing import TypeAlias, final

from attrs import frozen

from caxton_core.primitives import JsonObject

Hash: TypeAlias = str | None
Hashed: TypeAlias = Hash | Mapping[str, Hash]
"""The hash of one thing, or those of several by their names."""


@final
@frozen
class Change:
    """What there was before a request, and after it."""

    before: Hashed
    after: Hashed


def hash_of(text: str) -> str:
    """The hash of a text."""
    return hash_of_bytes(text.encode())


def hash_of_bytes(content: bytes) -> str:
    """The hash of what was sent, byte by byte."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def hash_of_table(members: Mapping[str, object]) -> str:
    """The hash of a table of JSON values."""
    return hash_of(JsonObject.of(members).value)
