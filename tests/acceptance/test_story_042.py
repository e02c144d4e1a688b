"""STORY-042: OpenAI behind a server, its key in safe hands."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from caxton_adapters.embedded import embedded, openai
from caxton_core.tools.tool import ToolCall
from tests.acceptance.criteria import criterion
from tests.acceptance.installation import ASKED, installed, said
from tests.fakes import FilesInADict
from tests.model_server import ModelServer, model_server

CLERK = """
name = "clerk"
system_prompt = "You file."
tools = ["files.*"]
[permissions]
allow = ["files.read:path=/reports/*"]
[llm]
model = "gpt-4o-mini"
"""
ROUNDS = 30


@pytest.fixture(scope="module")
def service() -> Iterator[ModelServer]:
    with model_server() as running:
        yield running


def settings(base_url: str, more: str = "") -> str:
    return f'[providers.openai]\nkind = "openai"\nbase_url = "{base_url}"\nretries = 0\n{more}'


def agent(name: str, model: str) -> str:
    return f'name = "{name}"\nsystem_prompt = "You greet."\n[llm]\nmodel = "{model}"\n'


@criterion("STORY-042.1", "STORY-042.6", "STORY-042.D1")
def test_openais_models_answer_and_say_what_they_cost(tmp_path: Path, service: ModelServer) -> None:
    with installed(tmp_path, settings(service.url), OPENAI_API_KEY="sk-any") as shell:
        costs = {}
        for model in ("gpt-4", "gpt-3.5-turbo", "gpt-4o-mini"):
            name = model.replace(".", "-")
            shell.deploy(agent(name, model))
            answer = said(shell, name, "Hello")
            assert json.loads(service.stats().last_body)["model"] == model
            costs[model] = answer["usage"]["cost_usd"]
            assert answer["usage"]["prompt_tokens"] > 0
            assert answer["usage"]["completion_tokens"] > 0
    assert costs["gpt-4"] > costs["gpt-3.5-turbo"] > costs["gpt-4o-mini"] > 0


@criterion("STORY-042.2")
@pytest.mark.parametrize("place", ["environment", "file", "settings"])
def test_the_key_is_found_in_every_place(tmp_path: Path, service: ModelServer, place: str) -> None:
    address = service.at("key=sk-right", tag=place)
    (tmp_path / "key").write_text("sk-right\n")
    variables = {
        "environment": {"OPENAI_API_KEY": "sk-right"},
        "file": {"OPENAI_API_KEY_FILE": str(tmp_path / "key")},
        "settings": {"MY_KEY": "sk-right"},
    }[place]
    written = 'api_key = "${MY_KEY}"\n' if place == "settings" else ""
    with installed(tmp_path, settings(address, written), **variables) as shell:
        shell.deploy(agent("greeter", "gpt-4o"))
        assert said(shell, "greeter", "Hello")["text"] == "Hello"
        (provider,) = json.loads(shell.run("providers", "--json").out)["providers"]
        assert provider["healthy"]


@criterion("STORY-042.3")
@pytest.mark.parametrize("path", ["/reports/may", "/etc/passwd", "/reports/../etc/passwd"])
async def test_the_model_calls_the_tools_that_its_agent_was_granted(
    service: ModelServer, path: str
) -> None:
    files = FilesInADict(dict.fromkeys(["/reports/may", "/etc/passwd"], "all is well"))
    async with embedded(openai(base_url=service.url, api_key="any"), tools=files) as caxton:
        await caxton.deploy(CLERK)
        answer = await caxton.send("clerk", f'call files__read {{"path": "{path}"}}')
    permitted = path == "/reports/may"
    assert len(answer.calls) == 1
    assert isinstance(answer.calls[0], ToolCall)
    assert [call.arguments.members()["path"] for call in files.called] == [path] * permitted
    assert ("all is well" in answer.text) == permitted
    assert ("not permitted" in answer.text) != permitted


@criterion("STORY-042.4")
def test_an_answer_is_shown_while_it_comes(tmp_path: Path, service: ModelServer) -> None:
    slowly = service.at("interval=100", tag="slowly")
    with installed(tmp_path, settings(slowly), OPENAI_API_KEY="sk-any") as shell:
        shell.deploy(agent("greeter", "gpt-4o"))
        with shell.events("greeter", "one two three four five six") as events:
            seen = [(time.monotonic(), event) for event in events]
    deltas = [(at, event) for at, event in seen if event.name == "delta"]
    assert "".join(json.loads(event.text)["text"] for _, event in deltas) == (
        "one two three four five six"
    )
    assert deltas[-1][0] - deltas[0][0] > 0.3
    assert seen[-1][1].name == "message"


@criterion("STORY-042.5")
def test_beyond_a_limit_nothing_is_sent_to_the_service(
    tmp_path: Path, service: ModelServer
) -> None:
    counted = service.at(tag="counted")
    limit = "requests_per_minute = 2\n"
    with installed(tmp_path, settings(counted, limit), OPENAI_API_KEY="sk-any") as shell:
        shell.deploy(agent("greeter", "gpt-4o"))
        for _ in range(2):
            assert said(shell, "greeter", "Hello")["text"] == "Hello"
        refused = shell.run("send", "greeter", "Hello", "--json")
    assert refused.code == 1
    assert "CX5020" in refused.err
    assert service.stats(counted).calls == 2


@criterion("STORY-042.D2")
def test_a_call_takes_the_services_time_and_less_than_a_tenth_of_a_second(
    tmp_path: Path, service: ModelServer
) -> None:
    late = service.at("latency=200")
    with installed(tmp_path, settings(late), OPENAI_API_KEY="sk-any") as shell:
        shell.deploy(agent("greeter", "gpt-4o"))
        took: list[float] = []
        while len(took) < ROUNDS and min(took, default=1.0) >= 0.3:
            began = time.monotonic()
            assert shell.asked("POST", "/agents/greeter/message", ASKED).status == 200
            took.append(time.monotonic() - began)
    # The best of many: what else runs on the machine is not the price of a call.
    assert 0.2 <= min(took) < 0.3
