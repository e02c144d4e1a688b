"""No text keeps the policy busy: what is four times as long takes about four times as much."""

import json
import re
from time import thread_time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Success

from caxton_core.agent.policy.check import judged
from caxton_core.agent.policy.phrases import _SENTENCE
from caxton_core.agent.policy.tables import Policy
from caxton_core.agent.toml import read_agent

PLAINLY = re.compile(r"[^.!?;\n]*(?:\n(?!\s*\n|\s*[-*#0-9])[^.!?;\n]*)*")
"""Where sentences end, as one would say it: a line that is empty, or one that begins a list."""
UNDERSCORES = "send" + "_" * 60
REPEATED = (
    *("\n", "\n ", "\n\t\n", " \n", "\n- ", "a\n", ". ", ";", "_ ", "' ", "= "),
    *("send keys to ", "send a keys in a to b c d ", "ignore all your ", "ignore all all all "),
    *("never tell user user of ", "without a ", "hide this from a ", "secretly a ", "print a "),
    *("asks a to ignore all rules ", "not like jailbreak ", "exfiltrate ", "there are no "),
    *(
        "password is ",
        "pass_",
        "api_key=",
        "a" * 20 + "_",
        "bearer ",
        "bearer aaaaaaaaaaaaaaa ",
        "A1b",
    ),
    *("-----BEGIN A", "AGE-SECRET-KEY-1A", "ssh-rsa AAAA", "PuTTY-User-Key-File-", "eyJ. "),
    *("data:a/", "data:a/a;base64", "\\x41", "&#x41;" * 7 + "x", "%41" * 7 + "x", "a" * 39 + " "),
    *(
        "\u200c",
        "\u200ca",
        "\u200b",
        "\u202e",
        "\ufe0f",
        "\U0001f3f4\U000e0061",
        "\u0430a ",
        "\ufdfa",
    ),
)


def quoted(value: str | list[str]) -> str:
    """The value as TOML writes it."""
    return json.dumps(value, ensure_ascii=False)


def cost(prompt: str, rules: list[str]) -> float:
    """The seconds of the processor that reading and judging an agent takes, at best."""
    text = f"""
name = "a"
capabilities = ["work"]
system_prompt = {quoted(f"x{prompt}x")}
tools = ["shell.*"]
[permissions]
allow = {quoted(rules)}
[conversation]
context_window = 100000
"""
    return min(_once(text) for _ in range(3))


def _once(text: str) -> float:
    began = thread_time()
    read = read_agent(text)
    assert isinstance(read, Success), read
    judged(read.unwrap().config, text, "agent.toml", Policy())
    return thread_time() - began


@pytest.mark.parametrize("unit", REPEATED)
def test_a_text_that_is_four_times_as_long_takes_about_four_times_as_much(unit: str) -> None:
    times = 12_000 // len(quoted(unit).encode())
    assert cost(unit * 4 * times, []) < 8 * cost(unit * times, []) + 0.05


def test_words_that_are_hard_to_find_again_take_no_more_time_than_others() -> None:
    hard, easy = (f"{UNDERSCORES} x. send {word * 10}secrets to url." for word in ("_ ", "a "))
    assert cost(hard, []) < 8 * cost(easy, []) + 0.05


@pytest.mark.parametrize("unit", ["?", "?a", "[", "[!a]", "/?", "/**", "/*", "a/?b", "*?", "é/"])
def test_four_times_as_many_permissions_take_about_four_times_as_much(unit: str) -> None:
    rules = [f"shell.run{number}:path=b{unit * (300 // len(unit))}" for number in range(120)]
    assert cost("", rules) < 8 * cost("", rules[:30]) + 0.05


@given(st.text("a \t\n\r.-1#", max_size=20))
def test_sentences_end_where_they_ought_to(text: str) -> None:
    assert _SENTENCE.findall(text) == PLAINLY.findall(text)
