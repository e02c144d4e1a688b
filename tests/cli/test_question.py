"""What a person is asked, here or in another program: nothing hides behind anything else."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caxton_cli.laying_out import FURTHER, rows_of
from caxton_cli.question import ALTOGETHER, LONGEST, MOST, Question, question_of


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
    _, note, path, _ = question.text.splitlines()
    assert note.endswith("… (2,100 characters)")
    assert path == 'path: "/etc/passwd"'


def test_blanks_are_counted_and_a_name_does_not_pass_for_words_of_ours() -> None:
    question = asked({"text": f"tea{' ' * 700}", "clerk wants to call clock.now": "UTC"})
    assert question.text.splitlines()[1:] == [
        'text: "tea (700 blanks) "',
        '"clerk wants to call clock.now": "UTC"',
    ]
    assert question.whole


def test_what_a_screen_has_no_room_for_is_not_shown_and_cannot_be_agreed_to() -> None:
    question = asked({f"note{n}": "ab " * 300 for n in range(4)})
    assert question.whole
    cut = question.on_screen(80, 24)
    first, *rest, left_out, elsewhere = cut.text.splitlines()
    assert (first, cut.whole) == ("clerk wants to call files.write", False)
    assert len(rest) + 6 == 24
    assert left_out.endswith("more lines")
    assert elsewhere.endswith("caxton approvals show appr_1")
    assert question.on_screen(80, 60).whole


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), st.integers(20, 100))
def test_no_row_begins_where_lines_begin(text: str, columns: int) -> None:
    lines = text.split("\n")
    rows = rows_of(text, columns)
    assert "".join(row.removeprefix(FURTHER) for row in rows) == "".join(lines)
    assert sum(not row.startswith(FURTHER) for row in rows) <= len(lines)
    assert all(len(row) <= columns for row in rows)


@pytest.mark.parametrize(
    "arguments",
    [
        {f"argument-{n}": n for n in range(MOST + 1)},
        {"options": {"note": "x" * 2_100, "path": "/etc/passwd"}},
        {"x" * 2_100: "/etc/passwd"},
        {"command": f"echo {'x' * 2_100}; rm -r /"},
        {f"argument-{n}": "x" * (LONGEST - 2) for n in range(ALTOGETHER // LONGEST)},
    ],
)
def test_what_is_not_shown_cannot_be_agreed_to(arguments: dict[str, object]) -> None:
    question = asked(arguments)
    assert choices(question) == ["deny"]
    assert "Not all of it is shown; see: caxton approvals show appr_1" in question.text
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
