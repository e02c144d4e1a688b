"""The turn: it always ends, and whatever it is told it keeps the conversation sound."""

from functools import reduce

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from caxton_core.agent.toml import read_agent
from caxton_core.conversation.message import (
    AssistantMessage,
    PromptMessage,
    SystemMessage,
    ToolMessage,
    UserMessage,
)
from caxton_core.conversation.model import (
    AnswerEmpty,
    Completion,
    FinishReason,
    Sampling,
)
from caxton_core.conversation.past import NOTHING, Past
from caxton_core.conversation.turn import (
    AskModel,
    CallTools,
    Cancelled,
    Candidate,
    GiveUp,
    ModelAnswered,
    ModelFailed,
    Observation,
    OutOfOrder,
    Reply,
    TokensSpent,
    ToolsAnswered,
    TooManyToolRounds,
    Turn,
    TurnRules,
    advance,
    begin,
    ended,
    rules_of,
)
from caxton_core.limits import Usage
from caxton_core.primitives import Duration, JsonObject, ProviderName, TokenCount, ToolName
from caxton_core.testing.conversation import observations, pasts, texts, turn_rules
from caxton_core.tools.tool import (
    BrokenToolCall,
    RequestedCall,
    Tool,
    ToolCall,
    ToolFailed,
    ToolSucceeded,
)

READ = Tool(ToolName("files.read"), "Read a file.", JsonObject("{}"))
RULES = TurnRules(
    system=SystemMessage("You help."),
    template="{{request}}",
    parameters={},
    candidates=(Candidate(None, None),),
    sampling=Sampling(),
    timeout=Duration(60.0),
    window=TokenCount(4000),
    max_exchanges=50,
    max_tool_rounds=2,
    tokens_per_turn=None,
    tools=(READ,),
)


def said(text: str, *calls: RequestedCall, tokens: int = 10) -> ModelAnswered:
    usage = Usage(tokens, tokens)
    return ModelAnswered(Completion(text, FinishReason.STOP, usage, "some-model", calls))


def read(call_id: str) -> ToolCall:
    return ToolCall(call_id, READ.name, JsonObject("{}"))


def every_call_has_its_result(messages: tuple[PromptMessage, ...]) -> bool:
    open_calls: list[str] = []
    for message in messages:
        match message:
            case ToolMessage(result):
                if not open_calls or open_calls.pop(0) != result.call_id:
                    return False
            case AssistantMessage(_, calls):
                open_calls = [call.id for call in calls]
            case UserMessage() | SystemMessage():
                if open_calls:
                    return False
    return not open_calls


def test_an_answer_without_calls_is_the_reply() -> None:
    turn = advance(begin(RULES, NOTHING, "Hello"), said("Hi"))
    expected = (UserMessage("Hello"), AssistantMessage("Hi"))
    assert turn.step == Reply("Hi", FinishReason.STOP, "some-model", expected, Usage(10, 10))


def test_the_model_reads_the_system_prompt_the_history_and_the_message() -> None:
    before = (UserMessage("One"), AssistantMessage("1"))
    step = begin(RULES, Past(before), "Two").step
    assert isinstance(step, AskModel)
    assert step.request.messages == (RULES.system, *before, UserMessage("Two"))


def test_what_tools_answer_goes_back_to_the_model() -> None:
    called = advance(begin(RULES, NOTHING, "Read it"), said("", read("a"), read("b")))
    assert called.step == CallTools((read("a"), read("b")))
    results = (ToolSucceeded("b", "second"), ToolSucceeded("a", "first"))
    step = advance(called, ToolsAnswered(results)).step
    assert isinstance(step, AskModel)
    assert step.request.messages[-2:] == (ToolMessage(results[1]), ToolMessage(results[0]))


def test_a_call_that_cannot_be_made_is_told_to_the_model_without_asking_anybody() -> None:
    broken = BrokenToolCall("a", "files.read", "{oops", "its arguments are no JSON object")
    step = advance(begin(RULES, NOTHING, "Read it"), said("", broken)).step
    assert isinstance(step, AskModel)
    assert step.request.messages[-1] == ToolMessage(ToolFailed("a", broken.why))


def test_a_turn_goes_the_same_way_whatever_tools_are_offered_when_it_is_told_again() -> None:
    """Whoever makes the calls refuses those of tools that are not there."""
    results = (ToolSucceeded("a", "all well"),)
    for tools in (RULES.tools, ()):
        turn = begin(evolve(RULES, tools=tools), NOTHING, "Read it")
        called = advance(turn, said("", read("a")))
        assert called.step == CallTools((read("a"),))
        step = advance(called, ToolsAnswered(results)).step
        assert isinstance(step, AskModel)
        assert step.request.messages[-1] == ToolMessage(results[0])


def test_repeated_call_ids_are_made_distinct() -> None:
    called = advance(begin(RULES, NOTHING, "Read"), said("", read("x"), read("x")))
    assert isinstance(called.step, CallTools)
    assert len({call.id for call in called.step.calls}) == 2


def test_a_model_that_never_stops_calling_is_given_up() -> None:
    turn = begin(RULES, NOTHING, "Read")
    for _ in range(RULES.max_tool_rounds):
        turn = advance(advance(turn, said("", read("a"))), ToolsAnswered(()))
    assert advance(turn, said("", read("a"))).step == GiveUp(TooManyToolRounds(2), Usage(30, 30))


def test_the_next_candidate_is_asked_when_one_fails() -> None:
    local = Candidate(ProviderName("local"), None)
    rules = evolve(RULES, candidates=(*RULES.candidates, local))
    turn = advance(begin(rules, NOTHING, "Hello"), ModelFailed(AnswerEmpty()))
    assert isinstance(turn.step, AskModel)
    assert turn.step.candidate == local
    assert advance(turn, ModelFailed(AnswerEmpty())).step == GiveUp(
        ModelFailed(AnswerEmpty()), Usage()
    )


def test_nobody_else_is_asked_once_part_of_an_answer_was_seen() -> None:
    local = Candidate(ProviderName("local"), None)
    rules = evolve(RULES, candidates=(*RULES.candidates, local))
    turn = advance(begin(rules, NOTHING, "Hello"), ModelFailed(AnswerEmpty(), shown=5))
    assert isinstance(turn.step, GiveUp)


def test_a_token_budget_caps_every_answer_and_ends_the_turn() -> None:
    rules = evolve(RULES, tokens_per_turn=TokenCount(100))
    turn = begin(rules, NOTHING, "Hello")
    assert isinstance(turn.step, AskModel)
    assert turn.step.request.sampling.max_tokens is not None
    assert turn.step.request.sampling.max_tokens.value < 100
    spent = advance(advance(turn, said("", read("a"), tokens=60)), ToolsAnswered(()))
    assert spent.step == GiveUp(TokensSpent(TokenCount(100)), Usage(60, 60))


def test_the_template_frames_what_the_user_wrote_and_nothing_in_it_is_filled_again() -> None:
    template, parameters = "In {{language}}: {{request}}", {"language": "French"}
    rules = evolve(RULES, template=template, parameters=parameters)
    step = begin(rules, NOTHING, "say {{language}}").step
    assert isinstance(step, AskModel)
    assert step.request.messages[-1] == UserMessage("In French: say {{language}}")


def test_a_parameter_reads_as_it_is_written_in_the_file() -> None:
    values = 'yes = true\nmany = ["a", 2, false]\ndeep = [{day = 2026-01-02}]\nhalf = 0.5'
    values += '\ntext = "a"'
    placeholders = " ".join(f"{{{{{name}}}}}" for name in ("yes", "many", "deep", "half", "text"))
    file = f'name = "a"\nsystem_prompt = "b"\nuser_prompt_template = "{placeholders}"\n'
    config = read_agent(f"{file}[parameters]\n{values}").unwrap().config  # type: ignore[union-attr] # is sound
    step = begin(rules_of(config), NOTHING, "Hello").step
    assert isinstance(step, AskModel)
    shown = 'true ["a", 2, false] [{day = 2026-01-02}] 0.5 a'
    assert step.request.messages[-1] == UserMessage(shown)


@given(turn_rules, pasts, texts, st.lists(observations, max_size=20))
def test_a_turn_always_ends(
    rules: TurnRules, past: Past, text: str, told: list[Observation]
) -> None:
    turn = reduce(advance, told, begin(rules, past, text))
    rounds = 2 * (rules.max_tool_rounds + 1) + len(rules.candidates) + 1
    for _ in range(rounds):
        turn = advance(turn, _obliging(turn))
    assert ended(turn)


def _obliging(turn: Turn) -> Observation:
    """A model that always calls a tool, and a tool that never answers."""
    return ToolsAnswered(()) if isinstance(turn.step, CallTools) else said("", read("a"))


@given(turn_rules, pasts, texts, st.lists(observations, max_size=20))
def test_what_a_turn_adds_pairs_every_call_with_one_result(
    rules: TurnRules, past: Past, text: str, told: list[Observation]
) -> None:
    turn = begin(rules, past, text)
    for observed in told:
        turn = advance(turn, observed)
        if isinstance(turn.step, AskModel):
            assert every_call_has_its_result(turn.step.request.messages)
        if isinstance(turn.step, Reply):
            assert every_call_has_its_result(turn.step.said)


@given(turn_rules, pasts, texts, st.lists(observations, max_size=20))
def test_a_turn_that_ended_stays_as_it_is(
    rules: TurnRules, past: Past, text: str, told: list[Observation]
) -> None:
    turn = advance(reduce(advance, told, begin(rules, past, text)), Cancelled())
    assert reduce(advance, told, turn) == turn


@given(turn_rules, texts, st.lists(observations, max_size=20))
def test_the_same_observations_lead_to_the_same_turn(
    rules: TurnRules, text: str, told: list[Observation]
) -> None:
    assert reduce(advance, told, begin(rules, NOTHING, text)) == reduce(
        advance, told, begin(rules, NOTHING, text)
    )


def test_what_nobody_asked_for_ends_the_turn_with_the_defect_named() -> None:
    turn = advance(begin(RULES, NOTHING, "Hello"), ToolsAnswered(()))
    assert turn.step == GiveUp(OutOfOrder("ToolsAnswered", "AskModel"), Usage())
