"""A person's say about one call of a tool: what is asked, until when, and what they answer."""

from datetime import datetime
from typing import ClassVar, TypeAlias, final

from attrs import frozen

from caxton_core.primitives import Text, TextRule
from caxton_core.tools.tool import ToolCall, ToolFailed


@final
@frozen
class ApprovalId(Text):
    """The id of an approval; the same for the same call, however often the server starts."""

    rule: ClassVar = TextRule(
        "an approval id", "apr_[0-9a-f]{20}", "`apr_` and 20 hexadecimal digits", 24
    )


@final
@frozen
class Approval:
    """A call that waits for a person until it `expires`; `why` are the rules that want it."""

    id: ApprovalId
    call: ToolCall
    asked: datetime
    expires: datetime
    why: tuple[str, ...] = ()


@final
@frozen
class Approved:
    """The call may be made, says this person."""

    by: str


@final
@frozen
class Denied:
    """The call is not made, says this person; the model is told the reason."""

    by: str
    reason: str = ""


@final
@frozen
class Expired:
    """Nobody said anything in time."""


Said: TypeAlias = Approved | Denied | Expired


def not_approved(call: ToolCall, said: Denied | Expired) -> ToolFailed:
    """What the model is told of a call that a person did not approve."""
    name = call.name.value
    match said:
        case Expired():
            return ToolFailed(call.id, f"nobody confirmed this call of {name} in time")
        case Denied(reason=""):
            return ToolFailed(call.id, f"a person refused this call of {name}")
        case Denied(reason=reason):
            return ToolFailed(call.id, f"a person refused this call of {name}: {reason}")
