"""What came of a call, in words for a model."""

from caxton_adapters.mcp.listed import (
    Answered,
    Declined,
    EveryOutcome,
    Late,
    Lost,
    Unreachable,
)
from caxton_core.tools.tool import ToolCall, ToolFailed, ToolResult, ToolSucceeded


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
        case Late(seconds, made):
            began = "" if made else ": earlier calls took all the time"
            return ToolFailed(call.id, f"no answer within {seconds:g} s{began}")
