"""Ten thousand schedules keep every promise, and a defect in what they rest on breaks one."""

from collections import Counter
from collections.abc import Callable, Iterable

import pytest
from attrs import evolve

from caxton_core.events import MessageAccepted, Observed, TurnEvent
from caxton_core.journal import Unfinished, folded
from caxton_core.tools.approval import Approved
from tests.core.simulation.disk import Broken
from tests.core.simulation.schedule import run

SCHEDULES = 10_000
PARTS = 5
EVERY_ENDING = {
    "AgentCrashed",
    "AgentGone",
    "Answered",
    "BudgetReached",
    "Cancelled",
    "DeadLettered",
    "DeadlinePassed",
    "ModelFailed",
    "OutcomeUnknown",
    "Summary",
    "TokensSpent",
    "TooManyToolRounds",
}
Planted = Callable[[Unfinished], Unfinished]


@pytest.mark.parametrize("part", range(PARTS))
def test_every_schedule_keeps_every_promise(part: int) -> None:
    endings: Counter[str] = Counter()
    crashes = 0
    for seed in range(part, SCHEDULES, PARTS):
        report = run(seed)
        endings += report.endings
        crashes += report.crashes
    assert set(endings) == EVERY_ENDING  # nothing that can happen was left out
    assert crashes > SCHEDULES // PARTS


def test_a_seed_says_everything_that_happens() -> None:
    assert [run(seed) for seed in range(50)] == [run(seed) for seed in range(50)]


PLANTED: dict[str, tuple[Planted, str]] = {
    "results": (lambda turn: evolve(turn, results=()), "is called again"),
    "calls": (lambda turn: evolve(turn, calls=(), results=turn.results), "is not idempotent"),
    "observations": (lambda turn: evolve(turn, observed=()), "asks a model with"),
    "consents": (lambda turn: evolve(turn, consents=()), "are said to be unclear"),
    "that calls were begun": (
        lambda turn: evolve(turn, consents=tuple(evolve(c, begun=False) for c in turn.consents)),
        "is not idempotent",
    ),
    "that somebody has to answer": (
        lambda turn: evolve(
            turn,
            consents=tuple(evolve(c, said=c.said or Approved("-")) for c in turn.consents),
        ),
        "nobody approved it",
    ),
    "the last observation": (
        lambda turn: evolve(turn, observed=turn.observed[:-1]),
        "asks a model with|is called again",
    ),
}


@pytest.mark.parametrize("forgotten", PLANTED)
def test_a_fold_that_forgets_is_found_out(forgotten: str) -> None:
    planted, complaint = PLANTED[forgotten]

    def forgetful(accepted: MessageAccepted, events: Iterable[TurnEvent]) -> Unfinished:
        return planted(folded(accepted, events))

    with pytest.raises(Broken, match=complaint):
        play_until_broken(forgetful)


def test_a_fold_that_counts_what_was_recorded_twice_is_found_out() -> None:
    def credulous(accepted: MessageAccepted, events: Iterable[TurnEvent]) -> Unfinished:
        recorded = tuple(events)
        observed = tuple(event.observation for event in recorded if isinstance(event, Observed))
        return evolve(folded(accepted, recorded), observed=observed)

    with pytest.raises(Broken, match=r"did not wait for|others are recorded"):
        play_until_broken(credulous)


def test_a_failing_seed_says_how_to_play_it_again() -> None:
    def forgetful(accepted: MessageAccepted, _: Iterable[TurnEvent]) -> Unfinished:
        return Unfinished(accepted)

    with pytest.raises(Broken, match=r"python -m tests\.core\.simulation \d+$") as first:
        play_until_broken(forgetful)
    seed = int(str(first.value).rsplit(" ", 1)[1])
    with pytest.raises(Broken) as again:
        run(seed, forgetful)
    assert str(again.value) == str(first.value)


def play_until_broken(fold: Callable[[MessageAccepted, Iterable[TurnEvent]], Unfinished]) -> None:
    for seed in range(SCHEDULES):
        run(seed, fold)
