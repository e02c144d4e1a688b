"""A streamed answer: its pieces as they come, its calls, and what happens when nobody listens."""

from contextlib import aclosing

import pytest
from anyio import create_task_group, fail_after
from attrs import evolve
from returns.result import Failure, Success

from caxton_adapters.providers.openai.model import openai_model
from caxton_adapters.providers.settings import Transport
from caxton_adapters.testing.model import streamed
from caxton_core.conversation.model import AnswerCut, Completion, FinishReason, TextDelta
from caxton_core.limits import Usage
from caxton_core.primitives import JsonObject, ToolName
from caxton_core.tools.tool import BrokenToolCall, RequestedCall, ToolCall
from tests.adapters.providers.asking import (
    HELLO,
    answer,
    asked,
    chunk,
    completed,
    events,
    provider,
    settings,
)
from tests.raw_server import Act, chunked, raw_server
from tests.waiting import PATIENCE

transports = pytest.mark.parametrize("transport", list(Transport))

BEGUN = chunked(b"data: " + chunk({"content": "Hi"}) + b"\n\n", end=b"")
USAGE = {
    "prompt_tokens": 9,
    "completion_tokens": 7,
    "prompt_tokens_details": {"cached_tokens": 4},
    "completion_tokens_details": {"reasoning_tokens": 5},
}


def call(
    index: int, id_: str | None = None, name: str | None = None, arguments: str = ""
) -> object:
    piece = {"index": index, "id": id_, "function": {"name": name, "arguments": arguments}}
    return {"tool_calls": [piece]}


async def calls(*deltas: object) -> tuple[RequestedCall, ...]:
    """The calls that a stream of these deltas makes."""
    script = (events(*map(chunk, deltas), chunk({}, "tool_calls")),)
    told = await answer(Transport.LEAN, script, stream=True)
    assert isinstance(told, Success)
    assert told.unwrap().finish is FinishReason.TOOL_CALLS
    return told.unwrap().calls


@transports
async def test_pieces_and_whole_are_told_with_the_usage(transport: Transport) -> None:
    script = (
        events(
            chunk({"role": "assistant", "content": ""}),
            chunk({"content": "Hel"}),
            chunk({"content": "lo"}),
            chunk({}, "length"),
            chunk().replace(b'"choices":[', b'"choices":[],"ignored":['),
            b'{"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 7}}',
        ),
    )
    async with provider(transport, script) as (model, _):
        pieces, end = await streamed(model, HELLO)
    assert pieces == ["Hel", "lo"]
    usage = Usage(9, 7)
    assert end == Success(Completion("Hello", FinishReason.LENGTH, usage, "some-model-1"))


@transports
async def test_cached_and_reasoning_tokens_are_told(transport: Transport) -> None:
    told = await answer(transport, (completed(usage=USAGE),))
    assert isinstance(told, Success)
    assert told.unwrap().usage == Usage(9, 7, 4, 5)


async def test_calls_are_put_together_by_their_index() -> None:
    made = await calls(
        call(0, "c0", "files__read", '{"pa'),
        call(1, "c1", "files__list"),
        call(0, arguments='th": "a"}'),
    )
    assert made == (
        ToolCall("c0", ToolName("files.read"), JsonObject.of({"path": "a"})),
        ToolCall("c1", ToolName("files.list"), JsonObject()),
    )


async def test_calls_without_an_index_begin_with_their_id() -> None:
    pieces = [
        {"tool_calls": [{"id": "c0", "function": {"name": "a__b", "arguments": '{"x"'}}]},
        {"tool_calls": [{"function": {"arguments": ": 1}"}}]},
        {"tool_calls": [{"id": "c1", "function": {"name": "a__c", "arguments": "{}"}}]},
    ]
    assert await calls(*pieces) == (
        ToolCall("c0", ToolName("a.b"), JsonObject.of({"x": 1})),
        ToolCall("c1", ToolName("a.c"), JsonObject()),
    )


@pytest.mark.parametrize("arguments", ['{"path": ', "[1]", "null", '"text"', "{'a': 1}", "{} {}"])
@pytest.mark.parametrize("stream", [False, True])
@transports
async def test_broken_arguments_are_a_broken_call(
    transport: Transport, arguments: str, *, stream: bool
) -> None:
    piece = {"index": 0, "id": "c", "function": {"name": "a__b", "arguments": arguments}}
    message = {"role": "assistant", "tool_calls": [piece]}
    script = (
        events(chunk(message), chunk({}, "tool_calls")) if stream else completed(message, "stop"),
    )
    told = await answer(transport, script, stream=stream)
    why = "the arguments are not a JSON object of at most 64 levels"
    assert isinstance(told, Success)
    assert told.unwrap().calls == (BrokenToolCall("c", "a__b", arguments, why),)


async def test_an_answer_whose_end_was_told_is_whole_without_the_last_event() -> None:
    script = (chunked(b"data: " + chunk({"content": "Hi"}, "stop") + b"\n\n", end=b""), Act.CLOSE)
    assert isinstance(await answer(Transport.LEAN, script, stream=True), Success)


async def test_what_is_no_event_is_passed_over() -> None:
    noise = b": keep-alive\r\n\r\nretry: 10\r\n\r\nnonsense\r\n\r\nid: 1\r\nevent: x\r\ndata: "
    script = (chunked(noise + chunk({"content": "Hi"}, "stop") + b"\r\n\r\ndata:[DONE]\r\n\r\n"),)
    told = await answer(Transport.LEAN, script, stream=True)
    assert isinstance(told, Success)
    assert told.unwrap().text == "Hi"


@transports
async def test_a_cancelled_stream_closes_its_connection_and_frees_its_slot(
    transport: Transport,
) -> None:
    async with raw_server((BEGUN, Act.HANG), (completed(),)) as server:
        model = openai_model(evolve(settings(server.url, transport), max_connections=1))
        async with create_task_group() as tasks:
            tasks.start_soon(streamed, model, HELLO)
            await server.until_asked(1)
            tasks.cancel_scope.cancel()
        await server.until_open(0)
        with fail_after(PATIENCE):
            assert isinstance(await asked(model), Success)
        await model.aclose()


@transports
async def test_a_stream_that_is_left_closes_its_connection(transport: Transport) -> None:
    async with provider(transport, (BEGUN, Act.HANG)) as (model, server):
        async with aclosing(model.stream(HELLO)) as stream:
            assert await anext(stream) == TextDelta("Hi")
        await server.until_open(0)


async def test_streams_that_end_share_a_connection() -> None:
    script = (events(chunk({"content": "Hi"}, "stop")),)
    async with provider(Transport.LEAN, script) as (model, server):
        for _ in range(5):
            await streamed(model, HELLO)
        assert server.accepted == 1


async def test_a_stream_is_shown_as_it_comes() -> None:
    async with (
        provider(Transport.LEAN, (BEGUN, Act.HANG)) as (model, _),
        aclosing(model.stream(HELLO)) as stream,
    ):
        assert await anext(stream) == TextDelta("Hi")
        end = await anext(stream)
    assert isinstance(end, Failure)
    assert not isinstance(end.failure(), AnswerCut)
