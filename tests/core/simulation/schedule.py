"""One schedule: who goes next, what breaks, and whether everything that was promised holds."""

from collections import Counter
from typing import Final, final

from attrs import evolve, field, frozen, mutable

from caxton_core.conversation.outcome import (
    Answered,
    DeadLettered,
    NotAnswered,
    Outcome,
    OutcomeUnknown,
)
from caxton_core.conversation.turn import Cancelled, OutOfOrder
from caxton_core.events import ApprovalGiven, MessageAccepted, MessageEnded, MessageReopened
from caxton_core.journal import Unfinished, folded
from caxton_core.tools.approval import Approval, Approved, Denied, Expired, Said
from caxton_core.tools.tool import ToolSucceeded
from tests.core.simulation.disk import Broken, Disk, Fold, Stored, break_off
from tests.core.simulation.outside import SUMMARY, Outside
from tests.core.simulation.plan import NO_FAULTS, START, Plan, plan_of
from tests.core.simulation.server import Append, Ask, Make, Server, Sleep, Task, Wait

FAULTY_TICKS: Final = 45
MOST_TICKS: Final = 1_000
MOST_ATTEMPTS: Final = 5


@final
@frozen
class Report:
    """What happened in a schedule."""

    accepted: int
    asked: int
    called: int
    crashes: int
    endings: Counter[str]


def run(seed: int, fold: Fold = folded) -> Report:
    """Play the schedule of a seed; raises `Broken`."""
    try:
        return Schedule(plan_of(seed), fold).played()
    except Broken as broken:
        what = f"{broken}; again: python -m tests.core.simulation {seed}"
        raise Broken(what) from broken


@final
@mutable(eq=False)
class Schedule:
    """The disk and the outside, the present life of the server, and what is yet to come."""

    plan: Plan
    fold: Fold
    disk: Disk = field(factory=Disk)
    outside: Outside = field(init=False)
    server: Server = field(init=False)
    coming: list[MessageAccepted] = field(init=False)
    crashes: int = 0

    def __attrs_post_init__(self) -> None:
        self.outside = Outside(self.plan, self.disk)
        if self.plan.chance.random() < 0.3:
            self.plan.asks = not self.plan.asks
        self.server = Server(self.plan, self.disk, self.plan.rules, 0.0)
        self.coming = list(self.plan.messages)

    def played(self) -> Report:
        """Run with faults, then without, until nothing is left to do."""
        for _ in range(FAULTY_TICKS):
            if not self.coming and not self.server.tasks and self.plan.strikes(0.3):
                break
            self._tick()
        self.plan.rates = NO_FAULTS
        self.server.failed.clear()
        for _ in range(MOST_TICKS):
            if not self.coming and not self.server.tasks:
                return self._checked()
            self._tick()
        what = f"still at work: {sorted(self.server.tasks)}"
        raise Broken(what)

    def _tick(self) -> None:
        rates, strikes = self.plan.rates, self.plan.strikes
        self.server.now += self.plan.chance.random()
        if strikes(rates.crash):
            self._crash()
        elif self.coming and strikes(0.3):
            self._arrive(self.coming.pop(0))
        elif strikes(rates.cancel) and self.server.tasks:
            self._cancel(self.plan.chance.choice(list(self.server.tasks.values())))
        elif rates is not NO_FAULTS and strikes(0.03):
            self._ask_a_person()
        else:
            self._let_one_go_on()

    def _arrive(self, accepted: MessageAccepted) -> None:
        """Accept a message; a failed agent takes none."""
        if accepted.agent in self.server.failed:
            return
        self.disk.append(accepted)
        self.server.take(accepted)

    def _let_one_go_on(self) -> None:
        tasks = list(self.server.tasks.values())
        ready = [task for task in tasks if not self._sleeps(task)]
        if ready:
            self._perform(self.plan.chance.choice(ready))
        elif tasks:
            self.server.now = min(
                task.wants.until for task in tasks if isinstance(task.wants, Sleep)
            )

    def _sleeps(self, task: Task) -> bool:
        return isinstance(task.wants, Sleep) and task.wants.until > self.server.now

    def _perform(self, task: Task) -> None:
        """Do what a task wants, and tell it; what takes too long is told to nobody."""
        if self.plan.strikes(self.plan.rates.slow):
            self.server.now += 130.0
        message = task.accepted.message.value
        match task.wants:
            case Append(events):
                if self.plan.strikes(self.plan.rates.unclear):
                    self._write_unclearly(task, events)
                    return
                self.disk.append(*events)
                self.server.go_on(task, None)
            case Ask(step, told):
                self.server.go_on(task, self.outside.ask(message, step, told))
            case Make(calls):
                made = tuple(self.outside.call(message, call) for call in calls)
                self.server.go_on(task, made)
            case Wait(approval):
                self.server.go_on(task, self._said(task, approval))
            case Sleep() | None:
                self.server.go_on(task, None)

    def _said(self, task: Task, approval: Approval) -> Said:
        """A person says something, or nobody does in time; what was recorded first counts."""
        accepted, chance = task.accepted, self.plan.chance
        said = chance.choice((Approved("ada"), Approved("ada"), Denied("bob"), Expired()))
        given = ApprovalGiven(accepted.agent, START, accepted.message, approval.id, said)
        self.disk.append(given)
        first = self.disk.messages[accepted.message.value].say(approval.call.id)
        assert first is not None
        return first

    def _write_unclearly(self, task: Task, events: tuple[object, ...]) -> None:
        """The write fails, or only seems to; either way the task will try it again."""
        ends = any(isinstance(event, MessageEnded) for event in events)
        if isinstance(task.wants, Append) and not ends and self.plan.chance.random() < 0.5:
            self.disk.append(*task.wants.events)

    def _cancel(self, task: Task) -> None:
        if task.may_be_stopped:
            self._do_unheard(task)
            self.server.stop(task, Cancelled())

    def _do_unheard(self, task: Task) -> None:
        """What was under way may happen all the same, and nobody is told."""
        if self.plan.chance.random() < 0.5:
            return
        message = task.accepted.message.value
        match task.wants:
            case Append(events):
                self.disk.append(*events)
            case Ask(step, told):
                self.outside.ask(message, step, told)
            case Make(calls):
                for call in calls:
                    self.outside.call(message, call)
            case Wait(approval):
                self._said(task, approval)
            case Sleep() | None:
                pass

    def _crash(self) -> None:
        """The server ends between two instructions, and starts again, perhaps with other files."""
        self.crashes += 1
        for task in self.server.tasks.values():
            self._do_unheard(task)
        rules = self.server.rules
        if self.plan.chance.random() < 0.3:
            rules = evolve(self.plan.drawn_rules(), tokens_per_turn=rules.tokens_per_turn)
        self.server = Server(self.plan, self.disk, rules, self.server.now)
        for unfinished in self.disk.unfinished(self.fold):
            self._recover(unfinished)

    def _recover(self, unfinished: Unfinished) -> None:
        if unfinished.attempts >= MOST_ATTEMPTS:
            why = DeadLettered(unfinished.attempts)
            accepted = unfinished.accepted
            ended = MessageEnded(accepted.agent, START, accepted.message, NotAnswered(why))
            self.disk.append(ended)
        else:
            self.server.take(unfinished.accepted, unfinished)

    def _ask_a_person(self) -> None:
        """Somebody finds out what became of calls, and has the message go on."""
        self.server.failed.clear()
        for stored in self.disk.messages.values():
            if stored.ending is not None and _is_unknown(stored):
                self._reopen(stored)
                return

    def _reopen(self, stored: Stored) -> None:
        accepted, events = stored.accepted, stored.events
        open_calls = self.fold(accepted, events).open_calls
        known = [call for call in open_calls if self.plan.chance.random() < 0.5]
        for call in open_calls:
            self.outside.allowed[accepted.message.value, call.id] += call not in known
        results = tuple(ToolSucceeded(call.id, "it was done") for call in known)
        self.disk.append(MessageReopened(accepted.agent, START, accepted.message, results))
        self.server.take(accepted, self.fold(accepted, stored.events))

    def _checked(self) -> Report:
        endings: Counter[str] = Counter()
        for name, stored in self.disk.messages.items():
            if stored.ending is None or stored.endings != stored.openings:
                break_off(f"{name} ended {stored.endings} times, not {stored.openings}")
            outcome = stored.ending.outcome
            if isinstance(outcome, Answered):
                self._check_answer(name, outcome)
            elif isinstance(outcome.why, OutOfOrder):
                break_off(f"{name} was told what it did not wait for: {outcome.why}")
            endings[_kind(outcome)] += 1
            endings["Summary"] += stored.ending.summary is not None
        outside = self.outside
        return Report(len(self.disk.messages), outside.asked, outside.called, self.crashes, endings)

    def _check_answer(self, name: str, outcome: Answered) -> None:
        if outcome.text != f"answer to {name}":
            what = "a summary" if SUMMARY in outcome.text else outcome.text
            break_off(f"{name} was answered with {what}")
        most = self.server.rules.tokens_per_turn
        if most is not None and outcome.usage.tokens > most.value:
            break_off(f"{name} took {outcome.usage.tokens} of {most.value} tokens")


def _kind(outcome: Outcome) -> str:
    return type(outcome.why if isinstance(outcome, NotAnswered) else outcome).__name__


def _is_unknown(stored: Stored) -> bool:
    outcome = stored.ending.outcome if stored.ending else None
    return isinstance(outcome, NotAnswered) and isinstance(outcome.why, OutcomeUnknown)
