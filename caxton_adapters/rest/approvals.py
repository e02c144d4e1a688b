"""Calls that wait for a person: listed, shown, answered; and why a call would be made or not."""

from typing import Final, final

import msgspec
from attrs import frozen
from returns.result import Failure, Result, Success

from caxton_adapters.rest.approvals_wire import (
    ApprovalAnswer,
    ApprovalPage,
    CallInQuestion,
    DecisionBody,
    VerdictBody,
)
from caxton_adapters.rest.body import invalid, read_json
from caxton_adapters.rest.exchange import Answer, Asked, json_answer, refusal
from caxton_adapters.rest.paging import page_of
from caxton_adapters.rest.problem import Refused
from caxton_adapters.rest.refusals import of_approval, of_runtime
from caxton_adapters.rest.telling import approval_body
from caxton_adapters.runtime.approvals import Request
from caxton_adapters.runtime.runtime import Runtime
from caxton_core.primitives import JsonObject, ToolName
from caxton_core.tools.approval import Approved, Denied
from caxton_core.tools.explaining import explained, summary
from caxton_core.tools.permission import Decision
from caxton_core.tools.tool import ToolCall

_ANSWER: Final = msgspec.json.Decoder(ApprovalAnswer)
_QUESTION: Final = msgspec.json.Decoder(CallInQuestion)
_LONGEST: Final = 65_536
_DEEPEST: Final = 32


@final
@frozen
class Approvals:
    """The resource `/approvals`, and `/agents/{ref}/why`."""

    runtime: Runtime

    def page(self, limit: int, cursor: str | None, message: str | None = None) -> Answer:
        """The calls that wait."""
        waiting = [
            request
            for request in self.runtime.approvals.waiting()
            if message in (None, request.message.value)
        ]
        page = page_of(waiting, _position, limit, cursor)
        bodies = tuple(approval_body(request, None) for request in page.items)
        return json_answer(ApprovalPage(bodies, page.next))

    def show(self, asked: Asked, id_: str) -> Answer:
        """One approval."""
        found = self.runtime.approvals.find(id_)
        if isinstance(found, Failure):
            return refusal(of_approval(found.failure()), asked.context)
        return json_answer(approval_body(*found.unwrap()))

    async def answer(self, asked: Asked, id_: str) -> Answer:
        """Have the call made, or not."""
        read = read_json(_ANSWER, asked.body)
        if isinstance(read, Failure):
            return refusal(read.failure(), asked.context)
        by, answer = asked.context.principal, read.unwrap()
        said = Approved(by) if answer.decision == "approve" else Denied(by, answer.reason)
        answered = await self.runtime.approvals.answer(id_, said)
        if isinstance(answered, Failure):
            return refusal(of_approval(answered.failure()), asked.context)
        return json_answer(approval_body(answered.unwrap(), said))

    async def why(self, asked: Asked, ref: str) -> Answer:
        """What would become of a call of an agent, were it made now."""
        read = read_json(_QUESTION, asked.body).bind(_call)
        if isinstance(read, Failure):
            return refusal(read.failure(), asked.context)
        decided = await self.runtime.decide(ref, read.unwrap())
        if isinstance(decided, Failure):
            return refusal(of_runtime(decided.failure()), asked.context)
        return json_answer(_decision(decided.unwrap()))


def _position(request: Request) -> str:
    return f"{request.approval.asked.timestamp():.6f}/{request.approval.id}"


def _call(question: CallInQuestion) -> Result[ToolCall, Refused]:
    """The call, of a size at which answering keeps nobody waiting."""
    name = ToolName.parse(question.tool)
    if isinstance(name, Failure):
        return Failure(invalid(f"Expected {ToolName.rule.says}", "tool"))
    arguments = JsonObject.of(question.arguments)
    if arguments.depth > _DEEPEST:
        return Failure(invalid(f"Expected at most {_DEEPEST} levels of JSON", "arguments"))
    if len(arguments.value) > _LONGEST:
        return Failure(invalid(f"Expected at most {_LONGEST:,} characters of JSON", "arguments"))
    return Success(ToolCall("call", name.unwrap(), arguments))


def _decision(decision: Decision) -> DecisionBody:
    verdicts = tuple(
        VerdictBody(each.level, each.effect.name.lower(), each.rule and each.rule.value)
        for each in decision.verdicts
    )
    effect = decision.effect.name.lower()
    return DecisionBody(effect, summary(decision), verdicts, explained(decision))
