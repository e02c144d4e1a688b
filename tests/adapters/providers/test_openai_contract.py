"""Both transports keep the promises of a model provider."""

from collections.abc import AsyncIterator, Iterator

import pytest
from attrs import evolve

from caxton_adapters.providers.openai.model import openai_model
from caxton_adapters.providers.settings import ProviderKind, ProviderSettings, Transport
from caxton_adapters.secrets import Secret
from caxton_adapters.testing.model import ModelContract, Subject, question
from caxton_core.conversation.model import JsonSchemaFormat
from caxton_core.primitives import JsonObject, ModelName, ProviderName, ToolName
from caxton_core.tools.tool import Tool
from tests.model_server import ModelServer, model_server

SCHEMA = JsonObject.of(
    {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
)


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with model_server() as running:
        yield running


class OpenAIContract(ModelContract):
    transport = Transport.LEAN

    @pytest.fixture
    async def subject(self, server: ModelServer) -> AsyncIterator[Subject]:
        settings = ProviderSettings(
            name=ProviderName("test"),
            kind=ProviderKind.OPENAI_COMPATIBLE,
            base_url=server.at("context=1000"),
            api_key=Secret("any"),
            model=ModelName("echo"),
            transport=self.transport,
        )
        model = openai_model(settings)
        slow = openai_model(evolve(settings, base_url=server.at("latency=10000")))
        weather = Tool(ToolName("weather.today"), "The weather.", SCHEMA)
        yield Subject(
            model,
            plain=question("one two three"),
            slow=question("slow"),
            unanswerable=question("far too long " * 1000),
            tools=evolve(question('call weather__today {"city": "Oslo"}'), tools=(weather,)),
            structured=evolve(question("?"), response_format=JsonSchemaFormat("city", SCHEMA)),
            slow_model=slow,
        )
        await model.aclose()
        await slow.aclose()


class TestLean(OpenAIContract):
    transport = Transport.LEAN


class TestSdk(OpenAIContract):
    transport = Transport.SDK
