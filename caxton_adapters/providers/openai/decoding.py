"""JSON of a service into wire structs, whatever it did to its Unicode."""

import json
import re
from typing import Generic, TypeVar, final

import msgspec

T = TypeVar("T")

LONE_SURROGATE = re.compile("[\ud800-\udfff]")


@final
class Reader(Generic[T]):
    """Decodes one kind of struct; what does not fit raises `msgspec.DecodeError`.

    JSON may hold half of a surrogate pair, which is no character and cannot be stored or sent on:
    it becomes U+FFFD.
    """

    __slots__ = ("_decoder", "_kind")

    def __init__(self, kind: type[T]) -> None:
        self._kind = kind
        self._decoder = msgspec.json.Decoder(kind)

    def read(self, text: bytes) -> T:
        """The struct that the text holds."""
        try:
            return self._decoder.decode(text)
        except msgspec.ValidationError:
            raise
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return msgspec.convert(_patiently(text), self._kind)


def repaired(text: str) -> str:
    """The text with U+FFFD where half of a surrogate pair stands alone."""
    return text if text.isascii() else LONE_SURROGATE.sub("\ufffd", text)


def _patiently(text: bytes) -> object:
    try:
        return repaired_json(json.loads(text.decode("utf-8", "replace")))
    except (ValueError, RecursionError) as error:
        raise msgspec.DecodeError(str(error)) from error


def repaired_json(value: object) -> object:
    """A JSON value with all its texts repaired."""
    match value:
        case str():
            return repaired(value)
        case list():
            return [repaired_json(item) for item in value]
        case dict():
            return {repaired_json(key): repaired_json(item) for key, item in value.items()}
        case _:
            return value
