"""Globs are read as they are compared with texts; two meet where some text fits both."""

from fnmatch import fnmatchcase

from hypothesis import example, given
from hypothesis import strategies as st

from caxton_core.primitives.wildcards import begins_openly, may_meet, shortest

texts = st.text("12.-!", max_size=6)
globs = st.text("12.-!*?[]", max_size=8)


@given(texts, globs)
@example("1", "[!2]")
@example("[]", "[]")
@example("[!]", "[!]")
@example("]", "[]]")
def test_a_text_meets_a_glob_that_it_fits_and_no_other(text: str, glob: str) -> None:
    assert may_meet(text, glob) == fnmatchcase(text, glob)


@given(texts, globs, globs)
def test_globs_that_a_text_fits_meet(text: str, one: str, other: str) -> None:
    if fnmatchcase(text, one) and fnmatchcase(text, other):
        assert may_meet(one, other)
        assert may_meet(other, one)


def test_globs_that_no_text_fits_do_not_meet() -> None:
    assert not may_meet("a*b", "*c")
    assert not may_meet("a?", "a")
    assert not may_meet("[ab]*", "c*")


@given(st.text(max_size=8), st.text(max_size=8))
def test_what_meets_is_the_same_for_both(one: str, other: str) -> None:
    assert may_meet(one, other) == may_meet(other, one)


def test_letter_case_and_code_points_make_no_difference() -> None:
    assert may_meet(".SS[H]", ".ssh")
    assert may_meet(".\uff33\uff33\uff28", ".ssh")
    assert may_meet("re\u0301sume\u0301*", "R\u00c9SUM\u00c9.md")


@given(globs)
def test_the_shortest_texts_of_a_glob_fit_it(glob: str) -> None:
    assert may_meet(shortest(glob), glob)


def test_a_glob_begins_openly_or_with_a_letter() -> None:
    assert begins_openly("*a")
    assert begins_openly("[ab]c")
    assert not begins_openly("[a]b*")
    assert not begins_openly("")
