"""Models and tools, which do what they do whether or not anybody hears of it."""

from collections import Counter
from typing import Final, final

from attrs import field, mutable
from returns.result import Failure, Result, Success

from caxton_core.conversation.model import (
    Completion,
    FinishReason,
    ModelFailure,
    ModelRequest,
    RateLimited,
    RequestRefused,
    ServiceFault,
    Unreachable,
)
from caxton_core.conversation.spending import answer_tokens, bounded, prompt_tokens
from caxton_core.conversation.turn import AskModel
from caxton_core.limits import Usage
from caxton_core.primitives import JsonObject
from caxton_core.tools.tool import (
    BrokenToolCall,
    RequestedCall,
    ToolCall,
    ToolResult,
    ToolSucceeded,
)
from tests.core.conversation.test_repair import is_accepted
from tests.core.simulation.disk import Disk, break_off
from tests.core.simulation.plan import IDEMPOTENT, PAY, READ, SEND, Plan

SUMMARY: Final = "SUMMARY"
_NO_ARGUMENTS: Final = JsonObject("{}")
_FAILURES: tuple[ModelFailure, ...] = (
    Unreachable("there", "refused"),
    ServiceFault(500, "broken"),
    ServiceFault(503, "busy", retry_after=3.0),
    RateLimited("too many"),
    RequestRefused(400, "no"),
)


@final
@mutable
class Outside:
    """The world beyond the server; it holds the server to its promises at every call."""

    plan: Plan
    disk: Disk
    asked: int = 0
    called: int = 0
    made: Counter[tuple[str, str]] = field(factory=Counter)
    allowed: Counter[tuple[str, str]] = field(factory=Counter)

    def ask(self, message: str, step: AskModel, told: int) -> Result[Completion, ModelFailure]:
        """The answer of a model to a turn that knows of so many observations."""
        self.asked += 1
        if told != len(self.disk.messages[message].observed):
            break_off(f"{message} asks a model with {told} observations, others are recorded")
        if not is_accepted(step.request.messages):
            break_off(f"{message} sends what no provider accepts")
        if self.plan.strikes(self.plan.rates.model_fails):
            return Failure(self.plan.chance.choice(_FAILURES))
        return Success(self._completion(message, step))

    def call(self, message: str, call: ToolCall) -> ToolResult:
        """Do what a tool does."""
        intent = (message, call.id)
        self.called += 1
        self.made[intent] += 1
        if call.id in self.disk.messages[message].results:
            break_off(f"{intent} is called again though its result is recorded")
        if call.name not in IDEMPOTENT and self.made[intent] > 1 + self.allowed[intent]:
            break_off(f"{intent} is not idempotent and was called {self.made[intent]} times")
        if call.name == PAY.name and not self.disk.may_be_made(
            message, call.id, asks=self.plan.asks
        ):
            break_off(f"{intent} is called, and nobody approved it")
        return ToolSucceeded(call.id, f"done {call.name.value}")

    def _completion(self, message: str, step: AskModel) -> Completion:
        chance = self.plan.chance
        request = bounded(step.request)
        usage = _usage(request, chance.random())
        if step.inner:
            text = chance.choice(("", f"{SUMMARY} of it", f"{SUMMARY} " + "s" * 3000))
            return Completion(text, FinishReason.STOP, usage, "model")
        calls: tuple[RequestedCall, ...] = ()
        if self.plan.strikes(self.plan.calls):
            calls = tuple(self._call() for _ in range(chance.randint(1, 2)))
        return Completion(f"answer to {message}", FinishReason.STOP, usage, "model", calls)

    def _call(self) -> RequestedCall:
        chance = self.plan.chance
        call_id = chance.choice(("", "call_1", f"call_{chance.randint(0, 10**6)}"))
        if chance.random() < 0.1:
            return BrokenToolCall(call_id, "files.read", "{", "no JSON")
        return ToolCall(call_id, chance.choice((READ, SEND, PAY)).name, _NO_ARGUMENTS)


def _usage(request: ModelRequest, part: float) -> Usage:
    return Usage(int(prompt_tokens(request) * part), int(answer_tokens(request) * part))
