"""Calls of tools by hand: no agent's permissions bind a person, the policy's refusals do."""

from typing import Final, final
from uuid import uuid4

from attrs import frozen
from returns.result import Failure, Result, Success

from caxton_adapters.rest.audit import AuditLog
from caxton_adapters.rest.problem import Refused
from caxton_adapters.runtime.world import PATHS, World
from caxton_core.events import CallOutcome
from caxton_core.primitives import AgentId, ConversationId, MessageId
from caxton_core.tools.permission import POLICY, Decision, Effect, Grant, Verdict
from caxton_core.tools.redaction import redacted
from caxton_core.tools.tool import Caller, Tool, ToolCall, ToolFailed, ToolResult

_BY_HAND: Final = AgentId("00000000-0000-0000-0000-000000000000")
_PATIENCE: Final = 30.0
_FORBIDDEN: Final = 403


@final
@frozen
class Made:
    """What a tool answered, after so many seconds."""

    result: ToolResult
    seconds: float


@final
@frozen
class CallsByHand:
    """Makes calls in the name of whoever asks for them, and has each written down."""

    world: World
    log: AuditLog | None = None

    async def make(self, tool: Tool, call: ToolCall, who: str) -> Result[Made, Refused]:
        """What the tool answers, or that the policy denies the call to everybody."""
        denied = _denied(await self.world.decided(Grant((tool,)), call))
        if denied is not None:
            self._tell_refused(call, who, denied)
            return Failure(Refused(_FORBIDDEN, "CX4062", f"This call is denied: {denied}."))
        began = self.world.clock.monotonic()
        result = await self.world.calls.make(call, _caller(), _PATIENCE)
        made = Made(result, round(self.world.clock.monotonic() - began, 6))
        self._tell_made(call, who, made)
        return Success(made)

    def _tell_made(self, call: ToolCall, who: str, made: Made) -> None:
        failed = isinstance(made.result, ToolFailed)
        outcome = CallOutcome.FAILED if failed else CallOutcome.SUCCEEDED
        if self.log is not None:
            facts = _facts(call, who)
            self.log.info("tool.called", **facts, seconds=made.seconds, outcome=outcome.value)

    def _tell_refused(self, call: ToolCall, who: str, why: str) -> None:
        if self.log is not None:
            self.log.warning("security.call_refused", **_facts(call, who), why=[why])


def _facts(call: ToolCall, who: str) -> dict[str, object]:
    """What is told of every call by hand."""
    arguments = redacted(call.arguments).members()
    return {"by_hand": True, "who": who, "tool": call.name.value, "arguments": arguments}


def _denied(decision: Decision) -> str | None:
    """Why nobody may make the call."""
    return next(filter(None, map(_said, decision.verdicts)), None)


def _said(verdict: Verdict) -> str | None:
    if verdict.level == PATHS:
        return "where its paths lead cannot be found out"
    if verdict.level == POLICY and verdict.effect is Effect.DENY and verdict.rule is not None:
        return f"the policy denies {verdict.rule}"
    return None


def _caller() -> Caller:
    """On nobody's behalf but the operator's; every call is another one."""
    key = f"by-hand-{uuid4().hex}"
    return Caller(_BY_HAND, ConversationId("by-hand"), MessageId(key), key)
