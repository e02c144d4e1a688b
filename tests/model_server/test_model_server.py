"""The official SDK is the judge of whether the model server speaks the wire."""

from collections.abc import Iterator
from pathlib import Path

import openai
import pytest
import trustme
from openai.types.chat import ChatCompletionToolUnionParam

from tests.model_server import ModelServer, model_server
from tests.model_server.answering import instance_of
from tests.model_server.behaviour import Behaviour, Fault, UnknownOptionError, read_behaviour
from tests.model_server.encoding import cut

WEATHER: ChatCompletionToolUnionParam = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
            "required": ["city"],
        },
    },
}


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with model_server() as running:
        yield running


@pytest.fixture(scope="module")
def client(server: ModelServer) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=server.url, api_key="any", max_retries=0, timeout=20) as client:
        yield client


def said(client: openai.OpenAI, text: str, **more: object) -> str | None:
    answer = client.chat.completions.create(
        model="echo", messages=[{"role": "user", "content": text}], extra_body=more or None
    )
    return answer.choices[0].message.content


def test_the_answer_is_the_last_user_text(client: openai.OpenAI) -> None:
    assert said(client, 'two lines\nand "quotes", ünïcode') == 'two lines\nand "quotes", ünïcode'


def test_a_stream_ends_with_the_usage_that_the_plain_answer_has(client: openai.OpenAI) -> None:
    plain = client.chat.completions.create(
        model="echo", messages=[{"role": "user", "content": "one two three"}]
    )
    chunks = list(
        client.chat.completions.create(
            model="echo",
            messages=[{"role": "user", "content": "one two three"}],
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    deltas = [chunk.choices[0].delta.content for chunk in chunks[:-1]]
    assert deltas == ["", "one ", "two ", "three", None]
    assert chunks[-1].usage == plain.usage
    assert chunks[-2].choices[0].finish_reason == "stop"


@pytest.mark.parametrize("pieces", [1, 2, 13, 14])
def test_a_text_is_cut_into_so_many_pieces(pieces: int) -> None:
    text = "fourteen chars"
    assert len(cut(text, pieces)) == pieces
    assert "".join(cut(text, pieces)) == text


def test_a_tool_is_called_when_the_text_asks_so(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(
        model="echo",
        messages=[{"role": "user", "content": 'call weather {"city":"Oslo"} and call weather'}],
        tools=[WEATHER],
    )
    calls = answer.choices[0].message.tool_calls or []
    arguments = [call.function.arguments for call in calls if call.type == "function"]
    assert arguments == ['{"city":"Oslo"}', '{"city": "text"}']
    assert answer.choices[0].finish_reason == "tool_calls"


def test_a_streamed_tool_call_adds_up_to_the_plain_one(client: openai.OpenAI) -> None:
    arguments = ""
    for chunk in client.chat.completions.create(
        model="echo",
        messages=[{"role": "user", "content": 'call weather {"city":"Oslo"}'}],
        tools=[WEATHER],
        stream=True,
    ):
        for call in chunk.choices[0].delta.tool_calls or ():
            assert call.function is not None
            arguments += call.function.arguments or ""
    assert arguments == '{"city":"Oslo"}'


def test_a_tools_result_is_the_answer(client: openai.OpenAI) -> None:
    call = {"id": "c", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    body = {
        "model": "echo",
        "messages": [
            {"role": "user", "content": "call weather"},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c", "content": "rain"},
        ],
        "tools": [WEATHER],
    }
    answer = client.post("/chat/completions", body=body, cast_to=openai.types.chat.ChatCompletion)
    assert answer.choices[0].message.content == "rain"


def test_a_schema_is_answered_by_an_instance() -> None:
    schema = {
        "type": "object",
        "properties": {"kind": {"enum": ["a", "b"]}, "list": {"type": "array"}, "left": {}},
        "required": ["kind", "list"],
    }
    assert instance_of(schema) == {"kind": "a", "list": [{}]}


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ("status=429,retry_after=3", openai.RateLimitError),
        ("status=503", openai.InternalServerError),
        ("key=right", openai.AuthenticationError),
        ("context=1", openai.BadRequestError),
        ("nonsense=1", openai.BadRequestError),
        ("fault=drop", openai.APIConnectionError),
        ("fault=cut", openai.APIConnectionError),
        ("fault=not-http", openai.APIConnectionError),
    ],
)
def test_a_told_failure_is_met(
    server: ModelServer, client: openai.OpenAI, options: str, error: type[openai.OpenAIError]
) -> None:
    with pytest.raises(error):
        said(client.with_options(base_url=server.at(options)), "a longer text than one token")


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
def test_every_framing_carries_the_answer(
    server: ModelServer, client: openai.OpenAI, framing: str
) -> None:
    other = client.with_options(base_url=server.at(framing=framing, padding=70_000))
    assert [said(other, "hello") for _ in range(3)] == ["hello"] * 3


def test_a_base_url_counts_its_own_calls(server: ModelServer, client: openai.OpenAI) -> None:
    url = server.at("status=500,times=1", tag="counting")
    other = client.with_options(base_url=url)
    with pytest.raises(openai.InternalServerError):
        said(other, "first")
    assert said(other, "second") == "second"
    stats = server.stats(url)
    assert (stats.calls, stats.struck) == (2, 1)
    assert stats.last_headers["authorization"] == "Bearer any"
    assert "second" in stats.last_body


def test_a_call_that_its_client_gave_up_is_counted(
    server: ModelServer, client: openai.OpenAI
) -> None:
    url = server.at("fault=hang", tag="given-up")
    with pytest.raises(openai.APITimeoutError):
        said(client.with_options(base_url=url, timeout=0.2), "hello")
    assert server.stats(url).cancelled == 1


def test_a_rate_strikes_evenly() -> None:
    behaviour = Behaviour(fault=Fault.DROP, rate=0.1)
    assert [nth for nth in range(1, 31) if behaviour.strikes(nth)] == [10, 20, 30]


def test_an_unknown_value_is_refused() -> None:
    with pytest.raises(UnknownOptionError):
        read_behaviour("fault=unheard-of")


def test_a_unique_answer_is_never_said_again(server: ModelServer, client: openai.OpenAI) -> None:
    url = server.at("unique=1", tag="unique")
    other = client.with_options(base_url=url)
    first, second = said(other, "hello"), said(other, "hello")
    assert first != second
    assert first is not None
    assert first.startswith("hello #")
    assert [each.prompt for each in server.asked(url)] == [[("user", "hello")]] * 2


def test_https_is_served(tmp_path: Path) -> None:
    authority = trustme.CA()
    pem = tmp_path / "server.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(pem))
    with model_server(certificate=pem) as server:
        assert server.url.startswith("https://")
        assert server.stats().calls == 0
