"""What came of a call: what it says of its server, and what a model is told."""

from caxton_adapters.mcp.listed import (
    Answered,
    Declined,
    EveryOutcome,
    Late,
    Lost,
    Unreachable,
)
from caxton_core.resilience.breaker import Outcome
from caxton_core.tools.tool import ToolCall, ToolFailed, ToolResult, ToolSucceeded


def told(outcome: EveryOutcome) -> Outcome:
    """What it tells a circuit breaker."""
    match outcome:
        case Answered():
            return Outcome.ANSWERED
        case Declined():
            return Outcome.REFUSED
        case Lost() | Unreachable() | Late():
            return Outcome.FAULT


def result_of(call: ToolCall, outcome: EveryOutcome) -> ToolResult:
    """The result of the call, in words for a model."""
    server = call.name.server
    match outcome:
        case Answered(text):
            return ToolSucceeded(call.id, text)
        case Declined(why, blame):
            return ToolFailed(call.id, why, blame)
        case Lost(why):
            return ToolFailed(
                call.id,
                f"the connection with {server} was lost during the call, which may have been "
                f"made: {why}",
            )
        case Unreachable(why):
            return ToolFailed(call.id, f"{server} cannot be reached: {why}")
        case Late(seconds):
            return ToolFailed(call.id, f"no answer within {seconds:g} s")
