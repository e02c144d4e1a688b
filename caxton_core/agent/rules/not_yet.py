"""What the format has and the product does not do yet: one line each, deleted when it is done."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final, final

from attrs import frozen

from caxton_core.problems import NotYet, Path, Problem


@final
@frozen
class Awaited:
    """A key without effect yet; `asks` tells whether a value wants what is not done."""

    at: Path
    instead: str
    asks: Callable[[object], bool]


def _anything(_: object) -> bool:
    return True


def _weight(value: object) -> bool:
    return value != 1.0


AWAITED: Final = (
    Awaited(
        ("memory", "min_similarity"),
        "entries are recalled that share words with the message, however alike they are",
        _anything,
    ),
    Awaited(
        ("resources", "max_cpu"),
        "processor time is measured and shown, and shared as the system shares it",
        _anything,
    ),
    Awaited(
        ("routing", "weight"),
        "at equal priority the agent with the fewest messages is chosen",
        _weight,
    ),
)


def not_yet(table: Mapping[str, object]) -> Iterator[Problem]:
    """Tell which keys that are written in the table have no effect yet."""
    for awaited in AWAITED:
        *above, key = map(str, awaited.at)
        inner: object = table
        for name in above:
            inner = inner.get(name) if isinstance(inner, Mapping) else None
        if isinstance(inner, Mapping) and key in inner and awaited.asks(inner[key]):
            yield Problem(awaited.at, NotYet(".".join((*above, key)), awaited.instead))
