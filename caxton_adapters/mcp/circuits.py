"""The circuit breakers of one server: its own, and one for each of its tools.

A server that is out of reach is left alone as a whole; a tool that keeps everybody waiting is left
alone without the others.
"""

from typing import Final, TypeAlias, final

from attrs import define, field, frozen

from caxton_adapters.mcp.listed import Answered, Declined, EveryOutcome, Late, Lost, Unreachable
from caxton_core.resilience.breaker import (
    Breaker,
    Closed,
    Outcome,
    Permit,
    Refused,
    admit,
    observed,
)

Held: TypeAlias = Unreachable | Declined
_ABANDONED: Final = (Outcome.ABANDONED, Outcome.ABANDONED)


@final
@frozen
class Permits:
    """Leave to make one call of a tool."""

    tool: str
    of_server: Permit
    of_tool: Permit


@final
@define(eq=False)
class Circuits:
    """Whether calls are made, as what came of earlier ones tells."""

    _server: Breaker = field(factory=Closed, init=False)
    _tools: dict[str, Breaker] = field(factory=dict, init=False)

    def admitted(self, tool: str, now: float) -> Permits | Held:
        """Leave to make a call, or why it is not made."""
        of_server = admit(self._server, now)
        if isinstance(of_server, Refused):
            wait = of_server.retry_after
            return Unreachable(f"it failed too often; next try in {wait:.0f} s")
        of_tool = admit(self._tools.get(tool, Closed()), now)
        if isinstance(of_tool, Refused):
            wait = of_tool.retry_after
            return Declined(f"it gave no answer too often and is not called for {wait:.0f} s")
        self._server, server_permit = of_server
        self._tools[tool], tool_permit = of_tool
        return Permits(tool, server_permit, tool_permit)

    def learn(self, permits: Permits, outcome: EveryOutcome | None, now: float) -> None:
        """Take in what came of a call; None of one that was given up."""
        of_server, of_tool = _ABANDONED if outcome is None else _told(outcome)
        tool = permits.tool
        self._server = observed(self._server, permits.of_server, of_server, now)
        self._tools[tool] = observed(self._tools[tool], permits.of_tool, of_tool, now)


def _told(outcome: EveryOutcome) -> tuple[Outcome, Outcome]:
    """What it says of the server, and of the tool."""
    match outcome:
        case Answered():
            return Outcome.ANSWERED, Outcome.ANSWERED
        case Declined():
            return Outcome.REFUSED, Outcome.REFUSED
        case Lost() | Unreachable():
            return Outcome.FAULT, Outcome.ABANDONED
        case Late(_, made=True):
            return Outcome.ABANDONED, Outcome.FAULT
        case Late():
            return _ABANDONED
