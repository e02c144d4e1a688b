"""STORY-041 as its user meets it: a server with every kind of provider, and one agent file."""

import json
from collections.abc import Iterator

import pytest

from tests.acceptance.criteria import criterion
from tests.acceptance.installation import Installation, installed, said
from tests.model_server import ModelServer, model_server
from tests.weights import small_weights

GREETER = """
name = "greeter"
system_prompt = "You greet people warmly and briefly."
llm_provider = "lean"

[llm]
temperature = 0.0
max_tokens = 24
"""
TROUBLES = {
    "CX5001": "fault=drop",
    "CX5004": "key=another",
    "CX5007": "status=429",
    "CX5009": "context=1",
    "CX5012": "status=500",
    "CX5014": "fault=cut",
    "CX5015": "fault=garbage",
    "CX5016": "fault=empty",
}
SCRIPT = """
[[rules]]
contains = "{text}"
fail = "{fail}"
"""
SCRIPTED = {
    "CX5001": "unreachable",
    "CX5004": "not_authenticated",
    "CX5007": "rate_limited",
    "CX5009": "context_too_long",
    "CX5012": "service_fault",
    "CX5014": "answer_cut",
    "CX5015": "answer_malformed",
    "CX5016": "answer_empty",
}


@pytest.fixture(scope="module")
def service() -> Iterator[ModelServer]:
    with model_server() as running:
        yield running


def wire(name: str, address: str, transport: str) -> str:
    return (
        f'[providers.{name}]\nkind = "openai-compatible"\nbase_url = "{address}"\nmodel = "echo"\n'
        f'api_key = "right"\nretries = 0\ntransport = "{transport}"\n'
    )


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, service: ModelServer
) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("served")
    (folder / "scenario.toml").write_text('[[rules]]\nanswer = "Hello, {{request}}!"\n')
    rules = (SCRIPT.format(text=code, fail=fail) for code, fail in SCRIPTED.items())
    (folder / "failing.toml").write_text("".join(rules))
    settings = [
        '[providers.play]\nkind = "scripted"\nscenario = "scenario.toml"\n',
        '[providers.fail]\nkind = "scripted"\nscenario = "failing.toml"\nretries = 0\n',
        f'[providers.here]\nkind = "local"\nmodel_path = {json.dumps(str(small_weights()))}\n',
    ]
    for transport in ("lean", "sdk"):
        settings.append(wire(transport, service.at("key=right"), transport))
        settings += [
            wire(f"{transport}-{code.lower()}", service.at(options, tag=transport), transport)
            for code, options in TROUBLES.items()
        ]
    with installed(folder, "".join(settings)) as running:
        running.deploy(GREETER)
        yield running


@criterion("STORY-041.2", "STORY-041.3", "STORY-041.D1")
@pytest.mark.parametrize("provider", ["lean", "sdk", "play", "here"])
def test_one_line_of_the_file_chooses_who_answers(server: Installation, provider: str) -> None:
    server.deploy(GREETER.replace('"lean"', f'"{provider}"'))
    first = said(server, "greeter", "I am Ada.")
    assert first["text"].strip()
    assert first["finish_reason"] in ("stop", "length")
    assert first["usage"]["completion_tokens"] > 0
    second = said(server, "greeter", "And you?", "--conversation", first["conversation_id"])
    assert second["usage"]["prompt_tokens"] > first["usage"]["prompt_tokens"]
    with server.events("greeter", "Tell me more.") as events:
        streamed = list(events)
    pieces = [json.loads(event.text)["text"] for event in streamed if event.name == "delta"]
    assert "".join(pieces) == json.loads(streamed[-1].text)["text"]


@criterion("STORY-041.4", "STORY-041.6")
def test_the_server_tells_what_each_provider_can_do_and_who_is_well(server: Installation) -> None:
    listed = json.loads(server.run("providers", "--json").out)["providers"]
    found = {provider["name"]: provider for provider in listed}
    assert [found[name]["healthy"] for name in ("lean", "sdk", "play", "here")] == [True] * 4
    assert found["lean"]["capabilities"] == found["sdk"]["capabilities"]
    assert found["here"]["capabilities"]["tools"] == "emulated"
    assert found["here"]["capabilities"]["context_length"] == 8192
    for transport in ("lean", "sdk"):
        locked = found[f"{transport}-cx5004"]
        assert (locked["healthy"], locked["problem"]["code"]) == (False, "CX5004")


@criterion("STORY-041.5")
@pytest.mark.parametrize("code", TROUBLES)
def test_every_provider_fails_in_the_same_words(server: Installation, code: str) -> None:
    answers = []
    for provider in (f"lean-{code.lower()}", f"sdk-{code.lower()}", "fail"):
        server.deploy(GREETER.replace('"lean"', f'"{provider}"'))
        text = f"{code} and some more words than fit"
        answer = server.asked("POST", "/agents/greeter/message", {"text": text})
        told = answer.document
        answers.append((answer.status, told["code"], told["title"], sorted(told)))
    assert answers[0][1] == code
    assert answers == [answers[0]] * 3
