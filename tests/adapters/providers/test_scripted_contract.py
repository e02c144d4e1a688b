"""The scripted provider keeps every promise, by itself and behind the guards of a catalogue."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from attrs import evolve
from returns.result import Success

from caxton_adapters.clock import SystemClock
from caxton_adapters.providers.catalogue import Means, open_catalogue
from caxton_adapters.providers.scripted.model import Scripted
from caxton_adapters.providers.settings import ProviderKind, ProviderSettings
from caxton_adapters.testing.model import ModelContract, Subject, question
from caxton_core.ports import Model
from caxton_core.primitives import JsonObject, ProviderName, ToolName
from caxton_core.tools.tool import Tool
from tests.adapters.providers.guarded import scenario

SCRIPT = """
[[rules]]
exact = "fail"
fail = "context_too_long"
[[rules]]
exact = "weather"
calls = [{ tool = "weather.today", arguments = { city = "Oslo" } }]
[[rules]]
answer = "You said: {{request}}"
"""
SLOW = '[streaming]\ndelay = "10s"\n'
WEATHER = Tool(
    ToolName("weather.today"),
    "The weather.",
    JsonObject.of({"type": "object", "properties": {"city": {"type": "string"}}}),
)


def subject(model: Model, slow: Model) -> Subject:
    return Subject(
        model,
        plain=question("one two three"),
        slow=question("slow"),
        unanswerable=question("fail"),
        tools=evolve(question("weather"), tools=(WEATHER,)),
        slow_model=slow,
    )


class TestScripted(ModelContract):
    @pytest.fixture
    def subject(self) -> Subject:
        name = ProviderName("scripted")
        model = Scripted(name, scenario(SCRIPT))
        return subject(model, Scripted(name, scenario(SLOW + SCRIPT)))


class TestScriptedInACatalogue(ModelContract):
    @pytest.fixture
    async def subject(self, tmp_path: Path) -> AsyncIterator[Subject]:
        settings = []
        for name, script in (("quick", SCRIPT), ("slow", SLOW + SCRIPT)):
            path = tmp_path / f"{name}.toml"
            path.write_text(script)
            settings.append(
                ProviderSettings(name=ProviderName(name), kind=ProviderKind.SCRIPTED, scenario=path)
            )
        opened = open_catalogue(settings, Means(SystemClock()))
        assert isinstance(opened, Success)
        catalogue = opened.unwrap()
        quick, slow = (catalogue.find(ProviderName(name)) for name in ("quick", "slow"))
        assert isinstance(quick, Success)
        assert isinstance(slow, Success)
        yield subject(quick.unwrap(), slow.unwrap())
        await catalogue.aclose()
