"""What others wrote is read in the terminal, and does not command it."""

import io
import os
import pty
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caxton_cli.terminal import guarded, harmless
from tests.cli.command import Shell

TITLE = "\x1b]0;owned\x07"
COMMANDS = {
    "a title": TITLE,
    "cleared": "\x1b[2J",
    "a cursor": "\x1b[1;1H",
    "one byte": "\x9b2J",
    "an answer typed for the reader": "\x1b[6n\x1b[c",
    "a link": "\x1b]8;;http://evil.example\x07x\x1b]8;;\x07",
    "a half": "\x1b",
    "a long colour": "\x1b[" + "1;" * 50 + "m",
    "overwritten": "safe\rrm -rf",
    "taken back": "x\x08\x7f",
    "backwards": "\u202etxt.exe",
    "tags": "\U000e0041",
}


@pytest.mark.parametrize("text", COMMANDS.values(), ids=COMMANDS)
def test_what_a_terminal_would_obey_is_shown_instead(text: str) -> None:
    shown = harmless(text)
    assert shown != text
    assert shown.isprintable()
    assert "\x1b" not in shown


@pytest.mark.parametrize("text", ["\x1b[31;1mred\x1b[0m", "a\tb\nc", "Привет, 世界 👩\u200d🚀"])
def test_colours_and_writing_are_left_alone(text: str) -> None:
    assert harmless(text) == text


@given(st.text())
def test_nothing_but_a_colour_begins_with_an_escape(text: str) -> None:
    shown = harmless(text)
    assert all(part.startswith("[") for part in shown.split("\x1b")[1:])
    assert harmless(shown) == shown


def test_a_program_reads_every_byte_as_it_is() -> None:
    pipe = io.StringIO()
    assert guarded(pipe) is pipe


def in_terminal(shell: Shell, *arguments: str) -> str:
    """What a terminal is sent by a command."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        shell.command(arguments),
        cwd=shell.directory,
        env=shell.environ(),
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    try:
        while piece := os.read(ours, 4096):
            shown += piece
    except OSError:
        pass  # nobody holds the other end any more
    os.close(ours)
    assert process.wait(30) == 0, shown
    return shown.decode()


def test_an_answer_of_a_model_does_not_command_the_terminal(running: Shell) -> None:
    assert running.run("deploy", "talker.toml").code == 0
    shown = in_terminal(running, "send", "talker", f"x{TITLE}y")
    assert "You said: x" in shown
    assert TITLE not in shown
    assert "\\x1b]0;owned\\x07" in shown
    assert running.run("send", "talker", f"x{TITLE}y").out == f"You said: x{TITLE}y\n"
