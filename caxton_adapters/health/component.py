"""A part of the server, as it says it does: the one word that parts and their readers share."""

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Final, TypeAlias, final

from attrs import frozen

Fact: TypeAlias = str | float | Mapping[str, str]


@final
class Status(Enum):
    """Well; less well than it should be, but of use; of no use, so that nothing new is taken."""

    WELL = "pass"
    WARN = "warn"
    FAIL = "fail"


NO_FACTS: Final[Mapping[str, Fact]] = {}


@final
@frozen
class Component:
    """How a part does now; the reason is for the operator, and empty where all is well."""

    name: str
    status: Status = Status.WELL
    reason: str = ""
    facts: Mapping[str, Fact] = NO_FACTS


Part: TypeAlias = Callable[[], Component]
"""Tells how a part does; at once, without raising, from what is known already."""
