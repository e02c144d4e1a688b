"""Repair: whatever a history is, what comes of it is one that every provider accepts."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from caxton_core.conversation.message import (
    AssistantMessage,
    Message,
    PromptMessage,
    SystemMessage,
    ToolMessage,
    UserMessage,
)
from caxton_core.conversation.past import Past
from caxton_core.conversation.repair import INTERRUPTED, repaired
from caxton_core.conversation.turn import AskModel, Observation, TurnRules, advance, begin
from caxton_core.primitives import JsonObject, ToolName
from caxton_core.testing.conversation import histories, observations, pasts, texts, turn_rules
from caxton_core.tools.tool import ToolCall, ToolFailed, ToolSucceeded


def call(call_id: str) -> ToolCall:
    return ToolCall(call_id, ToolName("files.read"), JsonObject("{}"))


def answer(call_id: str, text: str = "done") -> ToolMessage:
    return ToolMessage(ToolSucceeded(call_id, text))


def is_accepted(messages: Sequence[PromptMessage]) -> bool:
    """What providers ask of a prompt, written as slowly and plainly as it can be."""
    spoken = [message for message in messages if not isinstance(message, SystemMessage)]
    if spoken and not isinstance(spoken[0], UserMessage):
        return False
    expected: list[str] = []
    for message in spoken:
        if isinstance(message, AssistantMessage):
            expected += [call.id for call in message.calls]
    told = [message.result.call_id for message in spoken if isinstance(message, ToolMessage)]
    distinct = len(set(expected)) == len(expected) and "" not in expected
    return distinct and sorted(told) == sorted(expected) and all(map(is_answered, tails(spoken)))


def tails(messages: Sequence[Message]) -> list[Sequence[Message]]:
    return [messages[start:] for start in range(len(messages))]


def is_answered(tail: Sequence[Message]) -> bool:
    """Whether the calls of the first message have their results directly after it."""
    first = tail[0]
    if not isinstance(first, AssistantMessage):
        return True
    after = tail[1 : 1 + len(first.calls)]
    told = {message.result.call_id for message in after if isinstance(message, ToolMessage)}
    return told == {call.id for call in first.calls}


@given(histories)
def test_a_repaired_history_is_accepted_by_every_provider(history: tuple[Message, ...]) -> None:
    assert is_accepted(repaired(history))


@given(histories)
def test_to_repair_twice_is_to_repair_once(history: tuple[Message, ...]) -> None:
    once = repaired(history)
    assert repaired(once) is once


@given(histories)
def test_a_sound_history_stays_the_very_same(history: tuple[Message, ...]) -> None:
    assert (repaired(history) is history) == is_accepted(history)


@given(histories)
def test_repair_keeps_every_word_of_users_and_models(history: tuple[Message, ...]) -> None:
    first = next((n for n, said in enumerate(history) if isinstance(said, UserMessage)), None)
    spoken: tuple[Message, ...] = () if first is None else history[first:]
    assert _texts(repaired(history)) == _texts(spoken)


def _texts(messages: Sequence[Message]) -> list[str]:
    return [said.text for said in messages if isinstance(said, UserMessage | AssistantMessage)]


@given(st.lists(st.sampled_from(["a", "b", "c"]), unique=True), st.data())
def test_results_in_any_order_are_sound(ids: list[str], data: st.DataObject) -> None:
    told = data.draw(st.permutations(ids))
    asking = AssistantMessage("", tuple(map(call, ids)))
    history: tuple[Message, ...] = (UserMessage("Read"), asking, *map(answer, told))
    assert repaired(history) is history


@given(turn_rules, pasts, texts, st.lists(observations, max_size=12))
def test_whatever_past_a_turn_is_given_the_model_is_asked_with_an_accepted_prompt(
    rules: TurnRules, past: Past, text: str, told: list[Observation]
) -> None:
    turn = begin(rules, past, text)
    for observed in [None, *told]:
        turn = turn if observed is None else advance(turn, observed)
        if isinstance(turn.step, AskModel):
            assert is_accepted(turn.step.request.messages)


def test_a_call_that_a_crash_cut_off_is_told_to_be_interrupted() -> None:
    cut = (UserMessage("Read both"), AssistantMessage("", (call("a"), call("b"))), answer("a"))
    assert repaired(cut) == (*cut, ToolMessage(ToolFailed("b", INTERRUPTED)))


def test_a_result_that_nobody_asked_for_is_left_out() -> None:
    history = (UserMessage("Hello"), answer("a"), AssistantMessage("Hi"), answer("b"))
    assert repaired(history) == (UserMessage("Hello"), AssistantMessage("Hi"))


def test_ids_that_are_used_twice_are_told_apart_with_their_results() -> None:
    def exchange(text: str) -> tuple[Message, ...]:
        return (UserMessage("Read"), AssistantMessage("", (call("a"),)), answer("a", text))

    mended = repaired((*exchange("first"), *exchange("second")))
    assert mended[:3] == exchange("first")
    assert mended[4:] == (AssistantMessage("", (call("call_1"),)), answer("call_1", "second"))
