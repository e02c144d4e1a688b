"""The reader that types the pages' commands notices what a person would."""

import pytest

from tests.docs.shell import Shell, Typed, agrees, typed_in


def test_a_block_is_commands_and_what_they_print() -> None:
    block = "$ one \\\n> two\nprinted\n\nmore\n$ three\n"
    assert list(typed_in(block)) == [Typed("one \\\ntwo", "printed\n\nmore"), Typed("three", None)]


@pytest.mark.parametrize(
    ("written", "printed", "agree"),
    [
        ("pid 1", "pid 1\n", True),
        ("pid ...", "pid 17", True),
        ("first\n...\nlast", "first\na\nb\nlast", True),
        ("pid 1", "pid 17", False),
        ("a.c", "abc", False),
    ],
)
def test_dots_stand_for_anything(written: str, printed: str, agree: bool) -> None:  # noqa: FBT001 - a column of the table
    assert agrees(written, printed) is agree


def test_a_command_finds_what_the_one_before_left(shell: Shell) -> None:
    assert shell.follow("$ mkdir there && cd there\n$ export WHO=me\n$ echo $WHO > file\n") is None
    assert shell.follow("$ pwd\n.../there\n$ cat file\nme\n") is None


def test_what_a_page_shows_wrongly_is_reported(shell: Shell) -> None:
    said = shell.follow("$ echo one\ntwo\n")
    assert said is not None
    assert "one" in said
    assert "two" in said


def test_a_command_that_fails_is_reported_unless_its_exit_code_is_asked_for(shell: Shell) -> None:
    assert shell.follow("$ false\n") is not None
    assert shell.follow("$ (exit 4)\n$ echo $?\n4\n") is None
    assert shell.follow("$ (exit 4)\n$ echo $?\n5\n") is not None


def test_the_port_that_pages_write_is_a_free_one(shell: Shell) -> None:
    assert shell.run("echo http://localhost:8080/health").text == "http://localhost:8080/health\n"
    assert shell.run("echo $CAXTON_PORT").text == f"{shell.port}\n"
