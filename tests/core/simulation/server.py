"""One life of a server: the shell around the turns, written as generators of effects.

What it remembers ends with it; only the disk and the outside go on.
"""

import hashlib
from collections.abc import Generator
from datetime import datetime, timedelta
from typing import Final, TypeAlias, final

from attrs import define, field, frozen, mutable
from returns.result import Failure, Result

from caxton_core.agent.restarts import DiedTooOften, after_death
from caxton_core.conversation.model import CircuitOpen, Completion, ModelFailure
from caxton_core.conversation.outcome import (
    AgentCrashed,
    AgentGone,
    NotAnswered,
    Outcome,
    OutcomeUnknown,
    TurnFailure,
    answered,
)
from caxton_core.conversation.past import NOTHING, ConversationKey, Past
from caxton_core.conversation.spending import answer_tokens, bounded, prompt_tokens, spent
from caxton_core.conversation.turn import (
    AskModel,
    BudgetReached,
    CallTools,
    Cancelled,
    DeadlinePassed,
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
    ended,
)
from caxton_core.events import (
    ApprovalAsked,
    CallAnswered,
    CallBegun,
    MessageAccepted,
    MessageEnded,
    Observed,
    StepTaken,
    TurnEvent,
    TurnResumed,
)
from caxton_core.journal import Consent, Unfinished
from caxton_core.limits import Budget, Reservation, Spending, daily, reserve, settle
from caxton_core.primitives import AgentId, MessageId, ProviderName, TokenCount
from caxton_core.resilience import breaker
from caxton_core.resilience.breaker import Breaker, Closed, Permit, Refused, admit
from caxton_core.resilience.retry import RetryBudget, RetryPolicy, asked, asked_again, wait_before
from caxton_core.tools.approval import (
    Approval,
    ApprovalId,
    Approved,
    Denied,
    Expired,
    Said,
    not_approved,
)
from caxton_core.tools.tool import ToolCall, ToolResult
from tests.core.simulation.disk import Disk, break_off
from tests.core.simulation.plan import IDEMPOTENT, PAY, START, Plan

MOST_DEATHS_OF_A_TURN: Final = 3
TURN_TIMEOUT: Final = 120.0
PATIENCE: Final = timedelta(hours=1)


@final
@frozen
class Append:
    """Have these recorded."""

    events: tuple[TurnEvent, ...]


@final
@frozen
class Ask:
    """Ask a model, knowing of so many observations."""

    step: AskModel
    told: int


@final
@frozen
class Make:
    """Make these calls; each result is recorded by itself where there are several."""

    calls: tuple[ToolCall, ...]


@final
@frozen
class Wait:
    """Wait for what a person says of a call; the turn's deadline stands still."""

    approval: Approval


@final
@frozen
class Sleep:
    """Wait until then."""

    until: float


Effect: TypeAlias = Append | Ask | Make | Wait | Sleep
Answer: TypeAlias = Result[Completion, ModelFailure]
Told: TypeAlias = Answer | tuple[ToolResult, ...] | Said | None
Effects: TypeAlias = Generator[Effect, Told, None]


@final
class Stopped(Exception):
    """Somebody ends the turn from outside."""

    def __init__(self, why: TurnFailure) -> None:
        super().__init__(why)
        self.why = why


@final
@define(eq=False)
class Task:
    """One turn at work: what it wants done now."""

    accepted: MessageAccepted
    deadline: float
    recorded: Unfinished | None
    effects: Effects = field(init=False)
    wants: Effect | None = None
    turn: Turn | None = None
    told: list[Observation] = field(factory=list)

    @property
    def may_be_stopped(self) -> bool:
        """Nobody stops a turn that is recording something, or did not begin."""
        return not isinstance(self.wants, Append | None)


@final
@mutable(eq=False)
class Server:
    """Everything that a server keeps in its memory."""

    plan: Plan
    disk: Disk
    rules: TurnRules
    now: float
    tasks: dict[str, Task] = field(factory=dict)
    queues: dict[ConversationKey, list[Task]] = field(factory=dict)
    breakers: dict[ProviderName | None, Breaker] = field(factory=dict)
    budgets: dict[AgentId, Budget] = field(factory=dict)
    deaths: dict[AgentId, tuple[float, ...]] = field(factory=dict)
    failed: set[AgentId] = field(factory=set)
    retries: RetryBudget = field(factory=RetryBudget)

    def take(self, accepted: MessageAccepted, recorded: Unfinished | None = None) -> None:
        """Have a message answered, after those that came before it into its conversation."""
        task = Task(accepted, self.now + TURN_TIMEOUT, recorded)
        queue = self.queues.setdefault(accepted.place, [])
        queue.append(task)
        if len(queue) == 1:
            self._start(task)

    def _start(self, task: Task) -> None:
        task.effects = self._conducted(task)
        self.tasks[task.accepted.message.value] = task
        self.go_on(task, None)

    def go_on(self, task: Task, told: Told) -> None:
        """Tell a task what came of what it wanted."""
        if self.now >= task.deadline and task.may_be_stopped:
            self.stop(task, DeadlinePassed())
            return
        try:
            task.wants = task.effects.send(told)
        except StopIteration:
            self._over(task)

    def stop(self, task: Task, why: TurnFailure) -> None:
        """End a turn from outside."""
        try:
            task.wants = task.effects.throw(Stopped(why))
        except StopIteration:
            self._over(task)

    def _over(self, task: Task) -> None:
        del self.tasks[task.accepted.message.value]
        queue = self.queues[task.accepted.place]
        queue.remove(task)
        if queue:
            self._start(queue[0])

    def _conducted(self, task: Task) -> Effects:
        """A turn from its beginning, or from where an earlier life recorded it, to its end."""
        try:
            yield from self._answered(task)
        except Stopped as stopped:
            usage = task.turn.usage if task.turn else NotAnswered(stopped.why).usage
            if task.turn and isinstance(stopped.why, Cancelled | DeadlinePassed):
                task.turn = advance(task.turn, stopped.why)
                if not ended(task.turn):
                    break_off("a turn that was stopped goes on")
            yield self._ending(task, NotAnswered(stopped.why, usage))

    def _answered(self, task: Task) -> Effects:
        unrecorded: list[TurnEvent] = []
        recorded = task.recorded
        if recorded is not None:
            task.told.extend(recorded.observed)
            attempt = recorded.attempts + (not recorded.waits_for_a_person)
            yield Append((TurnResumed(*self._of(task), attempt=attempt),))
        yield from self._begun(task)
        while True:
            assert task.turn is not None
            step = task.turn.step
            if isinstance(step, Reply):
                yield self._ending(task, answered(step), step)
                return
            if isinstance(step, GiveUp):
                yield self._ending(task, NotAnswered(step.why, step.usage))
                return
            if isinstance(step, AskModel):
                yield Append(tuple(unrecorded))
                told = yield from self._asked(task, step)
            else:
                told = yield from self._called(task, step, unrecorded)
            unrecorded.clear()
            unrecorded.append(Observed(*self._of(task), observation=told))
            task.told.append(told)
            if self.plan.strikes(self.plan.rates.death):
                yield from self._died(task)
                yield from self._begun(task)
            else:
                task.turn = advance(task.turn, told)

    def _begun(self, task: Task) -> Effects:
        """Begin, and tell all that was observed, until a process lives through it."""
        past = self.disk.talks.get(task.accepted.place, NOTHING)
        notes = tuple(
            "note " * self.plan.chance.randint(1, 20) for _ in range(self.plan.chance.randint(0, 2))
        )
        for _ in range(MOST_DEATHS_OF_A_TURN):
            task.turn = begin(
                self.rules, Past(past.messages, past.summary, notes), task.accepted.text
            )
            for told in task.told:
                task.turn = advance(task.turn, told)
            if not self.plan.strikes(self.plan.rates.death):
                return
            yield from self._died(task)
        raise Stopped(AgentCrashed("it broke down again and again"))

    def _died(self, task: Task) -> Effects:
        agent = task.accepted.agent
        after = after_death(self.deaths.get(agent, ()), self.now)
        if isinstance(after, DiedTooOften):
            self.failed.add(agent)
            raise Stopped(AgentGone("it died too often"))
        self.deaths[agent] = after.deaths
        yield Sleep(self.now + after.delay)

    def _asked(self, task: Task, step: AskModel) -> Generator[Effect, Told, Observation]:
        provider, retried = step.candidate.provider, 0
        self.retries = asked(self.retries, 1, self.now)
        while True:
            admitted = admit(self.breakers.get(provider, Closed()), self.now)
            if isinstance(admitted, Refused):
                failure: ModelFailure = CircuitOpen(ProviderName("first"), admitted.retry_after)
                return ModelFailed(failure, inner=step.inner)
            self.breakers[provider], permit = admitted
            answer = yield from self._within_budget(task, step, permit)
            if isinstance(answer, BudgetReached):
                return answer
            if not isinstance(answer, Failure):
                return ModelAnswered(answer.unwrap(), step.inner)
            failure = answer.failure()
            left, jitter = task.deadline - self.now, self.plan.chance.random()
            wait = wait_before(RetryPolicy(), failure, retried=retried, left=left, jitter=jitter)
            budget = None if wait is None else asked_again(self.retries, self.now)
            if wait is None or budget is None:
                return ModelFailed(failure, inner=step.inner)
            self.retries, retried = budget, retried + 1
            yield Sleep(self.now + wait)

    def _within_budget(
        self, task: Task, step: AskModel, permit: Permit
    ) -> Generator[Effect, Told, Answer | BudgetReached]:
        agent, provider = task.accepted.agent, step.candidate.provider
        most = self.plan.tokens_per_day
        if agent not in self.budgets:
            self.budgets[agent] = daily(None if most is None else TokenCount(most), None)
        request = bounded(step.request)
        room = Spending(1, prompt_tokens(request) + answer_tokens(request), 0)
        granted = reserve(self.budgets[agent], room, self.now)
        says, taken = breaker.Outcome.ABANDONED, room
        if isinstance(granted, Failure):
            self.breakers[provider] = breaker.observed(
                self.breakers[provider], permit, says, self.now
            )
            return BudgetReached(
                "tokens_per_day", str(most), granted.failure().retry_after, step.inner
            )
        self.budgets[agent], reservation = granted.unwrap()
        try:
            answer = yield Ask(step, len(task.told))
            assert isinstance(answer, Result)
            says = (
                breaker.outcome_of(answer.failure())
                if isinstance(answer, Failure)
                else breaker.Outcome.ANSWERED
            )
            taken = spent(answer, reservation)
            return answer
        finally:
            self._settle(agent, reservation, taken)
            self.breakers[provider] = breaker.observed(
                self.breakers[provider], permit, says, self.now
            )

    def _settle(self, agent: AgentId, reservation: Reservation, taken: Spending) -> None:
        budget = self.budgets[agent] = settle(self.budgets[agent], reservation, taken)
        for limit, held, tally in zip(budget.limits, budget.reserved, budget.spent, strict=True):
            if held + tally.total > limit.amount:
                break_off(f"{held + tally.total} of {limit.amount} are spent")

    def _called(
        self, task: Task, step: CallTools, before: list[TurnEvent]
    ) -> Generator[Effect, Told, Observation]:
        earlier, task.recorded = task.recorded, None
        unknown = earlier.unknown(IDEMPOTENT) if earlier else ()
        if unknown:
            raise Stopped(OutcomeUnknown(unknown))
        results = list(earlier.results) if earlier else []
        known = {result.call_id for result in results}
        calls = [call for call in step.calls if call.id not in known]
        consents = {each.approval.call.id: each for each in earlier.consents} if earlier else {}
        asked = [
            ApprovalAsked(*self._of(task), self._question(task, call))
            for call in calls
            if self.plan.asks and call.name == PAY.name and call.id not in consents
        ]
        consents |= {event.approval.call.id: Consent(event.approval) for event in asked}
        yield Append((*before, StepTaken(*self._of(task), step=step), *asked))
        self.plan.chance.shuffle(calls)
        for call in calls:
            made = yield from self._made(task, call, consents.get(call.id))
            results.append(made)
            if len(step.calls) > 1:
                yield Append((CallAnswered(*self._of(task), result=made),))
        return ToolsAnswered(tuple(results))

    def _made(
        self, task: Task, call: ToolCall, consent: Consent | None
    ) -> Generator[Effect, Told, ToolResult]:
        """Make the call, unless somebody is against it, or has to be asked and says no."""
        if consent is not None:
            said = consent.said
            if said is None and self.plan.asks:
                said = yield from self._waited(task, consent.approval)
            if isinstance(said, Denied | Expired):
                return not_approved(call, said)
            yield Append((CallBegun(*self._of(task), call_id=call.id),))
        made = yield Make((call,))
        assert isinstance(made, tuple)
        return made[0]

    def _waited(self, task: Task, approval: Approval) -> Generator[Effect, Told, Said]:
        since = self.now
        said = yield Wait(approval)
        assert isinstance(said, Approved | Denied | Expired)
        task.deadline += self.now - since
        return said

    def _question(self, task: Task, call: ToolCall) -> Approval:
        rounds = sum(isinstance(told, ToolsAnswered) for told in task.told)
        key = f"{task.accepted.message.value}:{rounds}:{call.id}"
        id_ = ApprovalId(f"apr_{hashlib.sha256(key.encode()).hexdigest()[:20]}")
        _, asked, _ = self._of(task)
        return Approval(id_, call, asked, asked + PATIENCE)

    def _ending(self, task: Task, outcome: Outcome, reply: Reply | None = None) -> Append:
        said, summary = ((), None) if reply is None else (reply.said, reply.summary)
        return Append((MessageEnded(*self._of(task), outcome, said, summary),))

    def _of(self, task: Task) -> tuple[AgentId, datetime, MessageId]:
        self.now += 0.001  # no two events of a server have the same time
        at = START + timedelta(seconds=self.now)
        return task.accepted.agent, at, task.accepted.message
