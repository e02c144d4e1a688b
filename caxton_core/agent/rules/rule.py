"""What a rule is: which fields it reads, and what it finds in them."""

from collections.abc import Callable, Iterable, Iterator
from typing import final

from attrs import frozen

from caxton_core.agent.config import AgentConfig
from caxton_core.problems import Path, Problem, What


@final
@frozen
class Rule:
    """A rule between fields; it is left out where a field in `reads` could not be read.

    Fields whose default value can only make the rule find less need not be named.
    """

    reads: tuple[Path, ...]
    check: Callable[[AgentConfig], Iterator[Problem]]

    def concerns(self, unread: Iterable[Path]) -> bool:
        """Whether one of the paths lies in, or above, a field that the rule reads."""
        return any(path[: len(read)] == read[: len(path)] for path in unread for read in self.reads)


def at(*path: str | int) -> Callable[[What], Problem]:
    """Make problems that stand at the path."""
    return lambda what: Problem(path, what)
