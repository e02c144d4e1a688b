"""STORY-004: an agent's configuration is parsed and validated from TOML."""

import re
from time import perf_counter
from typing import Final

import pytest
from returns.result import Failure, Success

from caxton_core.agent.config import AgentConfig
from caxton_core.agent.toml import read_agent
from caxton_core.primitives import AgentName, SystemPrompt
from caxton_core.reading.describing import entries
from caxton_core.reading.report import Report, human
from tests.acceptance.criteria import criterion
from tests.core.agent.test_mutations import VALID
from tests.generate_reference import REFERENCE

SMALLEST: Final = 'name = "greeter"\nsystem_prompt = "You greet people."\n'
TOO_LONG_MS: Final = 10


def failed(text: str) -> Report:
    answer = read_agent(text)
    assert isinstance(answer, Failure)
    return answer.failure()


def codes(report: Report) -> list[str]:
    return [each.problem.what.code for each in report.errors]


@criterion("STORY-004.1")
@pytest.mark.parametrize("text", [SMALLEST, VALID, VALID.replace("\n", "\r\n"), f"\ufeff{VALID}"])
def test_valid_files_parse_without_errors(text: str) -> None:
    assert isinstance(read_agent(text), Success)


@criterion("STORY-004.2")
@pytest.mark.parametrize("key", ["name", "system_prompt"])
def test_required_fields_are_enforced(key: str) -> None:
    report = failed("\n".join(line for line in SMALLEST.splitlines() if not line.startswith(key)))
    assert codes(report) == ["CX1003"]
    assert f"`{key}` is missing" in human(report)


@criterion("STORY-004.2")
@pytest.mark.parametrize("key", ["name", "system_prompt"])
def test_required_fields_may_not_be_blank(key: str) -> None:
    assert codes(failed(re.sub(rf'{key} = ".*"', f'{key} = "  "', SMALLEST))) == ["CX1101"]


@criterion("STORY-004.3")
def test_optional_fields_have_documented_default_values() -> None:
    read = read_agent(SMALLEST)
    assert isinstance(read, Success)
    smallest = AgentConfig(AgentName("greeter"), SystemPrompt("You greet people."))
    assert read.unwrap().config == smallest
    reference = (REFERENCE / "agent-file.md").read_text("utf-8")
    for entry in entries(AgentConfig):
        if entry.type != "table":
            assert f"| `{entry.at[-1]}` | {entry.type} | {entry.default} |" in reference


@criterion("STORY-004.4")
def test_syntax_errors_have_their_line_and_say_what_is_wrong() -> None:
    report = failed(f"{SMALLEST}[llm]\nmodel = oops\n")
    (error,) = report.errors
    assert (error.range.line, error.range.column) == (4, 9)
    assert "--> agent.toml:4:9" in human(report)
    assert "Invalid value" in human(report)


@criterion("STORY-004.4")
def test_semantic_errors_have_their_lines_all_at_once() -> None:
    report = failed(f"{SMALLEST}[llm]\ntemperature = 3\nsedd = 4\n[memory]\nenabled = 1\n")
    places = [(each.problem.what.code, each.range.line) for each in report.errors]
    assert places == [("CX1103", 4), ("CX1002", 5), ("CX1004", 7)]


INVALID: Final = {
    '[resources]\nisolation = "task"\nmax_memory = "128MB"': "CX1204",
    "[resources]\nisolation = 'task'\nmax_cpu = 0.5": "CX1204",
    "[budget]\ntokens_per_turn = 200\ntokens_per_day = 100": "CX1206",
    "[llm]\nmax_tokens = 200\n[budget]\ntokens_per_turn = 100": "CX1209",
    "[llm]\nmax_tokens = 4000": "CX1207",
    'user_prompt_template = "{{who}}: {{request}}"': "CX1201",
    '[parameters]\nrequest = "x"': "CX1203",
}


@criterion("STORY-004.5")
@pytest.mark.parametrize(("fragment", "code"), INVALID.items())
def test_invalid_combinations_of_fields_are_refused(fragment: str, code: str) -> None:
    assert codes(failed(f"{SMALLEST}{fragment}\n")) == [code]


@criterion("STORY-004.6")
def test_multi_line_prompts_keep_their_formatting() -> None:
    prompt = '  # Title\n\n\t- one\n\t- two  \n\n    code = "{x}"\n'
    for quotes in ('"""', "'''"):
        read = read_agent(f'name = "a"\nsystem_prompt = {quotes}\n{prompt}{quotes}\n')
        assert isinstance(read, Success)
        assert read.unwrap().config.system_prompt.value == prompt


@criterion("STORY-004.D1")
def test_an_invalid_file_is_answered_with_what_to_do() -> None:
    shown = human(failed('name = "My Greeter"\nsystem_promt = "You greet people."\n'))
    assert "my-greeter" in shown
    assert "Did you mean `system_prompt`?" in shown
    assert shown.count("= help: ") == shown.count("= why: ") == shown.count("-->")


@criterion("STORY-004.D2")
def test_a_typical_file_is_read_within_ten_milliseconds() -> None:
    assert quickest(VALID) < TOO_LONG_MS


def quickest(text: str) -> float:
    """The shortest of many readings, in milliseconds: what the work costs on a quiet machine."""
    times = []
    for _ in range(50):
        since = perf_counter()
        read_agent(text)
        times.append(perf_counter() - since)
    return 1000 * min(times)


@criterion("STORY-004.D3")
def test_the_reference_names_every_key() -> None:
    reference = (REFERENCE / "agent-file.md").read_text("utf-8")
    for entry in entries(AgentConfig):
        path = ".".join(map(str, entry.at))
        assert f"| `{entry.at[-1]}` |" in reference or f"## [{path}]" in reference
