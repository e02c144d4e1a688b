"""Messages of several conversations at once: answered, cancelled and cut off in any order.

The core's turn machine and a journal, driven by Hypothesis. Whatever happens, each past that a turn
is given is one that every provider accepts, and each message ends exactly once.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta
from functools import reduce
from itertools import count

from anyio.from_thread import start_blocking_portal
from attrs import define, evolve
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from caxton_adapters.testing.durable import Reopen
from caxton_adapters.testing.stores import (
    GREETER,
    WRITER,
    accepted,
    append,
    find,
    past,
    questions,
    reopened,
    unfinished,
)
from caxton_core.agent.sections import WindowStrategy
from caxton_core.conversation.message import (
    AssistantMessage,
    Message,
    SystemMessage,
    ToolMessage,
    UserMessage,
)
from caxton_core.conversation.model import AnswerEmpty, Completion, FinishReason, Sampling
from caxton_core.conversation.outcome import NotAnswered, Outcome, OutcomeUnknown, answered
from caxton_core.conversation.past import ConversationKey
from caxton_core.conversation.turn import (
    AskModel,
    CallTools,
    Cancelled,
    Candidate,
    GiveUp,
    ModelAnswered,
    ModelFailed,
    Observation,
    Reply,
    ToolsAnswered,
    Turn,
    TurnRules,
    advance,
    begin,
)
from caxton_core.events import (
    CallAnswered,
    MessageAccepted,
    MessageEnded,
    Observed,
    StepTaken,
    TurnEvent,
    TurnResumed,
)
from caxton_core.journal import Unfinished
from caxton_core.limits import Usage
from caxton_core.primitives import (
    AgentId,
    ConversationId,
    Duration,
    JsonObject,
    MessageId,
    TokenCount,
    ToolName,
)
from caxton_core.tools.tool import (
    BrokenToolCall,
    RequestedCall,
    Tool,
    ToolCall,
    ToolResult,
    ToolSucceeded,
)

READ = Tool(ToolName("files.read"), "Read a file.", JsonObject("{}"), idempotent=True)
WRITE = Tool(ToolName("files.write"), "Write a file.", JsonObject("{}"))
RULES = TurnRules(
    system=SystemMessage("You help."),
    template="{{request}}",
    parameters={},
    candidates=(Candidate(None, None), Candidate(None, None)),
    sampling=Sampling(),
    timeout=Duration(60.0),
    window=TokenCount(1000),
    max_exchanges=2,
    max_tool_rounds=2,
    tokens_per_turn=None,
    tools=(READ, WRITE),
)

NOTHING = JsonObject("{}")
calls: st.SearchStrategy[RequestedCall] = st.sampled_from(
    [
        ToolCall("call_1", READ.name, NOTHING),
        ToolCall("call_2", WRITE.name, NOTHING),
        ToolCall("call_3", WRITE.name, NOTHING),
        ToolCall("", READ.name, NOTHING),
        ToolCall("call_1", ToolName("not.offered"), NOTHING),
        BrokenToolCall("call_1", "files.read", "{oops", "not JSON"),
    ]
)
several_calls = st.lists(calls, min_size=1, max_size=3).map(tuple)
picks = st.integers(0, 1000)


def is_accepted_by_every_provider(history: Sequence[Message]) -> bool:
    """Whether users and answers take turns, and each call has one result directly after it."""
    awaited: list[str] = []
    may_ask = True
    for message in history:
        match message:
            case UserMessage():
                if awaited or not may_ask:
                    return False
                may_ask = False
            case AssistantMessage(_, asked):
                if awaited or may_ask:
                    return False
                awaited = [call.id for call in asked]
                may_ask = not asked
                if len(set(awaited)) != len(awaited):
                    return False
            case ToolMessage(result):
                if result.call_id not in awaited:
                    return False
                awaited.remove(result.call_id)
    return not awaited and may_ask


@define(eq=False)
class Running:
    """A turn at work, and what is known of its calls."""

    accepted: MessageAccepted
    turn: Turn
    results: tuple[ToolResult, ...] = ()


class Interleaving(RuleBasedStateMachine):
    """Two agents, what they share and what they do not, and a server that may die at any moment."""

    def new_place(self) -> Reopen:
        """A place for the journal of one run, which can be opened again."""
        raise NotImplementedError

    @initialize(strategy=st.sampled_from(WindowStrategy))
    def start(self, strategy: WindowStrategy) -> None:
        """Open the journal."""
        self._turn_rules = evolve(RULES, strategy=strategy)
        self.moments = count(1)
        self.messages: list[MessageAccepted] = []
        self.waiting: list[Unfinished] = []
        self.running: list[Running] = []
        self.outcomes: dict[MessageId, Outcome] = {}
        self.said: dict[ConversationKey, list[int]] = {}
        self.stack = ExitStack()
        self._portal = self.stack.enter_context(start_blocking_portal())
        self._reopen = self.new_place()
        self._open()

    def _open(self) -> None:
        self._server = self._portal.wrap_async_context_manager(self._reopen())
        self.store = self._server.__enter__()

    def _append(self, *events: TurnEvent) -> None:
        self._portal.call(append, self.store, *events)

    @rule(agent=st.sampled_from([GREETER, WRITER]), where=st.integers(0, 1), at_once=st.booleans())
    def accept(self, agent: AgentId, where: int, *, at_once: bool) -> None:
        """Somebody sends a message: to a conversation of their own, or to a shared one."""
        conversation = ConversationId(f"chat-{where}")
        message = accepted(len(self.messages), agent, conversation)
        message = evolve(message, shared=where == 0)
        self.messages.append(message)
        self.waiting.append(Unfinished(message))
        self._append(message)
        if at_once and self.waiting[-1] in self.free_to_begin():
            self.begin(len(self.free_to_begin()) - 1)

    @precondition(lambda self: self.free_to_begin())
    @rule(pick=picks)
    def begin(self, pick: int) -> None:
        """The turn of a message begins, or goes on where it was cut off."""
        free = self.free_to_begin()
        waiting = free[pick % len(free)]
        self.waiting.remove(waiting)
        message = waiting.accepted
        known = self._portal.call(past, self.store, message.place)
        assert is_accepted_by_every_provider(known.messages)
        turn = reduce(advance, waiting.observed, begin(self._turn_rules, known, message.text))
        if waiting.calls:
            assert turn.step == CallTools(waiting.calls)
        self._go_on(Running(message, turn, waiting.results))

    def free_to_begin(self) -> list[Unfinished]:
        """The first message of each agent in each conversation where it does nothing yet."""
        lanes = {(one.accepted.agent, one.accepted.conversation) for one in self.running}
        first: list[Unfinished] = []
        for one in self.waiting:
            lane = (one.accepted.agent, one.accepted.conversation)
            if lane not in lanes:
                first.append(one)
                lanes.add(lane)
        return first

    @precondition(lambda self: self.asking())
    @rule(pick=picks, text=st.sampled_from(["Yes.", "word " * 300]))
    def answer(self, pick: int, text: str) -> None:
        """A model answers."""
        self._hear(pick, saying(text))

    @precondition(lambda self: self.asking())
    @rule(pick=picks, asked=several_calls)
    def ask_for_calls(self, pick: int, asked: tuple[RequestedCall, ...]) -> None:
        """A model wants tools to be called."""
        self._hear(pick, saying("", *asked))

    @precondition(lambda self: self.asking())
    @rule(pick=picks)
    def fail(self, pick: int) -> None:
        """A model fails."""
        self._hear(pick, ModelFailed(AnswerEmpty()))

    def _hear(self, pick: int, told: ModelAnswered | ModelFailed) -> None:
        asking = self.asking()
        one = asking[pick % len(asking)]
        assert isinstance(one.turn.step, AskModel)
        self._observe(one, evolve(told, inner=one.turn.step.inner))

    def asking(self) -> list[Running]:
        """The turns that wait for a model."""
        return [one for one in self.running if isinstance(one.turn.step, AskModel)]

    @precondition(lambda self: self.calling())
    @rule(pick=picks, whole=st.booleans())
    def call(self, pick: int, *, whole: bool) -> None:
        """One call has its result, or all have."""
        calling = self.calling()
        one = calling[pick % len(calling)]
        assert isinstance(one.turn.step, CallTools)
        known = {result.call_id for result in one.results}
        left = [call for call in one.turn.step.calls if call.id not in known]
        if left and not whole:
            result = ToolSucceeded(left[0].id, "done")
            one.results = (*one.results, result)
            self._append(CallAnswered(*whose(one.accepted), result))
        else:
            results = (*one.results, *(ToolSucceeded(call.id, "done") for call in left))
            one.results = ()
            self._observe(one, ToolsAnswered(results))

    def calling(self) -> list[Running]:
        """The turns that wait for tools."""
        return [one for one in self.running if isinstance(one.turn.step, CallTools)]

    @precondition(lambda self: self.running)
    @rule(pick=picks)
    def cancel(self, pick: int) -> None:
        """Somebody does not want the answer any more."""
        self._observe(self.running[pick % len(self.running)], Cancelled())

    def _observe(self, one: Running, observation: Observation) -> None:
        self.running.remove(one)
        one.turn = advance(one.turn, observation)
        agent, at, message = whose(one.accepted)
        # What is told twice at the same moment is one thing, recorded twice.
        later = at + timedelta(microseconds=next(self.moments))
        self._go_on(one, Observed(agent, later, message, observation))

    def _go_on(self, one: Running, *observed: TurnEvent) -> None:
        message, step = one.accepted, one.turn.step
        events = [*observed, StepTaken(*whose(message), step)]
        match step:
            case AskModel(request=request):
                asked = [said for said in request.messages if not isinstance(said, SystemMessage)]
                assert is_accepted_by_every_provider([*asked, AssistantMessage("")])
                self.running.append(one)
            case CallTools():
                self.running.append(one)
            case Reply(said=said, summary=summary):
                ending = MessageEnded(*whose(message), answered(step), said, summary)
                events.append(ending)
                self._ended(message, ending.outcome)
                self.said.setdefault(message.place, []).append(self.messages.index(message))
            case GiveUp(why, usage):
                events.append(MessageEnded(*whose(message), NotAnswered(why, usage)))
                self._ended(message, NotAnswered(why, usage))
        self._append(*events)

    def _ended(self, message: MessageAccepted, outcome: Outcome) -> None:
        assert message.message not in self.outcomes
        self.outcomes[message.message] = outcome

    @precondition(lambda self: len(self.outcomes) % 4 == 3)
    @rule(pick=st.integers(0, 1))
    def reset(self, pick: int) -> None:
        """A conversation begins anew."""
        place = ConversationKey(ConversationId(f"chat-{pick}"), None if pick == 0 else GREETER)
        self._portal.call(self.store.conversations.reset, place, accepted(0).at)
        self.said.pop(place, None)

    @rule()
    def crash(self) -> None:
        """The server dies and starts again: it knows what the journal knows."""
        self._server.__exit__(None, None, None)
        self._open()
        left = self._portal.call(unfinished, self.store)
        expected = [one for one in self.messages if one.message not in self.outcomes]
        assert [one.accepted for one in left] == expected
        self.running, self.waiting = [], []
        for one in left:
            self._append(TurnResumed(*whose(one.accepted), one.attempts + 1))
            lost = one.unknown({READ.name})
            if lost:
                outcome = NotAnswered(OutcomeUnknown(lost))
                self._append(MessageEnded(*whose(one.accepted), outcome))
                self._ended(one.accepted, outcome)
            else:
                self.waiting.append(one)

    @precondition(lambda self: self.unknown())
    @rule(pick=picks)
    def resolve(self, pick: int) -> None:
        """A person finds out what became of the calls, and has the turn go on."""
        unknown = self.unknown()
        message = unknown[pick % len(unknown)]
        outcome = self.outcomes.pop(message.message)
        assert isinstance(outcome, NotAnswered)
        assert isinstance(outcome.why, OutcomeUnknown)
        results = (ToolSucceeded(call.id, "it was done") for call in outcome.why.calls)
        self._append(reopened(message, *results))
        left = self._portal.call(unfinished, self.store)
        self.waiting += [one for one in left if one.accepted == message]
        self.waiting.sort(key=lambda one: self.messages.index(one.accepted))

    def unknown(self) -> list[MessageAccepted]:
        """The messages whose calls have an outcome that nobody knows."""
        return [
            message
            for message in self.messages
            if isinstance(outcome := self.outcomes.get(message.message), NotAnswered)
            and isinstance(outcome.why, OutcomeUnknown)
        ]

    @invariant()
    def histories_are_sound_and_in_order(self) -> None:
        """What a turn would be given now."""
        for place in {message.place for message in self.messages}:
            known = self._portal.call(past, self.store, place)
            assert is_accepted_by_every_provider(known.messages)
            expected, seen = self.said.get(place, []), list(questions(known))
            assert seen == expected[len(expected) - len(seen) :]
            assert known.summary or seen == expected

    @invariant()
    def every_outcome_is_the_one_that_was_recorded(self) -> None:
        """A message has the one ending that it had, or none."""
        for message in self.messages:
            stored = self._portal.call(find, self.store, message)
            assert stored is not None
            assert stored.outcome == self.outcomes.get(message.message)

    def teardown(self) -> None:
        """Let everything that was accepted end, and see that it does."""
        if not hasattr(self, "stack"):
            return
        with self.stack:
            while self.running or self.waiting:
                while self.free_to_begin():
                    self.begin(0)
                while self.asking():
                    self.answer(0, "Yes.")
                while self.calling():
                    self.call(0, whole=True)
            assert not self._portal.call(unfinished, self.store)
            assert {message.message for message in self.messages} == set(self.outcomes)
            self._server.__exit__(None, None, None)


def saying(text: str, *asked: RequestedCall) -> ModelAnswered:
    """The model answers so."""
    return ModelAnswered(Completion(text, FinishReason.STOP, Usage(1, 1), "some-model", asked))


def whose(message: MessageAccepted) -> tuple[AgentId, datetime, MessageId]:
    """What every event of a message begins with."""
    return message.agent, message.at, message.message
