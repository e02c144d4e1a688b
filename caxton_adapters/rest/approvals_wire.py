"""The bodies of approvals and of decisions about calls."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from caxton_adapters.rest.wire import ApprovalBody


class ApprovalPage(msgspec.Struct, frozen=True):
    """The calls that wait, what was asked first first."""

    approvals: tuple[ApprovalBody, ...]
    next: str | None = None


class ApprovalAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person says of a call; the model is told the reason of a refusal."""

    decision: Literal["approve", "deny"]
    reason: Annotated[str, Meta(max_length=1000)] = ""


class CallInQuestion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A call that somebody wonders about."""

    tool: Annotated[str, Meta(examples=["files.read"])]
    arguments: dict[str, object] = msgspec.field(default_factory=dict)


class VerdictBody(msgspec.Struct, frozen=True):
    """What one level says of a call: allow, ask, deny or nothing, and by which permission."""

    level: str
    effect: str
    rule: str | None


class DecisionBody(msgspec.Struct, frozen=True):
    """Whether a call would be made now: allow, ask or deny, and why, in words too."""

    effect: str
    summary: str
    verdicts: tuple[VerdictBody, ...]
    explanation: tuple[str, ...]
