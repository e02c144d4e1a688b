"""STORY-041: one agent file answers through every kind of provider."""

import time
from collections.abc import AsyncIterator, Iterator

import anyio
import pytest
from attrs import evolve
from returns.result import Failure, Success

from caxton_adapters.clock import SystemClock
from caxton_adapters.configs.in_memory import InMemoryConfigs
from caxton_adapters.providers.catalogue import Catalogue, Means, open_catalogue
from caxton_adapters.providers.openai.model import openai_model
from caxton_adapters.providers.prices import PriceList
from caxton_adapters.providers.settings import ProviderKind, ProviderSettings, Transport
from caxton_adapters.runtime.isolation.choice import Hosts
from caxton_adapters.runtime.runtime import Runtime, running
from caxton_adapters.runtime.ticket import Incoming
from caxton_adapters.secrets import Secret
from caxton_adapters.testing.model import question, streamed
from caxton_core.conversation.model import Feature, ModelCapabilities, Sampling, ToolSupport
from caxton_core.conversation.outcome import Answered, NotAnswered
from caxton_core.conversation.turn import ModelFailed
from caxton_core.primitives import ModelName, ProviderName, TokenCount
from tests.acceptance.criteria import criterion
from tests.fakes import in_memory
from tests.model_server import ModelServer, model_server
from tests.weights import small_weights

AGENT = """
name = "greeter"
system_prompt = "You greet people warmly and briefly."
llm_provider = "{provider}"

[llm]
temperature = 0.0
max_tokens = 24
timeout = "60s"
"""
PROVIDERS = ("lean", "sdk", "scripted", "local")


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with model_server() as running_server:
        yield running_server


async def no_price(_base_url: str, _model: str) -> PriceList | None:
    return None


def settings(server: ModelServer) -> tuple[ProviderSettings, ...]:
    wire = ProviderSettings(
        name=ProviderName("lean"),
        kind=ProviderKind.OPENAI_COMPATIBLE,
        base_url=server.url,
        api_key=Secret("any"),
        model=ModelName("echo"),
        retries=0,
    )
    return (
        wire,
        evolve(wire, name=ProviderName("sdk"), transport=Transport.SDK),
        ProviderSettings(name=ProviderName("scripted"), kind=ProviderKind.SCRIPTED),
        ProviderSettings(
            name=ProviderName("local"), kind=ProviderKind.LOCAL, model_path=small_weights()
        ),
        evolve(wire, name=ProviderName("lean-locked"), base_url=server.at("key=other")),
        evolve(
            wire,
            name=ProviderName("sdk-locked"),
            base_url=server.at("key=other"),
            transport=Transport.SDK,
        ),
    )


@pytest.fixture
async def catalogue(server: ModelServer) -> AsyncIterator[Catalogue]:
    means = Means(SystemClock(), lambda: 0.0, no_price)
    opened = open_catalogue(settings(server), means)
    assert isinstance(opened, Success)
    yield opened.unwrap()
    await opened.unwrap().aclose()


@pytest.fixture
async def runtime(catalogue: Catalogue) -> AsyncIterator[Runtime]:
    world = in_memory(catalogue)
    async with running(world, configs=InMemoryConfigs(), hosts=Hosts()) as opened:
        yield opened


async def outcome(runtime: Runtime, provider: str) -> Answered | NotAnswered:
    """What comes of one message to the agent; only `llm_provider` differs."""
    deployed = await runtime.deploy(AGENT.format(provider=provider))
    assert isinstance(deployed, Success), deployed
    accepted = await runtime.accept("greeter", Incoming("Hello, I am Ada."))
    assert isinstance(accepted, Success), accepted
    with anyio.fail_after(90):
        found = await accepted.unwrap().done()
    assert isinstance(found, Answered | NotAnswered)
    return found


@criterion("STORY-041.2", "STORY-041.3", "STORY-041.D1")
@pytest.mark.parametrize("provider", PROVIDERS)
async def test_one_agent_file_answers_through_every_provider(
    runtime: Runtime, provider: str
) -> None:
    answer = await outcome(runtime, provider)
    assert isinstance(answer, Answered)
    assert answer.text
    assert answer.usage.tokens > 0


@criterion("STORY-041.4")
async def test_what_a_model_can_do_is_found_out(catalogue: Catalogue) -> None:
    found: dict[str, ModelCapabilities] = {}
    for name in PROVIDERS:
        model = catalogue.find(ProviderName(name))
        assert isinstance(model, Success)
        capabilities = await model.unwrap().capabilities()
        assert isinstance(capabilities, Success)
        found[name] = capabilities.unwrap()
    assert found["lean"] == found["sdk"]
    assert found["scripted"].tools is ToolSupport.NATIVE
    assert found["local"].tools is ToolSupport.EMULATED
    assert Feature.STRUCTURED_OUTPUT in found["local"].features
    assert Feature.VISION not in found["local"].features
    assert found["local"].context_length is not None


@criterion("STORY-041.5")
async def test_a_refused_key_is_the_same_failure_whoever_carries_the_request(
    runtime: Runtime,
) -> None:
    reasons = []
    for provider in ("lean-locked", "sdk-locked"):
        failed = await outcome(runtime, provider)
        assert isinstance(failed, NotAnswered)
        assert isinstance(failed.why, ModelFailed)
        reasons.append(failed.why.failure)
        await runtime.delete("greeter")
    assert reasons[0] == reasons[1]


@criterion("STORY-041.6")
async def test_health_tells_who_is_reachable_and_accepts_the_key(catalogue: Catalogue) -> None:
    health = await catalogue.health()
    well = {name.value for name, result in health.items() if isinstance(result, Success)}
    assert well == set(PROVIDERS)
    assert {name.value for name, result in health.items() if isinstance(result, Failure)} == {
        "lean-locked",
        "sdk-locked",
    }


@criterion("STORY-041.D2")
async def test_the_guards_around_a_provider_take_less_than_a_millisecond(
    catalogue: Catalogue, server: ModelServer
) -> None:
    bare = openai_model(settings(server)[0])
    guarded = catalogue.find(ProviderName("lean"))
    assert isinstance(guarded, Success)
    least = {id(bare): 1.0, id(guarded): 1.0}
    for _ in range(200):
        for key, model in ((id(bare), bare), (id(guarded), guarded.unwrap())):
            began = time.thread_time()
            assert isinstance(await model.complete(question("Hello")), Success)
            least[key] = min(least[key], time.thread_time() - began)
    await bare.aclose()
    assert least[id(guarded)] - least[id(bare)] < 0.001


@criterion("STORY-041.1")
@pytest.mark.parametrize("provider", PROVIDERS)
async def test_every_provider_answers_whole_and_in_pieces(
    catalogue: Catalogue, provider: str
) -> None:
    found = catalogue.find(ProviderName(provider))
    assert isinstance(found, Success)
    asked = evolve(question("Say hello to me."), sampling=Sampling(0.0, TokenCount(24), seed=1))
    whole = await found.unwrap().complete(asked)
    pieces, end = await streamed(found.unwrap(), asked)
    assert isinstance(whole, Success)
    assert isinstance(end, Success)
    assert whole.unwrap().text
    assert "".join(pieces) == end.unwrap().text
