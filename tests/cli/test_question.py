"""What the person of another program is asked: nothing hides behind anything else."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caxton_cli.question import LONGEST, MOST, Question, question_of


def asked(arguments: object) -> Question:
    return question_of(
        {"id": "appr_1", "agent": "clerk", "tool": "files.write", "arguments": arguments}
    )


def choices(question: Question) -> list[str]:
    found: list[str] = question.schema["properties"]["decision"]["enum"]
    return found


def test_a_call_is_shown_with_each_of_its_arguments() -> None:
    question = asked({"path": "/srv/a", "lines": [1, 2], "deep": {"a": None}})
    assert question.text.splitlines() == [
        "clerk wants to call files.write",
        'path: "/srv/a"',
        "lines: [1, 2]",
        'deep: {"a": null}',
    ]
    assert choices(question) == ["approve", "deny"]
    assert asked(None).text == "clerk wants to call files.write"


def test_a_long_argument_hides_no_other_and_says_how_long_it_is() -> None:
    question = asked({"a_note": "x" * 2_100, "path": "/etc/passwd"})
    _, note, path = question.text.splitlines()
    assert note.endswith("… (2,100 characters)")
    assert path == 'path: "/etc/passwd"'
    assert question.whole


@pytest.mark.parametrize(
    "arguments",
    [
        {f"argument-{n}": n for n in range(MOST + 1)},
        {"options": {"note": "x" * 2_100, "path": "/etc/passwd"}},
        {"x" * 2_100: "/etc/passwd"},
    ],
)
def test_what_is_not_shown_cannot_be_agreed_to(arguments: dict[str, object]) -> None:
    question = asked(arguments)
    assert choices(question) == ["deny"]
    assert "Not all of it is shown: see it with caxton approvals show appr_1" in question.text
    more = "1 more arguments are not shown" in question.text
    assert more == (len(arguments) > MOST)


@given(st.dictionaries(st.text(), st.recursive(st.text() | st.integers(), st.lists)))
def test_whatever_is_asked_is_short_and_each_argument_has_its_line(
    arguments: dict[str, Any],
) -> None:
    lines = asked(arguments).text.split("\n")
    assert len(lines) >= min(len(arguments), MOST) + 1
    assert all(line.isprintable() for line in lines)
    assert all(len(line) < 7 * LONGEST for line in lines)
