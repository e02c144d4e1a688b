"""Hypothesis strategies for what a journal keeps: whole lives of messages, and stored messages."""

import hashlib
from datetime import datetime
from typing import final

from attrs import evolve
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from caxton_core.conversation.message import AssistantMessage, Message, ToolMessage, UserMessage
from caxton_core.conversation.outcome import (
    AgentCrashed,
    Answered,
    DeadLettered,
    NotAnswered,
    Outcome,
    OutcomeUnknown,
)
from caxton_core.conversation.turn import (
    CallTools,
    Cancelled,
    GiveUp,
    ModelAnswered,
    ModelFailed,
    Observation,
    Reply,
    Step,
    ToolsAnswered,
)
from caxton_core.events import (
    ApprovalAsked,
    ApprovalGiven,
    CallAnswered,
    CallBegun,
    MessageAccepted,
    MessageEnded,
    MessageReopened,
    Observed,
    StepTaken,
    TurnEvent,
    TurnResumed,
)
from caxton_core.journal import StoredMessage, folded
from caxton_core.primitives import AgentId, MessageId
from caxton_core.testing.agent import agent_ids, conversation_ids, message_ids
from caxton_core.testing.conversation import completions, failures, json_objects, tool_names
from caxton_core.testing.events import (
    any_texts,
    consents,
    model_steps,
    moments,
    outcomes,
    summaries,
)
from caxton_core.tools.approval import Approval, ApprovalId, Approved
from caxton_core.tools.tool import ToolCall, ToolFailed, ToolResult, ToolSucceeded

acceptances: SearchStrategy[MessageAccepted] = st.builds(
    MessageAccepted,
    agent_ids,
    moments,
    message_ids,
    conversation_ids,
    any_texts,
    st.none() | any_texts,
    st.booleans(),
    st.booleans(),
)
stored_messages: SearchStrategy[StoredMessage] = st.builds(
    StoredMessage, acceptances, st.integers(0, 5)
) | st.builds(StoredMessage, acceptances, st.integers(0, 5), outcomes, moments)


@st.composite
def lives(draw: DrawFn, accepted: SearchStrategy[MessageAccepted] = acceptances) -> list[TurnEvent]:
    """Everything that is recorded of one message, from its acceptance to its last ending.

    Its turn asks, fails, calls tools, is interrupted; it may end without an answer and be reopened.
    """
    life = _Life(draw, draw(accepted))
    for _ in range(draw(st.integers(1, 3))):
        for _ in range(draw(st.integers(0, 2))):
            draw(st.sampled_from([life.ask_in_vain, life.call_tools, life.interrupt]))()
        end = draw(st.sampled_from(_ENDINGS))
        end(life)
        if end not in _REOPENED or not draw(st.booleans()):
            break
        life.reopen()
    return life.events


@st.composite
def begun_lives(draw: DrawFn) -> list[TurnEvent]:
    """A life up to the moment at which the server ends."""
    life = draw(lives())
    return life[: draw(st.integers(1, len(life)))]


@final
class _Life:
    """A life as it is made up, one event after another."""

    def __init__(self, draw: DrawFn, accepted: MessageAccepted) -> None:
        self._draw = draw
        self._accepted = accepted
        self._attempts = 0
        self._round = 0
        self._said: list[Message] = [UserMessage(accepted.text)]
        self.events: list[TurnEvent] = [accepted]

    def ask_in_vain(self) -> None:
        """A model fails, and the next one is asked."""
        self._observe(ModelFailed(self._draw(failures)))
        self._step(self._draw(model_steps))

    def call_tools(self) -> None:
        """A model asks for calls, which are made; some results come twice."""
        calls = self._asked_for_calls()
        results = [self._result(call) for call in calls]
        for call in calls:
            if self._draw(st.booleans()):
                self._ask_a_person(call)
        for result in self._draw(st.lists(st.sampled_from(results), max_size=4)):
            self._answer(result)
        if self._draw(st.booleans()):
            self.interrupt()
            self._step(CallTools(calls))
        self._said += [ToolMessage(result) for result in results]
        self._observe(ToolsAnswered(tuple(self._draw(st.permutations(results)))))

    def _ask_a_person(self, call: ToolCall) -> None:
        """A call waits for somebody's say; approved it is begun, or the server ends before."""
        digits = hashlib.sha256(call.id.encode()).hexdigest()[:20]
        approval = Approval(
            ApprovalId(f"apr_{digits}"), call, self._accepted.at, self._accepted.at, ("files.*",)
        )
        self.events.append(ApprovalAsked(*self._whose, approval))
        if self._draw(st.booleans()):
            said = self._draw(consents)
            self.events.append(ApprovalGiven(*self._whose, approval.id, said))
            if isinstance(said, Approved) and self._draw(st.booleans()):
                self.events.append(CallBegun(*self._whose, call.id))

    def interrupt(self) -> None:
        """The server ends, and the turn goes on after its next start."""
        self._attempts += 1
        self.events.append(TurnResumed(*self._whose, self._attempts))

    def answer(self) -> None:
        """The model answers."""
        completion = evolve(self._draw(completions), calls=())
        self._said.append(AssistantMessage(completion.text))
        said, summary = tuple(self._said), self._draw(st.none() | summaries)
        usage, model = completion.usage, completion.model
        self._observe(ModelAnswered(completion))
        self._step(Reply(completion.text, completion.finish, model, said, usage, summary))
        outcome = Answered(completion.text, completion.finish, model, usage)
        self.events.append(MessageEnded(*self._whose, outcome, said, summary))

    def cancel(self) -> None:
        """The sender does not want the answer any more."""
        self._observe(Cancelled())
        self._give_up(NotAnswered(Cancelled()))

    def fail(self) -> None:
        """The last model fails."""
        failed = ModelFailed(self._draw(failures))
        self._observe(failed)
        self._give_up(NotAnswered(failed))

    def lose_results(self) -> None:
        """The server ends while tools are at work that may not be called again."""
        calls = self._asked_for_calls()
        for call in calls[1:]:
            if self._draw(st.booleans()):
                self._answer(self._result(call))
        self.interrupt()
        self._end(NotAnswered(OutcomeUnknown(folded(self._accepted, self.events).open_calls)))

    def kill(self) -> None:
        """The server ends again and again."""
        self.interrupt()
        self.interrupt()
        self._end(NotAnswered(DeadLettered(self._attempts)))

    def crash(self) -> None:
        """The agent breaks down on the message."""
        self._end(NotAnswered(AgentCrashed("killed by signal 9")))

    def reopen(self) -> None:
        """A person wants the turn to go on, and knows what came of some of the calls."""
        calls = folded(self._accepted, self.events).open_calls
        known = self._draw(st.integers(0, len(calls)))
        results = tuple(self._result(call) for call in calls[:known])
        self._attempts = 0
        self.events.append(MessageReopened(*self._whose, results))
        if calls:
            self._step(CallTools(calls))
            self._observe(ToolsAnswered(tuple(map(self._result, calls))))

    @property
    def _whose(self) -> tuple[AgentId, datetime, MessageId]:
        return self._accepted.agent, self._accepted.at, self._accepted.message

    def _observe(self, observation: Observation) -> None:
        self.events.append(Observed(*self._whose, observation))

    def _step(self, step: Step) -> None:
        self.events.append(StepTaken(*self._whose, step))

    def _answer(self, result: ToolResult) -> None:
        self.events.append(CallAnswered(*self._whose, result))

    def _give_up(self, outcome: NotAnswered) -> None:
        self._step(GiveUp(Cancelled(), outcome.usage))
        self._end(outcome)

    def _end(self, outcome: Outcome) -> None:
        self.events.append(MessageEnded(*self._whose, outcome))

    def _asked_for_calls(self) -> tuple[ToolCall, ...]:
        self._round += 1
        calls = tuple(
            ToolCall(f"call_{self._round}_{n}", self._draw(tool_names), self._draw(json_objects))
            for n in range(self._draw(st.integers(1, 3)))
        )
        self._said.append(AssistantMessage("", calls))
        self._observe(ModelAnswered(evolve(self._draw(completions), calls=calls)))
        self._step(CallTools(calls))
        return calls

    def _result(self, call: ToolCall) -> ToolResult:
        text = self._draw(any_texts)
        works = self._draw(st.booleans())
        return ToolSucceeded(call.id, text) if works else ToolFailed(call.id, text)


_REOPENED = (_Life.fail, _Life.lose_results, _Life.kill, _Life.crash)
_ENDINGS = (*_REOPENED, _Life.answer, _Life.cancel)
