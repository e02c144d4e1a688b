"""What a service is sent for what an agent asks."""

import msgspec
import pytest
from attrs import evolve

from caxton_adapters.providers.openai.families import family, reasons
from caxton_adapters.providers.openai.model import openai_model
from caxton_adapters.providers.openai.requests import chat_request, encoded
from caxton_core.conversation.message import (
    AssistantMessage,
    SystemMessage,
    ToolMessage,
    UserMessage,
)
from caxton_core.conversation.model import JsonSchemaFormat, ModelRequest, Sampling
from caxton_core.primitives import JsonObject, TokenCount, ToolName
from caxton_core.tools.tool import BrokenToolCall, Tool, ToolCall, ToolFailed, ToolSucceeded
from tests.adapters.providers.asking import CANARY, HELLO, completed, settings
from tests.raw_server import raw_server

ALL = Sampling(0.5, TokenCount(100), 0.9, 0.1, 0.2, 7, ("END",))
SCHEMA = JsonObject.of({"type": "object"})


def sent(
    request: ModelRequest, model: str = "gpt-4o", *, stream: bool = False
) -> dict[str, object]:
    body: dict[str, object] = msgspec.json.decode(
        encoded(chat_request(request, model, stream=stream))
    )
    return body


def test_what_nobody_chose_is_not_sent() -> None:
    messages = [{"role": "user", "content": "Hello"}]
    assert sent(HELLO) == {"model": "gpt-4o", "messages": messages}


def test_a_stream_asks_for_its_usage() -> None:
    body = sent(HELLO, stream=True)
    assert (body["stream"], body["stream_options"]) == (True, {"include_usage": True})


def test_every_choice_of_the_author_is_sent() -> None:
    assert sent(evolve(HELLO, sampling=ALL)) == sent(HELLO) | {
        "temperature": 0.5,
        "max_tokens": 100,
        "top_p": 0.9,
        "frequency_penalty": 0.1,
        "presence_penalty": 0.2,
        "seed": 7,
        "stop": ["END"],
    }


@pytest.mark.parametrize("model", ["o1", "o3-mini", "o4-mini-2025-04-16", "gpt-5", "gpt-5.1-codex"])
def test_a_reasoning_model_is_not_sent_what_it_refuses(model: str) -> None:
    body = sent(evolve(HELLO, sampling=ALL), model)
    assert set(body) == {"model", "messages", "max_completion_tokens", "seed"}
    assert body["max_completion_tokens"] == 100


@pytest.mark.parametrize("model", ["gpt-4o", "gpt-5-chat-latest", "openchat", "o", "gpt-oss-20b"])
def test_other_models_are_sent_everything(model: str) -> None:
    assert not reasons(model)
    assert sent(evolve(HELLO, sampling=ALL), model)["max_tokens"] == 100


def test_a_conversation_with_tools_is_sent_in_the_services_form() -> None:
    calls = (
        ToolCall("c1", ToolName("files.read"), JsonObject.of({"path": "a"})),
        BrokenToolCall("c2", "no such/tool", "{oops", "not JSON"),
    )
    messages = (
        SystemMessage("Be brief."),
        UserMessage("Read a."),
        AssistantMessage("", calls),
        ToolMessage(ToolSucceeded("c1", "content")),
        ToolMessage(ToolFailed("c2", "not JSON")),
    )
    _, _, asked, *results = msgspec.convert(sent(ModelRequest(messages))["messages"], list[object])
    assert asked == {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {
                "id": "c1",
                "type": "function",
                "function": {"name": "files__read", "arguments": '{"path":"a"}'},
            },
            {
                "id": "c2",
                "type": "function",
                "function": {"name": "no_such_tool", "arguments": '{"unreadable": "{oops"}'},
            },
        ],
    }
    assert results == [
        {"role": "tool", "content": "content", "tool_call_id": "c1"},
        {"role": "tool", "content": "not JSON", "tool_call_id": "c2"},
    ]


def test_tools_and_formats_are_sent_with_their_schemas() -> None:
    tool = Tool(ToolName("files.read"), "Reads.", SCHEMA)
    request = evolve(HELLO, tools=(tool,), response_format=JsonSchemaFormat("form", SCHEMA))
    body = sent(request)
    function = {"name": "files__read", "description": "Reads.", "parameters": {"type": "object"}}
    assert body["tools"] == [{"type": "function", "function": function}]
    schema = {"name": "form", "schema": {"type": "object"}, "strict": True}
    assert body["response_format"] == {"type": "json_schema", "json_schema": schema}


async def test_the_account_is_named_in_the_headers() -> None:
    async with raw_server((completed(),)) as server:
        chosen = evolve(settings(server.url), organization="org-1", project="proj-1")
        model = openai_model(chosen)
        await model.complete(HELLO)
        await model.aclose()
        headers = server.requests[0].headers
    assert headers["authorization"] == f"Bearer {CANARY}"
    assert (headers["openai-organization"], headers["openai-project"]) == ("org-1", "proj-1")
    assert headers["user-agent"].startswith("caxton/")


async def test_without_a_key_no_key_is_sent() -> None:
    async with raw_server((completed(),)) as server:
        model = openai_model(evolve(settings(server.url), api_key=None))
        await model.complete(HELLO)
        await model.aclose()
        assert "authorization" not in server.requests[0].headers


@pytest.mark.parametrize(
    ("model", "length"),
    [
        ("gpt-4", 8_192),
        ("gpt-4-0613", 8_192),
        ("gpt-4-turbo-2024-04-09", 128_000),
        ("gpt-4o-mini", 128_000),
        ("gpt-4.1-nano", 1_047_576),
        ("gpt-3.5-turbo-0125", 16_385),
        ("gpt-5.1", 400_000),
        ("o3-mini", 200_000),
    ],
)
def test_the_families_of_openai_are_known(model: str, length: int) -> None:
    known = family(model)
    assert known is not None
    assert known.context_length == length
    assert family(f"not-{model}") is None
