"""The lean client and the official SDK ask the same and understand the same."""

import msgspec
import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from returns.result import Success

from caxton_adapters.providers.openai.model import openai_model
from caxton_adapters.providers.settings import Transport
from caxton_core.conversation.message import (
    AssistantMessage,
    PromptMessage,
    SystemMessage,
    ToolMessage,
    UserMessage,
)
from caxton_core.conversation.model import JsonSchemaFormat, ModelRequest, Sampling, TextDelta
from caxton_core.primitives import JsonObject, ModelName, TokenCount, ToolName
from caxton_core.tools.tool import BrokenToolCall, Tool, ToolCall, ToolFailed, ToolSucceeded
from tests.adapters.providers.asking import HELLO, asked, chunk, completed, events
from tests.adapters.providers.asking import settings as provider_settings
from tests.raw_server import Script, chunked, raw_server

few = settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])

TEXT = st.text(max_size=30)
NAMES = st.from_regex(r"[a-z]{1,5}\.[a-z_][a-z_/.-]{0,8}", fullmatch=True)
OBJECTS = st.dictionaries(TEXT, st.integers(-5, 5) | TEXT, max_size=2).map(JsonObject.of)
CALLS = st.builds(ToolCall, TEXT, NAMES.map(ToolName), OBJECTS) | st.builds(
    BrokenToolCall, TEXT, TEXT, TEXT, TEXT
)
MESSAGES: st.SearchStrategy[PromptMessage] = (
    st.builds(SystemMessage, TEXT)
    | st.builds(UserMessage, TEXT)
    | st.builds(AssistantMessage, TEXT, st.lists(CALLS, max_size=2).map(tuple))
    | st.builds(
        ToolMessage, st.builds(ToolSucceeded, TEXT, TEXT) | st.builds(ToolFailed, TEXT, TEXT)
    )
)
SAMPLINGS = st.builds(
    Sampling,
    temperature=st.none() | st.sampled_from([0.0, 0.7, 2.0]),
    max_tokens=st.none() | st.integers(1, 9).map(TokenCount),
    top_p=st.none() | st.just(0.5),
    frequency_penalty=st.none() | st.just(-1.5),
    presence_penalty=st.none() | st.just(0.0),
    seed=st.none() | st.just(7),
    stop=st.just(()) | st.just(("END", "\n")),
)
REQUESTS = st.builds(
    ModelRequest,
    messages=st.lists(MESSAGES, min_size=1, max_size=4).map(tuple),
    model=st.sampled_from(["gpt-4o-mini", "gpt-5-mini", "o3", "llama"]).map(ModelName),
    tools=st.lists(st.builds(Tool, NAMES.map(ToolName), TEXT, OBJECTS), max_size=2).map(tuple),
    sampling=SAMPLINGS,
    response_format=st.none() | st.builds(JsonSchemaFormat, st.just("form"), OBJECTS),
)


async def both(script: Script, request: ModelRequest = HELLO, *, stream: bool) -> list[object]:
    """What each transport asks and understands; for a stream also its pieces."""
    told: list[object] = []
    async with raw_server(script) as server:
        for transport in Transport:
            model = openai_model(provider_settings(server.url, transport))
            if stream:
                said = [part async for part in model.stream(request)]
                pieces = [part.text for part in said if isinstance(part, TextDelta)]
                told.append((said[-1], pieces))
            else:
                told.append(await model.complete(request))
            await model.aclose()
    bodies = [msgspec.json.decode(received.body) for received in server.requests]
    assert bodies[0] == bodies[1]
    assert server.requests[0].target == server.requests[1].target
    return told


@few
@given(REQUESTS, st.booleans())
async def test_the_same_question_is_the_same_request(request: ModelRequest, stream: bool) -> None:  # noqa: FBT001
    script = (events(chunk({"content": "Hi"}, "stop")),) if stream else (completed(),)
    lean, sdk = await both(script, request, stream=stream)
    assert lean == sdk


MESSAGE = st.fixed_dictionaries(
    {"role": st.just("assistant"), "content": st.none() | TEXT},
    optional={
        "refusal": st.none() | TEXT,
        "tool_calls": st.lists(
            st.fixed_dictionaries(
                {
                    "id": TEXT,
                    "type": st.just("function"),
                    "function": st.fixed_dictionaries(
                        {
                            "name": st.sampled_from(["files__read", "files.read", "no tool", ""]),
                            "arguments": st.sampled_from(['{"a": 1}', "", "[1]", "{", '{"a"']),
                        }
                    ),
                }
            ),
            max_size=3,
        ),
    },
)
FINISH = st.sampled_from(["stop", "length", "tool_calls", "content_filter", "other", None])
COUNT = st.integers(0, 10**6)
USAGE = st.fixed_dictionaries(
    {"prompt_tokens": COUNT, "completion_tokens": COUNT, "total_tokens": COUNT},
    optional={
        "prompt_tokens_details": st.none() | st.fixed_dictionaries({"cached_tokens": COUNT}),
        "completion_tokens_details": st.fixed_dictionaries({"reasoning_tokens": st.none() | COUNT}),
    },
)


@few
@given(MESSAGE, FINISH, st.none() | USAGE)
async def test_the_same_answer_is_the_same_completion(
    message: dict[str, object], finish: str | None, usage: dict[str, object] | None
) -> None:
    lean, sdk = await both((completed(message, finish, usage=usage),), stream=False)
    assert lean == sdk


CALL_PIECES = st.fixed_dictionaries(
    {"index": st.integers(0, 2)},
    optional={
        "id": st.sampled_from(["call_1", "call_2"]),
        "function": st.fixed_dictionaries(
            {}, optional={"name": st.just("files__read"), "arguments": st.sampled_from(["{", "}"])}
        ),
    },
)
DELTAS = st.fixed_dictionaries(
    {},
    optional={"content": st.none() | TEXT, "tool_calls": st.lists(CALL_PIECES, max_size=2)},
)


@few
@given(st.lists(DELTAS, max_size=5), FINISH, st.none() | USAGE, st.data())
async def test_the_same_stream_is_the_same_answer_wherever_it_is_cut(
    deltas: list[dict[str, object]],
    finish: str | None,
    usage: dict[str, object] | None,
    data: st.DataObject,
) -> None:
    chunks = [*(chunk(delta) for delta in deltas), chunk({}, finish, usage=usage)]
    end = data.draw(st.sampled_from([b"\n", b"\r\n"]))
    noise = data.draw(st.sampled_from([b"", b": comment" + end, b"event: message" + end]))
    lines = [noise + b"data: " + part + end * 2 for part in (*chunks, b"[DONE]")]
    whole = b"".join(lines)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=5)))
    pieces = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True) if a < b]
    lean, sdk = await both((chunked(*pieces),), stream=True)
    assert lean == sdk


@pytest.mark.parametrize("escape", [b"\\ud800", b"\\udfff x", b"a\\ud83d", b"\\ud83d\\ude00"])
async def test_half_a_character_is_replaced_by_both(escape: bytes) -> None:
    body = completed({"content": "HERE"}).partition(b"\r\n\r\n")[2].replace(b"HERE", escape)
    lean, sdk = await both((chunked(body, kind="application/json"),), stream=False)
    assert lean == sdk
    assert isinstance(lean, Success)
    lean.unwrap().text.encode()


async def test_half_a_character_in_a_question_is_replaced_by_the_lean_client() -> None:
    broken = evolve(HELLO, messages=(UserMessage("a\ud800b"),))
    async with raw_server((completed(),)) as server:
        model = openai_model(provider_settings(server.url))
        assert isinstance(await asked(model, broken), Success)
        await model.aclose()
    assert msgspec.json.decode(server.requests[0].body)["messages"][0]["content"] == "a\ufffdb"
