"""Every mutation of a valid file is reported at its line, and a typo is answered with the key."""

import re
from collections.abc import Iterator
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Failure, Success

from caxton_core.agent.config import AgentConfig
from caxton_core.agent.toml import read_agent
from caxton_core.problems import MisplacedKey, MissingKey, NotYet, UnknownKey
from caxton_core.reading.layout import tables
from caxton_core.reading.report import Placed

VALID: Final = """\
name = "data-analyst"
version = "1.2.0"
description = "Answers questions about tables."
capabilities = ["data-analysis", "reporting"]
tools = ["files.read"]
llm_provider = "openai"
user_prompt_template = "Answer in {{language}}: {{request}}"
documentation = "# Analyst"
system_prompt = "You analyse tables."

[llm]
model = "gpt-4o-mini"
temperature = 0.2
max_tokens = 800
frequency_penalty = 0.5
presence_penalty = 0.5
seed = 42
stop = ["END"]
timeout = "45s"
fallback = [{ provider = "ollama", model = "llama3.2" }]

[memory]
enabled = true
scope = "agent"
auto_store = true
recall_limit = 8
min_similarity = 0.5
max_entries = 100
retention = "90d"

[conversation]
max_turns = 30
idle_timeout = "12h"
context_window = 8000
strategy = "sliding"
persist = true

[permissions]
allow = ["files.read"]
ask = ["files.read:path=/x"]
deny = ["files.read:path=/etc/*"]

[resources]
isolation = "process"
max_memory = "256MB"
max_cpu = 0.5
max_concurrent_turns = 4
mailbox = 100
turn_timeout = "90s"
tool_timeout = "20s"
max_tool_rounds = 8

[budget]
tokens_per_turn = 20000
tokens_per_day = 200000
cost_per_day = 2.5

[routing]
priority = 60
weight = 2.0

[parameters]
language = "English"
"""
LINES: Final = tuple(VALID.splitlines())
WRONG_TYPE: Final = "1979-05-27"
OUT_OF_RANGE: Final = {
    "temperature": "2.5",
    "max_tokens": "0",
    "frequency_penalty": "-3",
    "presence_penalty": "nan",
    "timeout": '"0s"',
    "recall_limit": "0",
    "min_similarity": "1.5",
    "max_entries": "-1",
    "retention": '"99999999d"',
    "max_turns": "0",
    "idle_timeout": '"0h"',
    "context_window": "-4000",
    "max_memory": '"0MB"',
    "max_cpu": "0",
    "max_concurrent_turns": "0",
    "mailbox": "10000000",
    "turn_timeout": '"0ms"',
    "tool_timeout": '"0d"',
    "max_tool_rounds": "0",
    "tokens_per_turn": "0",
    "tokens_per_day": "inf",
    "cost_per_day": "-1",
    "priority": "1001",
    "weight": "0",
}


def keys() -> Iterator[tuple[int, str, str]]:
    """The number of each line with a key, its table and the key."""
    table = ""
    for number, line in enumerate(LINES, 1):
        header = re.fullmatch(r"\[(\w+)\]", line)
        table = header[1] if header else table
        pair = re.match(r"(\w+) = ", line)
        if pair and table != "parameters":
            yield number, table, pair[1]


KEYS: Final = tuple(keys())


def test_the_file_is_valid() -> None:
    answer = read_agent(VALID)
    assert isinstance(answer, Success)
    told = {each.problem.what.code for each in answer.unwrap().warnings.placed}
    assert told == {NotYet.code}


def test_the_file_has_every_kind_of_key() -> None:
    wanted = {key for path, names in tables(AgentConfig).items() if path for key in names}
    left_out = {"top_p"}
    assert wanted - {key for _, _, key in KEYS} == left_out


def with_line(number: int, line: str) -> str:
    """The file with another line in place of one."""
    return "\n".join((*LINES[: number - 1], line, *LINES[number:]))


def found_at(text: str, number: int) -> tuple[Placed, ...]:
    """The errors of the text that are reported at the line."""
    answer = read_agent(text)
    assert isinstance(answer, Failure)
    return tuple(each for each in answer.failure().errors if each.range.line == number)


@st.composite
def typos(draw: st.DrawFn) -> tuple[int, str, str]:
    """A line, its key, and the key with one letter lost, added, changed or two swapped."""
    number, _, key = draw(st.sampled_from(KEYS))
    at = draw(st.integers(0, len(key) - 1))
    letter = draw(st.sampled_from("abcdefghijklmnopqrstuvwxyz"))
    swapped = key[:at] + key[at + 1 : at + 2] + key[at] + key[at + 2 :]
    changes = (key[:at] + key[at + 1 :], key[:at] + letter + key[at:])
    changed = key[:at] + letter + key[at + 1 :]
    return number, key, draw(st.sampled_from((*changes, changed, swapped)))


@given(typos())
def test_a_typo_is_reported_at_its_line_with_the_key_that_was_meant(
    typo: tuple[int, str, str],
) -> None:
    number, key, written = typo
    if written in {key, ""}:
        return
    found = found_at(with_line(number, LINES[number - 1].replace(key, written, 1)), number)
    unknown = [each.problem.what for each in found]
    assert [what.suggestion for what in unknown if isinstance(what, UnknownKey)] == [key]


@pytest.mark.parametrize(("number", "table", "key"), KEYS)
def test_a_wrong_type_is_reported_at_its_line(number: int, table: str, key: str) -> None:
    found = found_at(with_line(number, f"{key} = {WRONG_TYPE}"), number)
    assert [each.problem.what.code for each in found] == ["CX1004"], table


@pytest.mark.parametrize(("number", "table", "key"), [k for k in KEYS if k[2] in OUT_OF_RANGE])
def test_a_value_out_of_range_is_reported_at_its_line(number: int, table: str, key: str) -> None:
    found = found_at(with_line(number, f"{key} = {OUT_OF_RANGE[key]}"), number)
    codes = {each.problem.what.code for each in found}
    assert len(found) == 1
    assert codes <= {"CX1103", "CX1004", "CX1102"}, table


@pytest.mark.parametrize("key", ["name", "system_prompt"])
def test_a_missing_key_is_reported_at_the_top(key: str) -> None:
    text = re.sub(rf"(?m)^{key} = .*\n", "", VALID, count=1)
    (found,) = found_at(text, 1)
    assert isinstance(found.problem.what, MissingKey)
    assert found.problem.what.key == key


def test_a_missing_key_of_a_list_item_is_reported_at_the_item() -> None:
    number = next(n for n, _, key in KEYS if key == "fallback")
    (found,) = found_at(with_line(number, 'fallback = [{ model = "llama3.2" }]'), number)
    assert isinstance(found.problem.what, MissingKey)


HEADERS: Final = tuple(re.findall(r"(?m)^\[(\w+)\]$", VALID))
MOVABLE: Final = [key for key in KEYS if not key[1]]


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize(("number", "table", "key"), MOVABLE)
def test_a_top_level_key_below_a_header_is_recognised_at_its_line(
    header: str, number: int, table: str, key: str
) -> None:
    if header == "parameters" and key in {"version", "description"}:
        return
    moved = [line for at, line in enumerate(LINES, 1) if at != number]
    place = moved.index(f"[{header}]") + 1
    text = "\n".join((*moved[:place], LINES[number - 1], *moved[place:]))
    found = [each.problem.what for each in found_at(text, place + 1)]
    assert found == [MisplacedKey(key, f"[{header}]", "the top level")], table


@pytest.mark.parametrize("header", [header for header in HEADERS if header != "parameters"])
@given(st.data())
def test_a_key_of_another_table_is_recognised_at_its_line(header: str, data: st.DataObject) -> None:
    own = tables(AgentConfig)[(header,)]
    foreign = [key for key in KEYS if key[1] and key[2] not in own]
    number, table, _ = data.draw(st.sampled_from(foreign))
    place = LINES.index(f"[{header}]") + 1
    text = "\n".join((*LINES[:place], LINES[number - 1], *LINES[place:]))
    (what,) = [each.problem.what for each in found_at(text, place + 1)]
    assert isinstance(what, MisplacedKey)
    assert (what.table, what.home) == (f"[{header}]", f"[{table}]")


def test_what_slid_below_a_header_is_judged_as_if_it_had_not() -> None:
    text = """\
name = "a"

[routing]
priority = 60
system_prompt = "  "
capabilities = ["data_analysis"]
user_prompt_template = "{{request}} {{wh}}"

[parameters]
who = "you"
documentation = 3
"""
    answer = read_agent(text)
    assert isinstance(answer, Failure)
    found = [(each.problem.what.code, each.range.line) for each in answer.failure().placed]
    assert found == [
        ("CX1005", 5),
        ("CX1101", 5),
        ("CX1005", 6),
        ("CX1302", 6),
        ("CX1005", 7),
        ("CX1201", 7),
        ("CX1305", 10),
        ("CX1005", 11),
        ("CX1004", 11),
    ]
