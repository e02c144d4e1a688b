"""A turn that did not end is read back from its record, wherever the record breaks off."""

from hypothesis import given
from hypothesis import strategies as st

from caxton_core.conversation.turn import CallTools, ToolsAnswered
from caxton_core.events import (
    ApprovalAsked,
    ApprovalGiven,
    CallAnswered,
    CallBegun,
    MessageAccepted,
    MessageReopened,
    Observed,
    StepTaken,
    TurnEvent,
    TurnResumed,
)
from caxton_core.journal import Consent, Unfinished, folded
from caxton_core.primitives import JsonObject, ToolName
from caxton_core.testing.events import consents, turn_events
from caxton_core.testing.journal import acceptances, begun_lives, lives
from caxton_core.tools.approval import Approval, ApprovalId, Denied, Said
from caxton_core.tools.tool import ToolCall, ToolFailed


def read_back(recorded: list[TurnEvent]) -> Unfinished:
    first, *rest = recorded
    assert isinstance(first, MessageAccepted)
    return folded(first, rest)


@given(acceptances, st.lists(turn_events, max_size=8))
def test_whatever_was_recorded_is_read_back(
    accepted: MessageAccepted, events: list[TurnEvent]
) -> None:
    assert folded(accepted, events).accepted == accepted


@given(lives())
def test_a_turn_is_read_back_from_any_part_of_its_record(life: list[TurnEvent]) -> None:
    before = read_back(life[:1])
    assert before == Unfinished(before.accepted)
    for length in range(2, len(life) + 1):
        turn = read_back(life[:length])
        if not isinstance(life[length - 1], MessageReopened):
            assert turn.observed[: len(before.observed)] == before.observed
            assert turn.attempts >= before.attempts
        before = turn


@given(begun_lives())
def test_a_result_that_was_recorded_twice_counts_once(recorded: list[TurnEvent]) -> None:
    twice = [
        copy
        for event in recorded
        for copy in ((event, event) if isinstance(event, CallAnswered) else (event,))
    ]
    assert read_back(twice) == read_back(recorded)


@given(begun_lives())
def test_of_two_results_of_a_call_the_first_counts(recorded: list[TurnEvent]) -> None:
    turn = read_back(recorded)
    late = [
        CallAnswered(known.agent, known.at, known.message, ToolFailed(result.call_id, "late"))
        for known in recorded[:1]
        for result in turn.results
    ]
    assert read_back([*recorded, *late]) == turn


@given(begun_lives())
def test_every_call_is_open_or_has_one_result(recorded: list[TurnEvent]) -> None:
    turn = read_back(recorded)
    known = [result.call_id for result in turn.results]
    assert len(set(known)) == len(known)
    for call in turn.calls:
        assert (call in turn.open_calls) != (call.id in known)
    assert turn.open_calls == tuple(call for call in turn.calls if call.id not in known)


@given(begun_lives())
def test_only_calls_that_may_be_made_again_are_not_unknown(recorded: list[TurnEvent]) -> None:
    turn = read_back(recorded)
    waiting = {each.approval.call.id for each in turn.consents if not each.begun}
    made = tuple(call for call in turn.open_calls if call.id not in waiting)
    names = {call.name for call in made}
    assert turn.unknown(()) == made
    assert turn.unknown(names) == ()
    for name in names:
        assert {call.name for call in turn.unknown((name,))} == names - {name}


@given(begun_lives())
def test_calls_wait_until_they_are_observed(recorded: list[TurnEvent]) -> None:
    for event in reversed(recorded):
        if isinstance(event, MessageReopened) or (
            isinstance(event, Observed) and isinstance(event.observation, ToolsAnswered)
        ):
            assert read_back(recorded).calls == ()
            return
        if isinstance(event, StepTaken) and isinstance(event.step, CallTools):
            assert read_back(recorded).calls == event.step.calls
            return
    assert read_back(recorded).calls == ()


@given(begun_lives(), st.integers(1, 9))
def test_whoever_reopens_a_message_counts_its_attempts_anew(
    recorded: list[TurnEvent], attempts: int
) -> None:
    agent, at, message = recorded[0].agent, recorded[0].at, recorded[0].message
    tried = [*recorded, TurnResumed(agent, at, message, attempts)]
    assert read_back(tried).attempts >= attempts
    assert read_back([*tried, MessageReopened(agent, at, message)]).attempts == 0


@given(begun_lives())
def test_what_a_person_knows_of_a_call_is_its_result(recorded: list[TurnEvent]) -> None:
    turn = read_back(recorded)
    told = tuple(ToolFailed(call.id, "it was not done") for call in turn.open_calls)
    first = recorded[0]
    reopened = MessageReopened(first.agent, first.at, first.message, told)
    again = StepTaken(first.agent, first.at, first.message, CallTools(turn.calls))
    assert read_back([*recorded, reopened, again]).open_calls == ()


@given(acceptances, consents, st.booleans())
def test_a_call_that_a_person_has_to_approve_is_unknown_only_once_it_began(
    accepted: MessageAccepted,
    said: Said,
    begun: bool,  # noqa: FBT001 - a drawn value
) -> None:
    whose = (accepted.agent, accepted.at, accepted.message)
    call = ToolCall("call_1", ToolName("files.write"), JsonObject("{}"))
    approval = Approval(ApprovalId("apr_" + "0" * 20), call, accepted.at, accepted.at)
    events: list[TurnEvent] = [
        StepTaken(*whose, CallTools((call,))),
        ApprovalAsked(*whose, approval),
        ApprovalAsked(*whose, approval),
    ]
    asked = folded(accepted, events)
    assert asked.waits_for_a_person
    assert asked.consents == (Consent(approval),)
    assert asked.unknown(()) == ()
    answered = [*events, ApprovalGiven(*whose, approval.id, said)]
    late = ApprovalGiven(*whose, approval.id, Denied("somebody", "too late"))
    assert folded(accepted, [*answered, late]) == folded(accepted, answered)
    turn = folded(accepted, [*answered, *([CallBegun(*whose, call.id)] if begun else [])])
    assert turn.consents == (Consent(approval, said, begun),)
    assert turn.unknown(()) == ((call,) if begun else ())
    assert turn.waits_for_a_person != begun
    assert folded(accepted, [*answered, MessageReopened(*whose)]).consents == ()
