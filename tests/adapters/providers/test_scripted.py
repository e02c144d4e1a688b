"""A scenario decides every word, and a scenario that is wrong is explained whole."""

import anyio
import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Failure, Success

from caxton_adapters.providers.scripted.model import Scripted
from caxton_adapters.providers.scripted.scenario import (
    FailureName,
    default_scenario,
    read_scenario,
)
from caxton_adapters.testing.model import streamed
from caxton_core.conversation.message import (
    AssistantMessage,
    PromptMessage,
    SystemMessage,
    ToolMessage,
    UserMessage,
)
from caxton_core.conversation.model import (
    Completion,
    FinishReason,
    ModelFailure,
    ModelRequest,
    Phase,
    RateLimited,
    RequestRefused,
    Sampling,
    TimedOut,
)
from caxton_core.limits import Usage
from caxton_core.primitives import Duration, JsonObject, ProviderName, TokenCount, ToolName
from caxton_core.tools.tool import BrokenToolCall, ToolCall, ToolFailed, ToolSucceeded
from tests.adapters.providers.guarded import scenario
from tests.waiting import PATIENCE

NAME = ProviderName("scripted")


def request(*said: str | PromptMessage) -> ModelRequest:
    messages = (UserMessage(one) if isinstance(one, str) else one for one in said)
    return ModelRequest((SystemMessage("You are brief."), *messages))


async def completed(script: str, *said: str | PromptMessage) -> Completion:
    answer = await Scripted(NAME, scenario(script)).complete(request(*said))
    assert isinstance(answer, Success), answer
    return answer.unwrap()


async def failed(script: str, said: str) -> ModelFailure:
    answer = await Scripted(NAME, scenario(script)).complete(request(said))
    assert isinstance(answer, Failure)
    return answer.failure()


RULES = """
[[rules]]
exact = "ping"
answer = "pong"
[[rules]]
contains = "weather"
answer = "It rains."
[[rules]]
regex = 'my name is (?P<name>\\w+)'
answer = "Hello {{name}}: {{request}} {{unknown}}"
[[rules]]
answer = "What?"
"""


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (" ping\n", "pong"),
        ("ping pong", "What?"),
        ("The WEATHER?", "It rains."),
        ("ah, my name is Ada", "Hello Ada: ah, my name is Ada {{unknown}}"),
        ("my name is {{request}}", "What?"),
        ("", "What?"),
    ],
)
async def test_the_first_rule_that_fits_is_played(said: str, answer: str) -> None:
    assert (await completed(RULES, said)).text == answer


async def test_a_text_that_no_rule_fits_is_refused() -> None:
    failure = await failed('[[rules]]\nexact = "ping"\nanswer = "pong"', "hello")
    assert failure == RequestRefused(400, "no rule of the scenario fits 'hello'")


async def test_only_the_last_text_of_the_user_counts() -> None:
    said = await completed(RULES, "ping", AssistantMessage("pong"), "weather")
    assert said.text == "It rains."


TOOLS = """
[[rules]]
regex = 'weather in (?P<city>\\w+)'
calls = [
  { tool = "weather.today", arguments = { city = "{{city}}", days = 3, units = ["{{city}}"] } },
  { tool = "files.read", broken = "{path:" },
]
then = "In {{city}}: {{result}}"
[[rules]]
contains = "twice"
calls = [{ tool = "weather.today" }]
"""
ASKED = "the weather in Oslo"


async def test_tools_are_called_with_what_was_found_in_the_text() -> None:
    said = await completed(TOOLS, ASKED)
    arguments = JsonObject.of({"city": "Oslo", "days": 3, "units": ["Oslo"]})
    why = "the arguments are no JSON object"
    assert said.calls == (
        ToolCall("call_1", ToolName("weather.today"), arguments),
        BrokenToolCall("call_2", "files.read", "{path:", why),
    )
    assert said.finish is FinishReason.TOOL_CALLS


async def test_after_the_tools_it_speaks() -> None:
    rain = ToolMessage(ToolSucceeded("call_1", "rain"))
    nothing = ToolMessage(ToolFailed("call_2", "no such file"))
    said = await completed(TOOLS, ASKED, AssistantMessage(""), rain, nothing)
    assert said.text == "In Oslo: rain\nno such file"
    assert said.calls == ()


async def test_without_words_of_its_own_it_repeats_the_result() -> None:
    result = ToolMessage(ToolSucceeded("call_1", "rain"))
    assert (await completed(TOOLS, "twice", AssistantMessage(""), result)).text == "rain"


async def test_a_rule_may_be_played_a_few_times_only() -> None:
    script = '[[rules]]\nanswer = "once"\ntimes = 1\n[[rules]]\nanswer = "later"'
    model = Scripted(NAME, scenario(script))
    texts = [(await model.complete(request("x"))).value_or(None) for _ in range(3)]
    assert [said.text for said in texts if said is not None] == ["once", "later", "later"]


@pytest.mark.parametrize("name", FailureName)
async def test_every_failure_can_be_played(name: FailureName) -> None:
    failure = await failed(f'[[rules]]\nfail = "{name.value}"', "x")
    assert type(failure).__name__.lower() == name.value.replace("_", "")


async def test_a_played_failure_may_ask_to_wait() -> None:
    failure = await failed('[[rules]]\nfail = "rate_limited"\nretry_after = "1500ms"', "x")
    assert failure == RateLimited("the scenario says so", 1.5)


async def test_usage_is_estimated_or_told() -> None:
    assert (await completed(RULES, "ping")).usage == Usage(8 + 5, 1)
    told = '[[rules]]\nanswer = "x"\nusage = { prompt_tokens = 3, completion_tokens = 4 }'
    assert (await completed(told, "x")).usage == Usage(3, 4)


async def test_an_answer_ends_where_the_request_says() -> None:
    model = Scripted(NAME, scenario('[[rules]]\nanswer = "one two three END four"'))
    short = evolve(request("x"), sampling=Sampling(max_tokens=TokenCount(2)))
    answer = (await model.complete(short)).value_or(None)
    assert answer is not None
    assert (answer.text, answer.finish) == ("one two ", FinishReason.LENGTH)
    stopped = evolve(request("x"), sampling=Sampling(stop=("END",)))
    answer = (await model.complete(stopped)).value_or(None)
    assert answer is not None
    assert (answer.text, answer.finish) == ("one two three ", FinishReason.STOP)


@pytest.mark.parametrize(
    ("streaming", "pieces"),
    [("", ["one ", "two  ", "three"]), ("[streaming]\nchunk = 5\n", ["one t", "wo  t", "hree"])],
)
async def test_it_streams_words_or_pieces_of_a_size(streaming: str, pieces: list[str]) -> None:
    script = streaming + '[[rules]]\nanswer = "one two  three"'
    shown, end = await streamed(Scripted(NAME, scenario(script)), request("x"))
    assert shown == pieces
    assert isinstance(end, Success)


async def test_a_slow_scenario_meets_its_deadline() -> None:
    script = '[streaming]\ndelay = "1h"\n[[rules]]\nanswer = "one two"'
    hurried = evolve(request("x"), timeout=Duration(0.01))
    with anyio.fail_after(PATIENCE):
        answer = await Scripted(NAME, scenario(script)).complete(hurried)
    assert answer == Failure(TimedOut(Phase.TOTAL, 0.01))


@given(st.text(max_size=200))
async def test_the_built_in_scenario_answers_everything_and_says_what_it_is(text: str) -> None:
    answer = await Scripted(NAME, default_scenario()).complete(request(text))
    assert isinstance(answer, Success)
    assert "scripted" in answer.unwrap().text


def problems(script: str) -> set[str]:
    """The codes of everything that is wrong with a scenario."""
    read = read_scenario(script)
    return {problem.what.code for problem in read.failure()} if isinstance(read, Failure) else set()


def test_all_problems_of_a_scenario_are_told_at_once() -> None:
    script = '[[rules]]\nansver = "x"\nfail = "nope"\n[[rules]]\nexact = 3\n[streeming]'
    assert problems(script) == {"CX1002", "CX1004", "CX1105"}


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ('[[rules]]\nexact = "a"\nregex = "b"\nanswer = "c"', "CX5101"),
        ('[[rules]]\nexact = "a"', "CX5102"),
        ('[[rules]]\nanswer = "a"\nthen = "b"', "CX5103"),
        ('[[rules]]\nregex = "("\nanswer = "b"', "CX1102"),
        ("rules = [", "CX1001"),
        ("", "CX1003"),
    ],
)
def test_a_scenario_that_makes_no_sense_is_refused(script: str, code: str) -> None:
    assert problems(script) == {code}


@given(st.text(max_size=100))
def test_reading_a_scenario_never_raises(text: str) -> None:
    assert isinstance(read_scenario(text), Success | Failure)
