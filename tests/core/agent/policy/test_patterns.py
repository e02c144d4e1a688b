"""An operator's patterns find what regular expressions find, in a time that cannot run away."""

import re
from random import Random
from time import thread_time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Failure, Success

from caxton_core.agent.policy.patterns import TextPattern, _machine

SHARED = (
    "codename (blue|red)",
    "ab{2,3}c",
    "a+b*c?",
    "(ab|a)+x",
    "x{0,2}y",
    "[^a-z]5",
    r"\d{3}-\d{2}",
    "a{3,}z",
    "(a|b|ab)*c",
    "(?:a?b){2}c",
    "a{0}b",
    "((a|b)c){1,2}a",
    r"a\.b",
    ".x",
)
REFUSED = (
    "",
    "a*",
    "(a",
    "a)",
    "[a",
    "a{200}",
    "(a)\\1",
    "(?=a)a",
    "^a",
    "a$",
    "\\bx",
    "a**",
    "()x",
)
COSTLY = ("(a+)+b", "(a|a)*b", "(a|aa)+c", "a*a*a*a*b", "(.*)(.*)(.*)=x", "(a?){50}a{50}b")


@pytest.mark.parametrize("pattern", SHARED)
@given(text=st.text("abcxyz15-. ", max_size=12))
def test_a_pattern_finds_what_an_expression_finds_at_the_same_end(pattern: str, text: str) -> None:
    machine = _machine(pattern)
    assert machine is not None
    ends = (
        end
        for end in range(len(text) + 1)
        if any(re.fullmatch(pattern, text[start:end]) for start in range(end + 1))
    )
    assert machine.end_in(text) == next(ends, None)


@pytest.mark.parametrize("pattern", REFUSED)
def test_what_a_machine_cannot_do_or_what_fits_everything_is_refused(pattern: str) -> None:
    assert isinstance(TextPattern.parse(pattern), Failure)


@given(st.text(max_size=40) | st.text("ab[](){}*+?|\\.-^$0,1", max_size=40))
def test_reading_a_pattern_answers_whatever_it_is(text: str) -> None:
    read = TextPattern.parse(text)
    if isinstance(read, Success):
        read.unwrap().words_in("abab 0-1")


@pytest.mark.parametrize("pattern", COSTLY)
def test_no_pattern_runs_away_on_any_text(pattern: str) -> None:
    read = TextPattern.parse(pattern)
    assert isinstance(read, Success)
    began = thread_time()
    read.unwrap().words_in("a" * 65_536)
    assert thread_time() - began < 5


def test_a_text_that_takes_too_many_steps_counts_as_found() -> None:
    pattern = TextPattern("a(a|b){90}c")
    restless = "".join(Random(1).choices("ab", k=65_536))
    began = thread_time()
    assert pattern.words_in(restless) is not None
    assert thread_time() - began < 5
    assert pattern.words_in("ab" * 100) is None


def test_upper_and_lower_case_are_the_same() -> None:
    assert TextPattern("project bluebird").words_in("About PROJECT Bluebird.") == (
        "About PROJECT Bluebird"
    )


def test_what_is_found_is_shown_within_its_line() -> None:
    assert TextPattern("x+y").words_in("a\nb xxxy z") == "b xxxy"
