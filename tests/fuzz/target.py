"""A parser under attack, and what it owes to whatever it is given."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Final, TypeAlias, final

from attrs import field, frozen

CORPUS: Final = Path(__file__).parent / "corpus"

Attack: TypeAlias = Callable[[bytes], object]
"""Reads the input; whatever it raises is a defect, a broken law as an AssertionError."""


@final
@frozen
class Target:
    """One parser; `words` are what it pays attention to, `opened` gives the attack for one run."""

    name: str
    opened: Callable[[], AbstractContextManager[Attack]] = field(repr=False)
    words: tuple[bytes, ...] = ()
    largest: int = 64 * 1024
    corpus: Path = CORPUS

    @property
    def folder(self) -> Path:
        """Where its samples are."""
        return self.corpus / self.name

    def samples(self) -> dict[str, bytes]:
        """The inputs that are kept, by their names."""
        return {path.name: path.read_bytes() for path in sorted(self.folder.iterdir())}


def target(name: str, attack: Attack, *words: str, largest: int = 64 * 1024) -> Target:
    """A parser that needs nothing around it."""
    return Target(name, lambda: nullcontext(attack), tuple(map(str.encode, words)), largest)
