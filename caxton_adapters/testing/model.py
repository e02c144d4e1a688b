"""What every language model provider promises, whoever wrote it.

Run it over a provider of your own: subclass `ModelContract` in a test module of yours and tell
with the fixture `subject` how to ask the provider for each kind of answer.

    class TestMyProvider(ModelContract):
        @pytest.fixture
        async def subject(self) -> AsyncIterator[Subject]:
            model = MyProvider(...)
            yield Subject(model, plain=question("Hello"), slow=question("Count to a million"))
            await model.aclose()

Run it with pytest and the plugin of anyio (`anyio_mode = "auto"`); docs/how-to/own-adapter.md
shows a whole provider and its test.
"""

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import cast, get_args

import pytest
from anyio import create_task_group, current_time, fail_after
from attrs import evolve, frozen
from returns.result import Failure, Success

from caxton_core.conversation.message import SystemMessage, UserMessage
from caxton_core.conversation.model import (
    Completion,
    Feature,
    FinishReason,
    Healthy,
    ModelCapabilities,
    ModelFailure,
    ModelRequest,
    Phase,
    TextDelta,
    TimedOut,
    ToolSupport,
)
from caxton_core.ports import Answer, Model
from caxton_core.primitives import Duration
from caxton_core.tools.tool import ToolCall

PATIENCE = 60.0


@frozen
class Subject:
    """A provider, and questions that bring it to each kind of answer.

    `plain` is answered with text of more than one piece. `slow` takes more than two seconds, from
    `slow_model` where the same provider answers everything quickly. `unanswerable` fails. `tools`
    offers tools and is answered with calls, `structured` has a response format; both are None
    exactly where the provider says that it cannot.
    """

    model: Model
    plain: ModelRequest
    slow: ModelRequest
    unanswerable: ModelRequest
    tools: ModelRequest | None = None
    structured: ModelRequest | None = None
    slow_model: Model | None = None

    @property
    def tardy(self) -> Model:
        """Who answers the slow question."""
        return self.slow_model or self.model


def question(text: str) -> ModelRequest:
    """A question of one user to an assistant."""
    return ModelRequest((SystemMessage("You are brief."), UserMessage(text)))


async def streamed(model: Model, request: ModelRequest) -> tuple[list[str], Answer]:
    """The pieces of a streamed answer and its end, which must be the only one and the last."""
    pieces: list[str] = []
    ends: list[Answer] = []
    async for item in model.stream(request):
        assert not ends, "something follows the end of the stream"
        if isinstance(item, TextDelta):
            pieces.append(item.text)
        else:
            ends.append(item)
    assert len(ends) == 1
    return pieces, ends[0]


async def completed(model: Model, request: ModelRequest) -> Completion:
    """The answer, which must be one."""
    answer = await model.complete(request)
    assert isinstance(answer, Success), answer
    return answer.unwrap()


async def told(model: Model) -> ModelCapabilities:
    """What the default model can do."""
    capabilities = await model.capabilities()
    assert isinstance(capabilities, Success), capabilities
    return capabilities.unwrap()


async def _asked(model: Model, request: ModelRequest) -> None:
    await model.complete(request)


class ModelContract:
    """The promises; each is one test."""

    @pytest.fixture
    def subject(self) -> AsyncIterator[Subject]:
        """The provider under test."""
        raise NotImplementedError

    @pytest.fixture(autouse=True)
    def anyio_backend(self) -> str:
        return "asyncio"

    async def test_a_question_is_answered(self, subject: Subject) -> None:
        answer = await completed(subject.model, subject.plain)
        assert answer.text
        assert answer.finish in (FinishReason.STOP, FinishReason.LENGTH)
        assert answer.model
        assert answer.calls == ()

    async def test_tokens_are_counted(self, subject: Subject) -> None:
        usage = (await completed(subject.model, subject.plain)).usage
        assert usage.prompt_tokens > 0
        assert usage.completion_tokens > 0
        assert 0 <= usage.cached_tokens <= usage.prompt_tokens
        assert 0 <= usage.reasoning_tokens <= usage.completion_tokens

    async def test_a_streamed_answer_comes_in_pieces_and_then_as_a_whole(
        self, subject: Subject
    ) -> None:
        pieces, end = await streamed(subject.model, subject.plain)
        assert isinstance(end, Success)
        answer = end.unwrap()
        assert len(pieces) > 1
        assert all(pieces)
        assert "".join(pieces) == answer.text
        assert answer.usage.completion_tokens > 0

    async def test_a_failure_is_a_value(self, subject: Subject) -> None:
        answer = await subject.model.complete(subject.unanswerable)
        assert isinstance(answer, Failure)
        assert isinstance(answer.failure(), get_args(ModelFailure))

    async def test_a_stream_that_fails_ends_with_the_failure(self, subject: Subject) -> None:
        answer = await subject.model.complete(subject.unanswerable)
        assert isinstance(answer, Failure)
        _, end = await streamed(subject.model, subject.unanswerable)
        assert isinstance(end, Failure)
        assert type(end.failure()) is type(answer.failure())

    async def test_a_failure_does_not_spoil_the_next_answer(self, subject: Subject) -> None:
        await subject.model.complete(subject.unanswerable)
        assert (await completed(subject.model, subject.plain)).text

    async def test_a_slow_answer_is_ended_by_its_timeout(self, subject: Subject) -> None:
        hurried = evolve(subject.slow, timeout=Duration(0.2))
        with fail_after(PATIENCE):
            answer = await subject.tardy.complete(hurried)
        assert answer == Failure(TimedOut(Phase.TOTAL, 0.2))

    async def test_a_slow_stream_is_ended_by_its_timeout(self, subject: Subject) -> None:
        hurried = evolve(subject.slow, timeout=Duration(0.2))
        with fail_after(PATIENCE):
            _, end = await streamed(subject.tardy, hurried)
        assert end == Failure(TimedOut(Phase.TOTAL, 0.2))

    async def test_a_cancelled_answer_is_given_up_at_once(self, subject: Subject) -> None:
        with fail_after(PATIENCE):
            async with create_task_group() as tasks:
                tasks.start_soon(_asked, subject.tardy, subject.slow)
                tasks.start_soon(streamed, subject.tardy, subject.slow)
                await completed(subject.model, subject.plain)
                tasks.cancel_scope.cancel()
                given_up = current_time()
        assert current_time() - given_up < 1
        assert (await completed(subject.model, subject.plain)).text

    async def test_a_stream_may_be_left_early(self, subject: Subject) -> None:
        stream = cast("AsyncGenerator[TextDelta | Answer]", subject.model.stream(subject.plain))
        async with aclosing(stream):
            assert isinstance(await anext(stream), TextDelta)
        assert (await completed(subject.model, subject.plain)).text

    async def test_many_questions_are_answered_at_once(self, subject: Subject) -> None:
        answers: list[Answer] = []

        async def ask() -> None:
            answers.append(await subject.model.complete(subject.plain))

        async with create_task_group() as tasks:
            for _ in range(8):
                tasks.start_soon(ask)
        assert all(isinstance(answer, Success) for answer in answers)
        assert len(answers) == 8

    async def test_it_is_healthy(self, subject: Subject) -> None:
        health = await subject.model.health()
        assert isinstance(health, Success)
        assert isinstance(health.unwrap(), Healthy)

    async def test_it_tells_what_it_can_do_and_means_it(self, subject: Subject) -> None:
        can = await told(subject.model)
        assert can == await told(subject.model)
        assert Feature.STREAMING in can.features
        assert (can.tools is ToolSupport.NONE) == (subject.tools is None)
        assert (Feature.STRUCTURED_OUTPUT in can.features) == (subject.structured is not None)

    async def test_a_model_that_can_call_tools_calls_them(self, subject: Subject) -> None:
        if subject.tools is None:
            assert (await told(subject.model)).tools is ToolSupport.NONE
            return
        answer = await completed(subject.model, subject.tools)
        offered = {tool.name for tool in subject.tools.tools}
        assert answer.calls
        assert all(isinstance(call, ToolCall) and call.name in offered for call in answer.calls)
        assert answer.finish is FinishReason.TOOL_CALLS

    async def test_a_streamed_call_is_the_same_call(self, subject: Subject) -> None:
        if subject.tools is None:
            assert (await told(subject.model)).tools is ToolSupport.NONE
            return
        _, end = await streamed(subject.model, subject.tools)
        assert isinstance(end, Success)
        calls = (await completed(subject.model, subject.tools)).calls
        assert [type(call) for call in end.unwrap().calls] == [type(call) for call in calls]
        assert all(call.id for call in end.unwrap().calls)

    async def test_structured_output_fits_its_schema(self, subject: Subject) -> None:
        if subject.structured is None:
            assert Feature.STRUCTURED_OUTPUT not in (await told(subject.model)).features
            return
        answer = await completed(subject.model, subject.structured)
        wanted = subject.structured.response_format
        assert wanted is not None
        held = json.loads(answer.text)
        assert set(cast("list[str]", wanted.schema.members()["required"])) <= set(held)
