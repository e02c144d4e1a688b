"""A figure is worth nothing when the answers were wrong."""

from tests.benchmarks.load import Outcome


class WrongAnswersError(RuntimeError):
    """Some requests had no answer, an error, or the answer to another question."""

    def __init__(self, outcome: Outcome) -> None:
        counted = f"{outcome.statuses}, {outcome.mixed_up} mixed up, {outcome.lost} lost"
        super().__init__(f"{counted}: {outcome.example}")


def checked(outcome: Outcome) -> Outcome:
    """The outcome, if every request was answered, and with its own answer."""
    if outcome.failed or not outcome.answered:
        raise WrongAnswersError(outcome)
    return outcome
