"""Tools work with a model that knows none, and calls that were written as text are found."""

import json
from collections.abc import Sequence
from itertools import pairwise

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Failure, Result, Success

from caxton_adapters.providers.emulation.asking import without_tools
from caxton_adapters.providers.emulation.model import WithTools
from caxton_adapters.providers.emulation.reading import AnswerInTheMaking, understood
from caxton_adapters.testing.model import streamed
from caxton_core.conversation.message import (
    AssistantMessage,
    SystemMessage,
    ToolMessage,
    UserMessage,
)
from caxton_core.conversation.model import (
    Completion,
    FinishReason,
    Healthy,
    JsonSchemaFormat,
    ModelCapabilities,
    ModelFailure,
    ModelRequest,
    NotAuthenticated,
    TextDelta,
    ToolSupport,
)
from caxton_core.limits import Usage
from caxton_core.ports import Answer
from caxton_core.primitives import JsonObject, ModelName, ToolName
from caxton_core.tools.tool import BrokenToolCall, Tool, ToolCall, ToolSucceeded

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = Tool(ToolName("weather.today"), "Tells the weather.", JsonObject.of(SCHEMA))
OSLO = JsonObject.of({"city": "Oslo"})
ASKED = ModelRequest((SystemMessage("Be brief."), UserMessage("Oslo?")), tools=(WEATHER,))
CALL = '{"tool": "weather.today", "with": {"city": "Oslo"}}'


class Speaking:
    """A model that says one thing in pieces, and remembers what it was asked."""

    def __init__(self, pieces: Sequence[str], tools: ToolSupport) -> None:
        self._pieces = pieces
        self._tools = tools
        self.asked: list[ModelRequest] = []

    async def complete(self, request: ModelRequest) -> Answer:
        self.asked.append(request)
        return Success(said("".join(self._pieces)))

    async def stream(self, request: ModelRequest):  # type: ignore[no-untyped-def] # noqa: ANN201
        self.asked.append(request)
        for piece in self._pieces:
            yield TextDelta(piece)
        yield Success(said("".join(self._pieces)))

    async def capabilities(
        self, _: ModelName | None = None
    ) -> Result[ModelCapabilities, ModelFailure]:
        return Success(ModelCapabilities(self._tools, frozenset()))

    async def health(self) -> Result[Healthy, ModelFailure]:
        return Success(Healthy())


def said(text: str, finish: FinishReason = FinishReason.STOP) -> Completion:
    return Completion(text, finish, Usage(1, 1), "m")


def speaking(*pieces: str, tools: ToolSupport = ToolSupport.EMULATED) -> WithTools:
    return WithTools(Speaking(pieces, tools))


async def shown(model: WithTools, request: ModelRequest = ASKED) -> tuple[list[str], Completion]:
    """What was streamed, and the whole answer; both ways of asking agree."""
    pieces, end = await streamed(model, request)
    assert end == await model.complete(request)
    assert isinstance(end, Success)
    assert "".join(pieces) == end.unwrap().text
    return pieces, end.unwrap()


async def test_a_call_in_json_is_a_call_and_is_not_shown() -> None:
    pieces, answer = await shown(speaking(CALL[:7], CALL[7:20], CALL[20:]))
    assert pieces == []
    assert answer.calls == (ToolCall("call_1", WEATHER.name, OSLO),)
    assert answer.finish is FinishReason.TOOL_CALLS


async def test_an_answer_in_json_is_streamed_while_it_is_made() -> None:
    pieces, answer = await shown(speaking('{"ans', 'wer": "Hel', "lo, \\", '"you\\u00', 'e9"', "}"))
    assert pieces == ["Hel", "lo, ", '"you', "é"]
    assert answer.text == 'Hello, "youé'


async def test_a_model_that_ignores_the_schema_is_still_heard() -> None:
    pieces, answer = await shown(speaking("It ", "rains."))
    assert pieces == ["It rains."]
    assert answer.text == "It rains."


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"tool": "files.read", "arguments": {}}', "there is no such tool"),
        ('{"tool": "weather.today", "arguments": [1]}', "the arguments are no JSON object"),
    ],
)
async def test_a_call_that_cannot_be_made_is_told_to_the_model(text: str, why: str) -> None:
    _, answer = await shown(speaking(text))
    (call,) = answer.calls
    assert isinstance(call, BrokenToolCall)
    assert call.why == why


def test_an_answer_that_broke_off_is_as_long_as_it_is() -> None:
    cut = understood(said('{"answer": "It rai', FinishReason.LENGTH), (WEATHER,), 0)
    assert (cut.text, cut.finish) == ("It rai", FinishReason.LENGTH)


@given(text=st.text(max_size=80), data=st.data(), ascii_only=st.booleans())
def test_an_answer_arrives_whole_however_it_is_cut(
    text: str, data: st.DataObject, *, ascii_only: bool
) -> None:
    written = json.dumps({"answer": text}, ensure_ascii=ascii_only)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(written)), max_size=20)))
    making = AnswerInTheMaking()
    bounds = [0, *cuts, len(written)]
    pieces = [making.take(written[a:b]) for a, b in pairwise(bounds)]
    assert "".join(pieces) == text


async def test_a_call_that_a_native_model_wrote_as_text_is_made() -> None:
    native = speaking(
        '{"name": "weather', '.today", "arguments": ', '{"city": "Oslo"}}', tools=ToolSupport.NATIVE
    )
    pieces, answer = await shown(native)
    assert pieces == []
    assert answer.calls == (ToolCall("call_1", WEATHER.name, OSLO),)


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "files.read", "arguments": {}}',
        '{"name": "weather.today"}',
        '{"name": "weather.today", "arguments": {}, "because": 1}',
        "The call is " + CALL,
        '{"city": "Oslo"}',
    ],
)
async def test_text_that_is_not_exactly_a_call_stays_text(text: str) -> None:
    pieces, answer = await shown(speaking(text[:3], text[3:], tools=ToolSupport.NATIVE))
    assert answer.text == text
    assert answer.calls == ()
    assert pieces


async def test_a_native_model_gets_the_request_as_it_is() -> None:
    model = Speaking(["Hi"], ToolSupport.NATIVE)
    await WithTools(model).complete(ASKED)
    assert model.asked == [ASKED]


async def test_a_model_that_can_do_neither_gets_no_tools() -> None:
    model = Speaking(["Hi"], ToolSupport.NONE)
    await shown(WithTools(model))
    assert model.asked == [evolve(ASKED, tools=())] * 2


async def test_without_tools_nobody_is_asked_about_them() -> None:
    model = Speaking([CALL], ToolSupport.EMULATED)
    plain = evolve(ASKED, tools=())
    _, answer = await shown(WithTools(model), plain)
    assert answer.text == CALL
    assert model.asked == [plain, plain]


async def test_where_nobody_knows_the_failure_is_told() -> None:
    class Locked(Speaking):
        async def capabilities(
            self, _: ModelName | None = None
        ) -> Result[ModelCapabilities, ModelFailure]:
            return Failure(NotAuthenticated("no"))

    locked = WithTools(Locked([], ToolSupport.NONE))
    assert await locked.complete(ASKED) == Failure(NotAuthenticated("no"))
    assert (await streamed(locked, ASKED))[1] == Failure(NotAuthenticated("no"))


def test_tools_and_results_are_told_in_words() -> None:
    call = ToolCall("call_1", WEATHER.name, OSLO)
    rain = ToolMessage(ToolSucceeded("call_1", "rain"))
    said_before = (UserMessage("Oslo?"), AssistantMessage("", (call,)), rain)
    plain = without_tools(evolve(ASKED, messages=(ASKED.messages[0], *said_before)))
    system, user, assistant, result = plain.messages
    assert isinstance(system, SystemMessage)
    assert system.text.startswith("Be brief.\n\nYou can call tools.")
    assert "weather.today: Tells the weather." in system.text
    assert user == UserMessage("Oslo?")
    assert isinstance(assistant, AssistantMessage)
    assert json.loads(assistant.text) == json.loads(CALL)
    assert result == UserMessage("Result of weather.today: rain")
    assert plain.tools == ()


def test_the_schema_offers_each_tool_and_an_answer() -> None:
    plain = without_tools(ASKED)
    assert plain.response_format is not None
    assert '{"tool":{"const":"weather.today"},"with":' in plain.response_format.schema.value
    call, answer = json.loads(plain.response_format.schema.value)["anyOf"]
    assert call["properties"]["tool"] == {"const": "weather.today"}
    assert call["properties"]["with"] == SCHEMA
    assert answer["properties"] == {"answer": {"type": "string"}}


async def test_an_answer_in_a_format_of_its_own_keeps_it() -> None:
    form = JsonSchemaFormat("city", JsonObject.of(SCHEMA))
    plain = without_tools(evolve(ASKED, response_format=form))
    assert plain.response_format is not None
    assert json.loads(plain.response_format.schema.value)["anyOf"][1]["properties"] == {
        "answer": SCHEMA
    }
    _, answer = await shown(speaking('{"answer": {"city": "Oslo"}}'))
    assert json.loads(answer.text) == {"city": "Oslo"}


async def test_calls_of_later_rounds_have_ids_of_their_own() -> None:
    call = ToolCall("call_1", WEATHER.name, OSLO)
    rain = ToolMessage(ToolSucceeded("call_1", "rain"))
    later = evolve(ASKED, messages=(*ASKED.messages, AssistantMessage("", (call,)), rain))
    _, answer = await shown(speaking(CALL), later)
    assert [one.id for one in answer.calls] == ["call_2"]
