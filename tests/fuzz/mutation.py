"""Small changes that turn a good input into one that nobody thought of."""

from collections.abc import Callable, Sequence
from random import Random
from typing import Final, TypeAlias

Mutation: TypeAlias = Callable[[Random, bytes, Sequence[bytes]], bytes]

INTERESTING: Final = (
    b"\x00",
    b"\n",
    b"\r",
    b"\r\n\r\n",
    b"\x1b[31m",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\xed\xa0\x80",
    b"\xe2\x80\xae",
    b"\\ud800",
    b"\\u0000",
    b'"',
    b"'",
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b".",
    b"=",
    b":",
    b"-1",
    b"0",
    b"1e999",
    b"9" * 30,
    b"9" * 5000,
    b"NaN",
    b"Infinity",
    b"null",
    b"true",
    b"../",
    b"%00",
    b"$" + b"{X}",
)


def _flip(random: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    changed = bytearray(data or b"\0")
    for _each in range(random.choice((1, 1, 2, 8))):
        changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def _insert(random: Random, data: bytes, words: Sequence[bytes]) -> bytes:
    at = random.randint(0, len(data))
    return data[:at] + random.choice(words) + data[at:]


def _replace(random: Random, data: bytes, words: Sequence[bytes]) -> bytes:
    start, end = _span(random, data)
    return data[:start] + random.choice(words) + data[end:]


def _delete(random: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    start, end = _span(random, data)
    return data[:start] + data[end:]


def _cut(random: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    return data[: random.randint(0, len(data))]


def _repeat(random: Random, data: bytes, words: Sequence[bytes]) -> bytes:
    """Many times the same: depth and length are what parsers die of."""
    start, end = _span(random, data)
    piece = random.choice((data[start:end] or b"[", random.choice(words)))
    return data[:start] + piece * random.choice((2, 17, 300, 5000)) + data[start:]


def _move(random: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    start, end = _span(random, data)
    rest = data[:start] + data[end:]
    at = random.randint(0, len(rest))
    return rest[:at] + data[start:end] + rest[at:]


def _span(random: Random, data: bytes) -> tuple[int, int]:
    start = random.randint(0, len(data))
    return start, min(len(data), start + random.choice((1, 2, 8, 64)))


MUTATIONS: Final[Sequence[Mutation]] = (_flip, _insert, _replace, _delete, _cut, _repeat, _move)


def mutated(random: Random, samples: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    """One sample, or the beginning of one and the end of another, changed a few times."""
    data = random.choice(samples)
    if random.random() < 0.2:
        other = random.choice(samples)
        data = _cut(random, data, words) + other[random.randint(0, len(other)) :]
    for _ in range(random.choice((1, 1, 2, 4, 8))):
        data = random.choice(MUTATIONS)(random, data, words)
    return data
