"""A report shows the source with a caret, and tells a program the same facts."""

import json
from itertools import pairwise
from textwrap import dedent

from hypothesis import given, settings
from hypothesis import strategies as st
from returns.result import Failure

from caxton_core.agent.toml import read_agent
from caxton_core.reading.credentials import masked
from caxton_core.reading.report import Report, human, machine

CANARY = "sk-proj-Canary0123456789abcdefghijkl"


def reported(text: str) -> Report:
    answer = read_agent(dedent(text))
    return answer.failure() if isinstance(answer, Failure) else answer.unwrap().warnings


WRONG = """\
    name = "My Agent"
    capabilities = ["greeting"]
    system_prompt = "x"

    [llm]
    temprature = 0.5
    """


def test_a_person_sees_the_line_the_caret_the_reason_and_the_help() -> None:
    assert human(reported(WRONG)) == dedent("""\
        error[CX1102]: `My Agent` is not an agent name
         --> agent.toml:1:8
          |
        1 | name = "My Agent"
          |        ^^^^^^^^^^ malformed text
          = why: Other parts rely on the form: names become paths and addresses, durations \
deadlines.
          = help: The form is: lower-case letters and digits in words joined by single hyphens, \
a letter first. Perhaps: my-agent

        error[CX1002]: `temprature` is not a key of [llm]
         --> agent.toml:6:1
          |
        6 | temprature = 0.5
          | ^^^^^^^^^^ unknown key
          = why: A mistyped key that was ignored would leave the default in force without a word.
          = help: Did you mean `temperature`?

        2 errors in agent.toml
        """)


def test_a_program_gets_the_same_facts() -> None:
    report = reported(WRONG)
    shown = human(report)
    for each in json.loads(json.dumps(machine(report))):
        start = each["range"]["start"]
        assert f"{each['severity']}[{each['code']}]: {each['message']}" in shown
        assert f"--> agent.toml:{start['line']}:{start['column']}" in shown
        assert f"= why: {each['why']}" in shown
        assert f"= help: {each['help']}" in shown
        assert each["docs"] == f"reference/errors.md#{each['code'].lower()}"


def test_the_range_covers_the_very_words() -> None:
    text = 'name = "a"\nsystem_prompt = "b"\nuser_prompt_template = "Hé {{request}} {{who}}"\n'
    (error,) = reported(text).errors
    line = text.splitlines()[error.range.line - 1]
    assert line[error.range.column - 1 : error.range.end_column - 1] == "who"


def test_windows_line_ends_change_no_place() -> None:
    assert machine(reported(dedent(WRONG).replace("\n", "\r\n"))) == machine(reported(WRONG))


def test_a_byte_order_mark_changes_no_place() -> None:
    assert machine(reported("\ufeff" + dedent(WRONG))) == machine(reported(WRONG))


def test_tabs_keep_the_caret_below_the_value() -> None:
    lines = human(reported('name = "a"\nsystem_prompt = "b"\nversion =\t17')).splitlines()
    source, caret = next((a, b) for a, b in pairwise(lines) if "^^ wrong" in b)
    assert source[caret.index("^") :].startswith("17")


def test_a_secret_is_never_shown() -> None:
    report = reported(f"""\
        name = "{CANARY}"
        system_prompt = "Use {CANARY}."
        llm_provider = "{CANARY}"
        api_key = "{CANARY}"
        [llm]
        model = "{CANARY}"
        temperature = "{CANARY}"
        [metadata]
        "{CANARY}" = ["{CANARY}"]
        """)
    assert {"CX1205"} <= {each.problem.what.code for each in report.errors}
    assert CANARY not in human(report)
    assert CANARY not in json.dumps(machine(report))


def test_a_secret_in_a_broken_file_is_never_shown() -> None:
    report = reported(f'api_key = "{CANARY}" oops')
    assert CANARY not in human(report) + json.dumps(machine(report))


@given(st.text())
@settings(max_examples=50)
def test_masking_changes_no_length(text: str) -> None:
    for written in (text, f"{text} {CANARY}", f'token = "{text}"'):
        assert len(masked(written)) == len(written)


def test_control_characters_do_not_reach_the_terminal() -> None:
    shown = human(reported('name = "\\u001b[31m"\nsystem_prompt = "\\u001b"\n"\\u001b[2J" = 1'))
    assert "\x1b" not in shown
