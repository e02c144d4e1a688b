"""Doctored records: every promise that the verdict can find kept, it can find broken."""

from attrs import evolve

from tests.model_server import Asked
from tests.proofs.record import Turn
from tests.proofs.verdict import Verdict, judged

ONE, TWO = "turn 1 of c", "turn 2 of c"


def answered(number: int, answer: str, at: float) -> Turn:
    turn = Turn("a", "c", number, f"key-{number}", sent=True, accepted=True, ids=[f"m{number}"])
    turn.read_answer(answer, at)
    return turn


def kept() -> tuple[list[Turn], list[Asked]]:
    """A conversation of two turns in which every promise was kept."""
    turns = [answered(1, "one #1", 2.0), answered(2, "two #2", 4.0)]
    second = [("user", ONE), ("assistant", "one #1"), ("user", TWO)]
    return turns, [Asked(1.0, [("user", ONE)]), Asked(3.0, second)]


def test_kept_promises_are_found_kept() -> None:
    verdict = judged(*kept())
    assert verdict == Verdict(accepted=2, answered=2, calls=2)
    assert verdict.faults == ()


def test_an_accepted_message_without_an_end_is_lost() -> None:
    turns, calls = kept()
    turns[1] = evolve(turns[1], state="running", answers=[], answered_at=None)
    assert judged(turns, calls).lost == 1


def test_an_accepted_message_of_which_nobody_knows_is_lost() -> None:
    turns, calls = kept()
    turns[1] = evolve(turns[1], state="404", answers=[], answered_at=None)
    assert judged(turns, calls).lost == 1


def test_a_message_that_was_never_accepted_is_not_lost() -> None:
    turns, calls = kept()
    turns.append(Turn("a", "d", 1, sent=True))
    assert judged(turns, calls).faults == ()


def test_an_ended_message_without_an_answer_is_told() -> None:
    turns, calls = kept()
    turns[1] = evolve(turns[1], state="dead_lettered", answers=[], answered_at=None)
    verdict = judged(turns, calls)
    assert (verdict.failed, verdict.lost) == (1, 0)
    assert verdict.faults == (f"{TWO} has no answer: dead_lettered",)


def test_a_key_with_two_messages_is_duplicated() -> None:
    turns, calls = kept()
    turns[0].ids.append("other")
    assert judged(turns, calls).duplicated == 1


def test_two_keys_with_one_message_are_told() -> None:
    turns, calls = kept()
    turns[1].ids[:] = ["m1"]
    assert judged(turns, calls).duplicated == 1


def test_a_message_that_stands_twice_in_its_conversation_is_duplicated() -> None:
    turns, calls = kept()
    calls[1] = Asked(3.0, [("user", ONE), ("assistant", "one #1"), *calls[1].prompt])
    verdict = judged(turns, calls)
    assert (verdict.duplicated, verdict.disordered) == (1, 1)


def test_an_answer_that_changes_is_told() -> None:
    turns, calls = kept()
    turns[0].answers.append("one #7")
    assert judged(turns, calls).changed == 1


def test_a_history_that_holds_another_answer_is_told() -> None:
    turns, calls = kept()
    calls[1].prompt[1] = ("assistant", "one #7")
    assert judged(turns, calls).disordered == 1


def test_a_history_that_forgot_a_turn_is_told() -> None:
    turns, calls = kept()
    del calls[1].prompt[:2]
    assert judged(turns, calls).disordered == 1


def test_a_turn_that_was_taken_before_the_one_before_it_is_told() -> None:
    turns, calls = kept()
    history = [("user", TWO), ("assistant", "two #2"), ("user", ONE)]
    calls[:] = [Asked(1.0, [("user", TWO)]), Asked(1.5, history)]
    assert judged(turns, calls).disordered == 2


def test_a_text_that_nobody_sent_is_told() -> None:
    turns, calls = kept()
    assert judged(turns, [*calls, Asked(5.0, [("user", "hello")])]).disordered == 1


def test_a_repeated_call_is_counted_and_only_allowed_for_what_was_at_work() -> None:
    turns, calls = kept()
    again = [calls[0], evolve(calls[0], at=1.5), calls[1]]
    assert judged(turns, again, repeatable=1).faults == ()
    assert judged(turns, again, repeatable=1).repeated == 1
    assert judged(turns, again, repeatable=0).faults != ()


def test_a_call_after_the_answer_is_never_allowed() -> None:
    turns, calls = kept()
    verdict = judged(turns, [*calls, evolve(calls[1], at=5.0)], repeatable=9)
    assert verdict.faults == (f"{TWO} was asked of the model after its answer had been read",)


def test_a_step_that_was_recorded_is_not_taken_again() -> None:
    turns, calls = kept()
    with_tool = [*calls[1].prompt, ("assistant", ""), ("tool", "done")]
    again = [*calls, Asked(3.2, with_tool), evolve(calls[1], at=3.5), Asked(3.8, with_tool)]
    verdict = judged(turns, again, repeatable=9)
    assert verdict.faults == (f"{TWO} was asked anew after a later step of its turn",)
