"""What passes between a connection and those who call: plain values, none of the library's."""

from collections.abc import Mapping
from typing import TypeAlias, final

from attrs import frozen

from caxton_core.tools.tool import Blame


@final
@frozen(kw_only=True)
class ListedTool:
    """A tool as its server lists it."""

    name: str
    description: str
    parameters: Mapping[str, object]
    returns: Mapping[str, object] | None = None
    repeatable: bool = False
    """Whether its annotations say that it may be called twice."""


@final
@frozen
class Greeting:
    """How a server introduced itself."""

    protocol: str
    title: str
    version: str


@final
@frozen
class Answered:
    """What a tool answered, as text for the model."""

    text: str


@final
@frozen
class Declined:
    """Why a tool gave no answer, as text for the model: the server said so."""

    why: str
    blame: Blame = Blame.TOOL


@final
@frozen
class Lost:
    """There is no connection, or none any more; nobody knows whether the call was made."""

    why: str


@final
@frozen
class Unreachable:
    """There is no connection, and the call was not made."""

    why: str


@final
@frozen
class Late:
    """No answer came in time; the server was told that nobody waits any more.

    One that was not `made` waited for earlier calls all the time.
    """

    seconds: float
    made: bool = True


CallOutcome: TypeAlias = Answered | Declined | Lost
EveryOutcome: TypeAlias = CallOutcome | Unreachable | Late
