"""What a model can do is found out, not assumed; what a service says about itself is believed."""

import msgspec
import pytest
from attrs import evolve
from returns.result import Failure, Success

from caxton_adapters.providers.openai.model import openai_model
from caxton_adapters.providers.settings import ProviderKind, ToolMode, Transport
from caxton_core.conversation.model import (
    Feature,
    Healthy,
    ModelCapabilities,
    NotAuthenticated,
    ServiceFault,
    ToolSupport,
    Unreachable,
)
from caxton_core.primitives import ModelName, TokenCount
from tests.adapters.providers.asking import answer, completed, provider, refused, settings
from tests.raw_server import Act, Script, raw_server, response

ABSENT = response(b"not found", status="404 x")
CALLED = completed(
    {
        "content": None,
        "tool_calls": [{"id": "1", "function": {"name": "say", "arguments": '{"word":"yes"}'}}],
    },
    "tool_calls",
)
FITTING = completed({"content": '{"word": "yes"}'})
TALK = completed({"content": "Hello! I am fine."})
REFUSED = refused("400 x", message="tools are not supported")
PLAIN = frozenset({Feature.STREAMING})
STRUCTURED = PLAIN | {Feature.STRUCTURED_OUTPUT}

transports = pytest.mark.parametrize("transport", list(Transport))


def listed(**more: object) -> bytes:
    return response(msgspec.json.encode({"data": [{"id": "other"}, {"id": "some-model", **more}]}))


def llama(*, tools: bool, vision: bool = False) -> bytes:
    caps = {"supports_tools": tools, "supports_tool_calls": tools}
    said = {
        "chat_template_caps": caps,
        "default_generation_settings": {"n_ctx": 2048, "params": {}},
        "modalities": {"vision": vision, "audio": False},
    }
    return response(msgspec.json.encode(said))


CASES: list[tuple[str, tuple[bytes, ...], ModelCapabilities]] = [
    (
        "llama.cpp with tools",
        (llama(tools=True, vision=True),),
        ModelCapabilities(ToolSupport.NATIVE, STRUCTURED | {Feature.VISION}, TokenCount(2048)),
    ),
    (
        "llama.cpp without tools",
        (llama(tools=False),),
        ModelCapabilities(ToolSupport.EMULATED, STRUCTURED, TokenCount(2048)),
    ),
    (
        "a service that lists parameters",
        (ABSENT, listed(supported_parameters=["tools"], context_length=32_000)),
        ModelCapabilities(ToolSupport.NATIVE, PLAIN, TokenCount(32_000)),
    ),
    (
        "a service whose models do both",
        (ABSENT, listed(max_model_len=4096), FITTING, CALLED),
        ModelCapabilities(ToolSupport.NATIVE, STRUCTURED, TokenCount(4096)),
    ),
    (
        "a service that ignores tools without a word",
        (ABSENT, listed(), FITTING, TALK),
        ModelCapabilities(ToolSupport.EMULATED, STRUCTURED),
    ),
    (
        "a service that ignores both",
        (ABSENT, listed(), TALK, TALK),
        ModelCapabilities(ToolSupport.NONE, PLAIN),
    ),
    (
        "a service that refuses both and lists nothing",
        (ABSENT, ABSENT, REFUSED, REFUSED),
        ModelCapabilities(ToolSupport.NONE, PLAIN),
    ),
]


@transports
@pytest.mark.parametrize(
    ("answers", "expected"), [row[1:] for row in CASES], ids=[row[0] for row in CASES]
)
async def test_an_unknown_service_is_found_out(
    transport: Transport, answers: tuple[bytes, ...], expected: ModelCapabilities
) -> None:
    scripts: list[Script] = [(one,) for one in answers]
    async with provider(transport, *scripts) as (model, server):
        assert await model.capabilities() == Success(expected)
        assert await model.capabilities() == Success(expected)
        assert len(server.requests) == len(answers)


@pytest.mark.parametrize(
    ("mode", "tools"),
    [(ToolMode.NATIVE, ToolSupport.NATIVE), (ToolMode.NONE, ToolSupport.NONE)],
)
async def test_what_the_operator_settled_is_believed(mode: ToolMode, tools: ToolSupport) -> None:
    async with raw_server((llama(tools=False),)) as server:
        model = openai_model(evolve(settings(server.url), tools=mode))
        found = await model.capabilities()
        await model.aclose()
    assert isinstance(found, Success)
    assert found.unwrap().tools is tools


async def test_a_known_model_of_openai_is_not_asked() -> None:
    async with raw_server((Act.CLOSE,)) as server:
        model = openai_model(evolve(settings(server.url), kind=ProviderKind.OPENAI))
        found = await model.capabilities(ModelName("gpt-4o-mini"))
        await model.aclose()
        assert server.accepted == 0
    features = frozenset({Feature.STREAMING, Feature.VISION, Feature.STRUCTURED_OUTPUT})
    assert found == Success(ModelCapabilities(ToolSupport.NATIVE, features, TokenCount(128_000)))


@transports
async def test_a_service_that_cannot_be_asked_is_a_failure_and_asked_again(
    transport: Transport,
) -> None:
    busy = refused("503 x", message="loading")
    async with provider(transport, (busy,), (llama(tools=True),)) as (model, _):
        assert await model.capabilities() == Failure(ServiceFault(503, "loading"))
        assert isinstance(await model.capabilities(), Success)


@transports
async def test_a_service_that_takes_the_key_is_healthy(transport: Transport) -> None:
    async with provider(transport, (listed(),)) as (model, server):
        assert await model.health() == Success(Healthy(("other", "some-model")))
        assert server.requests[0].target == b"/v1/models"


@transports
async def test_a_service_that_refuses_the_key_is_not_healthy(transport: Transport) -> None:
    refusal = refused("401 x", message="bad key", code="invalid_api_key")
    async with provider(transport, (refusal,)) as (model, _):
        assert await model.health() == Failure(NotAuthenticated("bad key"))


@transports
async def test_a_service_that_lists_nothing_is_reachable(transport: Transport) -> None:
    async with provider(transport, (ABSENT,)) as (model, _):
        assert await model.health() == Success(Healthy())


@transports
async def test_a_service_that_is_away_is_not_healthy(transport: Transport) -> None:
    async with provider(transport, (Act.CLOSE,)) as (model, _):
        health = await model.health()
    assert isinstance(health, Failure)
    assert isinstance(health.failure(), Unreachable)


@transports
async def test_without_a_model_nothing_is_asked(transport: Transport) -> None:
    async with raw_server((Act.CLOSE,)) as server:
        model = openai_model(evolve(settings(server.url, transport), model=None))
        assert isinstance(await model.capabilities(), Failure)
        await model.aclose()
        assert server.accepted == 0
    assert isinstance(await answer(transport, (completed(),)), Success)
