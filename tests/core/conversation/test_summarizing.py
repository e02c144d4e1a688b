"""Summaries: a long conversation stays coherent, and no summary ever costs anybody an answer."""

from functools import reduce
from typing import final

import pytest
from attrs import evolve, field, mutable
from hypothesis import given
from hypothesis import strategies as st

from caxton_core.agent.sections import WindowStrategy
from caxton_core.agent.toml import read_agent
from caxton_core.conversation.message import AssistantMessage, Message, UserMessage
from caxton_core.conversation.model import AnswerEmpty, Completion, FinishReason, ModelRequest
from caxton_core.conversation.past import NOTHING, Past
from caxton_core.conversation.repair import repaired
from caxton_core.conversation.turn import (
    AskModel,
    BudgetReached,
    DeadlinePassed,
    GiveUp,
    ModelAnswered,
    ModelFailed,
    Observation,
    Reply,
    Turn,
    TurnRules,
    advance,
    begin,
    rules_of,
)
from caxton_core.conversation.window import estimated_tokens, exchanges, without_oldest
from caxton_core.limits import Usage
from caxton_core.primitives import Duration, TokenCount
from caxton_core.testing.conversation import pasts, texts, turn_rules
from tests.core.conversation.test_turn import RULES

SUMMARIZE = evolve(RULES, strategy=WindowStrategy.SUMMARIZE, window=TokenCount(1000))
summarizing_rules = st.builds(
    lambda rules, window, most: evolve(
        rules, window=TokenCount(window), strategy=WindowStrategy.SUMMARIZE, tokens_per_turn=most
    ),
    turn_rules,
    st.integers(100, 1000),
    st.none() | st.integers(100, 8000).map(TokenCount),
)


def exchange(number: int, size: int = 400) -> tuple[Message, ...]:
    return (UserMessage(f"Question {number} " + "q" * size), AssistantMessage(f"Answer {number}"))


LONG = Past(tuple(message for number in range(20) for message in exchange(number)))


def answer(text: str, *, inner: bool = False, tokens: int = 10) -> ModelAnswered:
    completion = Completion(text, FinishReason.STOP, Usage(tokens, tokens), "some-model")
    return ModelAnswered(completion, inner)


def prompt_of(turn: Turn) -> str:
    assert isinstance(turn.step, AskModel)
    return "\n".join(
        message.text
        for message in turn.step.request.messages
        if not isinstance(message, AssistantMessage) and hasattr(message, "text")
    )


def is_inner(turn: Turn) -> bool:
    return isinstance(turn.step, AskModel) and turn.step.inner


def test_a_past_that_does_not_fit_is_summarised_before_the_question() -> None:
    asked = begin(SUMMARIZE, LONG, "Hello")
    assert is_inner(asked)
    assert "Question 0" in prompt_of(asked)
    question = advance(asked, answer("They asked much.", inner=True))
    assert not is_inner(question)
    assert "They asked much." in prompt_of(question)
    reply = advance(question, answer("Hi")).step
    assert isinstance(reply, Reply)
    assert reply.summary is not None
    assert reply.summary.text == "They asked much."
    assert reply.usage == Usage(20, 20)


def test_a_past_that_fits_is_not_summarised_and_neither_is_one_that_may_slide() -> None:
    assert not is_inner(begin(SUMMARIZE, Past(exchange(1)), "Hello"))
    assert not is_inner(begin(evolve(SUMMARIZE, strategy=WindowStrategy.SLIDING), LONG, "Hello"))


def test_the_newest_exchange_is_never_summarised_however_long_it_is() -> None:
    newest = exchange(2, size=10_000)
    assert not is_inner(begin(SUMMARIZE, Past(newest), "Hello"))
    asked = begin(SUMMARIZE, Past((*exchange(1), *newest)), "Hello")
    assert "Question 1 " in prompt_of(asked)
    assert "Question 2 " not in prompt_of(asked)


def test_the_earlier_summary_is_part_of_the_next_one() -> None:
    asked = begin(SUMMARIZE, evolve(LONG, summary="Her name is Ada."), "Hello")
    assert "Her name is Ada." in prompt_of(asked)
    after = prompt_of(advance(asked, answer("Ada asks much.", inner=True)))
    assert "Her name is Ada." not in after


TOLD_OF_A_SUMMARY: list[Observation] = [
    ModelFailed(AnswerEmpty(), inner=True),
    BudgetReached("tokens_per_day", "1000", None, inner=True),
    answer("", inner=True),
    answer(" \n", inner=True),
]
FAILED = [*TOLD_OF_A_SUMMARY, BudgetReached("tokens_per_day", "1000", None)]


@pytest.mark.parametrize("failed", FAILED)
def test_a_summary_that_fails_costs_nobody_the_answer(failed: Observation) -> None:
    question = advance(begin(SUMMARIZE, LONG, "Hello"), failed)
    sliding = begin(evolve(SUMMARIZE, strategy=WindowStrategy.SLIDING), LONG, "Hello")
    assert question.step == sliding.step
    reply = advance(question, answer("Hi")).step
    assert isinstance(reply, Reply)
    assert reply.summary is None


def test_time_that_is_over_ends_the_turn_in_a_summary_too() -> None:
    turn = advance(begin(SUMMARIZE, LONG, "Hello"), DeadlinePassed())
    assert turn.step == GiveUp(DeadlinePassed(), Usage())


def test_a_summary_is_not_asked_for_where_the_answer_might_lack_the_tokens() -> None:
    poor = evolve(SUMMARIZE, tokens_per_turn=TokenCount(2500))
    rich = evolve(SUMMARIZE, tokens_per_turn=TokenCount(6000))
    assert not is_inner(begin(poor, LONG, "Hello"))
    assert is_inner(begin(rich, LONG, "Hello"))


def test_a_summary_has_a_quarter_of_the_time_of_the_turn() -> None:
    file = 'name = "a"\nsystem_prompt = "b"\nresources.turn_timeout = "20s"\n'
    config = read_agent(f'{file}conversation.strategy = "summarize"\n').unwrap().config  # type: ignore[union-attr] # is sound
    rules = rules_of(config)
    assert rules.summary_timeout == Duration(5.0)
    assert rules.strategy is WindowStrategy.SUMMARIZE


def test_a_summary_that_is_too_long_is_cut() -> None:
    turn = advance(begin(SUMMARIZE, LONG, "Hello"), answer("ä" * 100_000, inner=True))
    assert turn.summary is not None
    assert len(turn.summary.text.encode()) <= SUMMARIZE.window.value
    assert isinstance(turn.step, AskModel)
    assert sum(map(estimated_tokens, turn.step.request.messages)) <= SUMMARIZE.window.value


@given(summarizing_rules, pasts, texts, st.text(min_size=1))
def test_all_that_was_said_is_shown_covered_or_slides_out_in_this_order(
    rules: TurnRules, past: Past, text: str, summary: str
) -> None:
    past = evolve(past, messages=(*past.messages, *LONG.messages[:20]))
    turn = advance(begin(rules, past, text), answer(summary, inner=True))
    newest_first = tuple(exchanges(repaired(past.messages)))
    covered = turn.summary.exchanges if turn.summary else 0
    assert covered < len(newest_first)
    assert turn.past.messages == without_oldest(repaired(past.messages), covered)
    assert len(tuple(exchanges(turn.past.messages))) == len(newest_first) - covered


@given(
    summarizing_rules, pasts, texts, st.lists(st.sampled_from([*FAILED, answer("s", inner=True)]))
)
def test_with_any_past_the_request_for_a_summary_fits_the_window_too(
    rules: TurnRules, past: Past, text: str, told: list[Observation]
) -> None:
    past = evolve(past, messages=(*past.messages, *LONG.messages))
    turn = reduce(advance, told, begin(rules, past, text))
    alone = begin(rules, NOTHING, text)
    if isinstance(turn.step, AskModel):
        used = sum(map(estimated_tokens, turn.step.request.messages))
        assert used <= rules.window.value or turn.step.request.messages == _messages(alone)


def _messages(turn: Turn) -> tuple[object, ...]:
    return turn.step.request.messages if isinstance(turn.step, AskModel) else ()


@given(
    st.sampled_from([Past(exchange(1)), LONG]),
    st.lists(st.sampled_from([answer("s", inner=True), *TOLD_OF_A_SUMMARY]), max_size=3),
)
def test_an_answer_is_never_taken_for_a_summary_nor_a_summary_for_the_answer(
    past: Past, told: list[Observation]
) -> None:
    """A turn that begins again may have another past than the one of which it was told."""
    turn = reduce(advance, told, begin(SUMMARIZE, past, "Hello"))
    reply = advance(turn, answer("The answer")).step
    assert isinstance(reply, Reply)
    assert reply.text == "The answer"
    spent = sum(10 for observed in told if isinstance(observed, ModelAnswered)) + 10
    assert reply.usage == Usage(spent, spent)


@final
@mutable
class Talk:
    """A conversation of an agent and a user, with a model that sums up by keeping what matters."""

    rules: TurnRules
    past: Past = NOTHING
    summaries: int = 0
    prompts: list[ModelRequest] = field(factory=list)

    def say(self, text: str) -> None:
        turn = begin(self.rules, self.past, text)
        while isinstance(turn.step, AskModel):
            turn = advance(turn, self._told(turn.step))
        assert isinstance(turn.step, Reply)
        if turn.step.summary:
            self.summaries += 1
            kept = without_oldest(self.past.messages, turn.step.summary.exchanges)
            self.past = Past(kept, turn.step.summary.text)
        self.past = evolve(self.past, messages=(*self.past.messages, *turn.step.said))

    def _told(self, step: AskModel) -> ModelAnswered:
        if not step.inner:
            self.prompts.append(step.request)
            return answer("I see. " + "a" * 200)
        last = step.request.messages[-1]
        assert isinstance(last, UserMessage)
        facts = [line.strip() for line in last.text.splitlines() if "my name" in line]
        return answer("\n".join(facts) or "Small talk.", inner=True)


def test_a_fact_of_the_first_turn_is_in_the_prompt_of_the_hundredth() -> None:
    talk = Talk(SUMMARIZE)
    talk.say("Hello, my name is Ada.")
    for number in range(2, 101):
        talk.say(f"This is message {number}. " + "m" * 150)
        used = sum(map(estimated_tokens, talk.prompts[-1].messages))
        assert used <= SUMMARIZE.window.value
        assert any(
            "my name is Ada" in getattr(said, "text", "") for said in talk.prompts[-1].messages
        )
    assert len(talk.prompts) == 100
    assert 5 <= talk.summaries <= 35


def test_without_summaries_the_same_fact_slides_out() -> None:
    talk = Talk(evolve(SUMMARIZE, strategy=WindowStrategy.SLIDING))
    talk.say("Hello, my name is Ada.")
    for number in range(2, 101):
        talk.say(f"This is message {number}. " + "m" * 150)
    assert not any("Ada" in getattr(said, "text", "") for said in talk.prompts[-1].messages)


def test_a_long_past_that_was_never_summarised_is_caught_up_with() -> None:
    messages = tuple(message for number in range(200) for message in exchange(number))
    talk = Talk(SUMMARIZE, Past(messages))
    turns = 0
    while len(talk.past.messages) > 30:
        talk.say("Go on")
        turns += 1
        assert turns < 100
    assert talk.summaries <= turns
